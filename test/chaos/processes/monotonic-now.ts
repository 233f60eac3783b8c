/**
 * Milliseconds by CLOCK_MONOTONIC, which every process of the machine shares on Linux, and which `faketime` leaves alone. Not
 * `performance.now()`, which begins with the process.
 */
export const monotonicNow = (): number => Number(process.hrtime.bigint()) / 1e6;

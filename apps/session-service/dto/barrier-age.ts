const MAX_UINT32 = 0xffff_ffff;

/** Milliseconds, rounded so that the caller never trusts an answer for longer; before the first barrier as old as can be said. */
export const barrierAgeOnWire = (ageMs: number): number => Math.min(Math.ceil(ageMs), MAX_UINT32);

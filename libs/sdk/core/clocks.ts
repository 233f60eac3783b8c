/** The two clocks of a process, in milliseconds. Only differences of readings are used. */
export interface Clocks {
  /** Never goes back; may stand still while the machine is suspended. */
  monotonic(): number;
  /** May be wrong and may step; usually runs on while the machine is suspended. */
  wall(): number;
}

export const systemClocks: Clocks = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
};

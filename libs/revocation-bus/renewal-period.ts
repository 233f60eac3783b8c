/** Renewals go out every 500 ms, each node around it by its own share, which spreads a fleet (DESIGN §6). */
const RENEW_AFTER_MS = 500;
const RENEW_SPREAD_MS = 100;
const GOLDEN_RATIO = 0.618_033_988_749_895;

/** For a node whose report somebody waits for. */
export const HURRIED_RENEWAL_MS = 100;

/** When the next renewal is due, milliseconds. Consecutive numbers get periods as far from each other as can be. */
export function renewalPeriod(number: number): number {
  const spread = (number * GOLDEN_RATIO) % 1;
  return Math.round(RENEW_AFTER_MS + (spread - 0.5) * RENEW_SPREAD_MS);
}

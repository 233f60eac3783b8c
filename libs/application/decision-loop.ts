import { CurfewError } from '#contracts';
import { ConcurrencyConflict } from './ports/event-log.port.js';
import type { CommandTime } from './command-time.js';

const PAUSE_STEP_MS = 2;
const LONGEST_PAUSE_MS = 40;

/**
 * Load, decide, append; on a conflict load and decide again, until the command is too old to append.
 * @param attempt one whole round; it throws `ConcurrencyConflict` when its append lost.
 */
export async function decideUntilAppended<T>(time: CommandTime, attempt: () => Promise<T>): Promise<T> {
  for (let round = 1; ; round += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ConcurrencyConflict)) throw error;
      if (time.isLate()) throw new CurfewError('ERR_CONTENTION', { cause: error });
      await pause(round);
    }
  }
}

/** Losers spread out, so that of many writers to one stream most do not lose again at once. */
function pause(round: number): Promise<void> {
  const longest = Math.min(LONGEST_PAUSE_MS, (round - 1) * PAUSE_STEP_MS);
  return longest === 0
    ? Promise.resolve()
    : new Promise((resolve) => setTimeout(resolve, Math.random() * longest));
}

import type { LogPage, Position, SubscriptionMessage } from '#application';
import { isCurfewError } from '#contracts';

export interface SubscriptionSource {
  readAll(after: Position, max: number): Promise<LogPage>;
  /** Calls back soon after something was appended. Returns a stop. */
  onAppended(wake: () => void): () => void;
}

const PAGE_EVENTS = 1_000;
/** Wake-ups can be lost. */
const POLL_MS = 200;
/** Under load one read takes what came in this time, in place of one for each wake-up: the appends share the processor. */
const READ_SPACING_MS = 50;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 2_000;

/** `EventLog.subscribe` over a store that can be read in order. */
export async function* subscribeByReading(
  source: SubscriptionSource,
  after: Position,
  signal: AbortSignal,
): AsyncGenerator<SubscriptionMessage, void, undefined> {
  const alarm = new Alarm(signal);
  const stop = source.onAppended(() => alarm.ring());
  let position = after;
  let retryMs = FIRST_RETRY_MS;
  try {
    while (!signal.aborted) {
      // Before the read: what is appended during it rings again.
      alarm.reset();
      const began = performance.now();
      const page = await source.readAll(position, PAGE_EVENTS).catch(unavailable);
      if (page === undefined) {
        await alarm.wait(retryMs, 'timer-only');
        retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS);
        continue;
      }
      retryMs = FIRST_RETRY_MS;
      for (const event of page.events) {
        if (signal.aborted) return;
        yield { kind: 'event', event };
      }
      position = page.position;
      if (!page.caughtUp) continue;
      if (signal.aborted) return;
      yield { kind: 'caught-up', position };
      await alarm.wait(POLL_MS);
      const spare = began + READ_SPACING_MS - performance.now();
      if (spare > 0) await alarm.wait(spare, 'timer-only');
    }
  } finally {
    stop();
    alarm.close();
  }
}

function unavailable(error: unknown): undefined {
  if (!isCurfewError(error, 'ERR_UNAVAILABLE')) throw error;
}

/** A wait that ends with the time, with a ring since the last reset, or with the abort. */
class Alarm {
  private rung = false;
  private end: (() => void) | undefined;
  private readonly onAbort = (): void => this.end?.();

  constructor(private readonly signal: AbortSignal) {
    signal.addEventListener('abort', this.onAbort);
  }

  reset(): void {
    this.rung = false;
  }

  ring(): void {
    this.rung = true;
    this.end?.();
  }

  async wait(ms: number, mode: 'timer-only' | 'any' = 'any'): Promise<void> {
    if (this.signal.aborted || (this.rung && mode === 'any')) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, ms);
      function done(): void {
        clearTimeout(timer);
        resolve();
      }
      this.end = () => {
        if (mode === 'any' || this.signal.aborted) done();
      };
    });
    this.end = undefined;
  }

  close(): void {
    this.signal.removeEventListener('abort', this.onAbort);
  }
}

import type { Position, RecordedEvent, SubscriptionMessage } from '#application';

/** What is applied in one transaction. */
export interface Batch {
  /** In the log's order; may be empty. */
  readonly events: readonly RecordedEvent[];
  /** The checkpoint behind them. */
  readonly position: Position;
  readonly caughtUp: boolean;
}

const LINGERED = Symbol('lingered');

/**
 * Gathers a subscription's messages. A batch ends when it is full, when the end of the log is reached, or when nothing else
 * came for `lingerMs` (a store may say `caught-up` only once). Abort the subscription before you leave.
 */
export async function* batchesOf(
  messages: AsyncIterable<SubscriptionMessage>,
  maxEvents: number,
  lingerMs: number,
): AsyncGenerator<Batch, void, undefined> {
  const iterator = messages[Symbol.asyncIterator]();
  let events: RecordedEvent[] = [];
  let linger = lingering(lingerMs);
  let next = pull(iterator);
  try {
    for (;;) {
      const step = await (events.length === 0 ? next : Promise.race([next, linger.over]));
      if (step === LINGERED) {
        yield { events, position: events.at(-1)!.position, caughtUp: false };
        events = [];
        continue;
      }
      if (step.done === true) return;
      const message = step.value;
      next = pull(iterator);
      if (message.kind === 'event') {
        if (events.length === 0) linger = linger.again();
        events.push(message.event);
        if (events.length < maxEvents) continue;
        yield { events, position: message.event.position, caughtUp: false };
      } else {
        yield { events, position: message.position, caughtUp: true };
      }
      events = [];
    }
  } finally {
    linger.stop();
    void iterator.return?.();
  }
}

function pull(iterator: AsyncIterator<SubscriptionMessage>): Promise<IteratorResult<SubscriptionMessage>> {
  const next = iterator.next();
  // It is awaited later, perhaps never.
  next.catch(() => undefined);
  return next;
}

interface Linger {
  readonly over: Promise<typeof LINGERED>;
  again(): Linger;
  stop(): void;
}

function lingering(ms: number): Linger {
  let stop = (): void => undefined;
  const over = new Promise<typeof LINGERED>((resolve) => {
    const timer = setTimeout(() => resolve(LINGERED), ms);
    stop = () => clearTimeout(timer);
  });
  return {
    over,
    stop,
    again: () => {
      stop();
      return lingering(ms);
    },
  };
}

import type { EventLog, Position, RecordedEvent, SubscriptionMessage } from '#application';

/** Awaits a condition. Fails after `withinMs`. */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 4_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not so within ${withinMs} ms: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export interface Recording {
  readonly messages: SubscriptionMessage[];
  events(): RecordedEvent[];
  /** Ends the subscription and waits for its end. */
  stop(): Promise<void>;
}

/** Subscribes and writes down what comes. */
export function record(log: EventLog, after: Position = ''): Recording {
  const abort = new AbortController();
  const messages: SubscriptionMessage[] = [];
  const ended = (async () => {
    for await (const message of log.subscribe(after, abort.signal)) messages.push(message);
  })();
  return {
    messages,
    events: () => messages.flatMap((message) => (message.kind === 'event' ? [message.event] : [])),
    stop: async () => {
      abort.abort();
      await ended;
    },
  };
}

/** The whole log in order, page by page. */
export async function readWholeLog(
  log: EventLog,
  after: Position = '',
  page = 100,
): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for (let position = after; ;) {
    const read = await log.readAll(position, page);
    events.push(...read.events);
    if (read.caughtUp) return events;
    position = read.position;
  }
}

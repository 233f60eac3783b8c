import type { EventLog, Position, RecordedEvent } from '#application';
import type { LogMeasure } from '../runtime.js';

const PAGE = 1_000;

/** For logs that a test can afford to read. */
export function measureByReading(log: Pick<EventLog, 'readAll'>): LogMeasure {
  const after = async (position: Position): Promise<RecordedEvent[]> => {
    const events: RecordedEvent[] = [];
    for (let at = position; ;) {
      const page = await log.readAll(at, PAGE);
      events.push(...page.events);
      if (page.caughtUp) return events;
      at = page.position;
    }
  };
  return {
    newest: async () => {
      const last = (await after('')).at(-1);
      return last && { position: last.position, recordedAt: last.metadata.recordedAt };
    },
    countAfter: async (position, most) => Math.min(most, (await after(position)).length),
    size: async () => (await after('')).length,
  };
}

import type { Position, RecordedEvent } from '#application';
import type { KurrentEventLog } from './kurrent-event-log.js';
import { later, parsePosition } from './kurrent-position.js';

const PAGE_EVENTS = 1_000;
const SAMPLE_EVENTS = 200;

/** Where the log ends and how much there is of it, for operators and rebuilds. Errors: ERR_UNAVAILABLE. */
export class KurrentLogMeasure {
  private last: RecordedEvent | undefined;
  /** No event of the log lies between the last one and here: what is not the log's own need not be looked through again. */
  private seen: Position = '';

  constructor(private readonly log: Pick<KurrentEventLog, 'readAll' | 'readNewest' | 'end'>) {}

  /** The newest event; undefined while there is none. Cost: what was appended since the last call. */
  async newest(): Promise<{ readonly position: Position; readonly recordedAt: number } | undefined> {
    const end = await this.log.end();
    if (this.last === undefined) {
      [this.last] = await this.log.readNewest(1);
    } else {
      for (let from = later(this.seen, this.last.position); ;) {
        const page = await this.log.readAll(from, PAGE_EVENTS);
        this.last = page.events.at(-1) ?? this.last;
        if (page.caughtUp) break;
        from = page.position;
      }
    }
    this.seen = end;
    const { last } = this;
    return last && { position: last.position, recordedAt: last.metadata.recordedAt };
  }

  /** Events after `position`, counted up to `most`. Reads them. */
  async countAfter(position: Position, most: number): Promise<number> {
    let count = 0;
    for (let from = position; count < most;) {
      const page = await this.log.readAll(from, Math.min(PAGE_EVENTS, most - count));
      count += page.events.length;
      if (page.caughtUp) break;
      from = page.position;
    }
    return count;
  }

  /** How many events there are, by how closely the first and the last ones stand: positions count bytes, and not only ours. */
  async size(): Promise<number> {
    const { events: first, caughtUp } = await this.log.readAll('', SAMPLE_EVENTS);
    if (caughtUp) return first.length;
    const newest = await this.log.readNewest(SAMPLE_EVENTS);
    const bytes = spanOf(first) + spanOf([...newest].reverse());
    const whole = commitOf(newest[0]!) - commitOf(first[0]!);
    return Math.round((whole / bytes) * (first.length + newest.length - 2)) + 1;
  }
}

const commitOf = ({ position }: RecordedEvent): number => Number(parsePosition(position).commit);

const spanOf = (events: readonly RecordedEvent[]): number => commitOf(events.at(-1)!) - commitOf(events[0]!);

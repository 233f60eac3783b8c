import { Inject, Injectable } from '@nestjs/common';
import { CurfewError } from '#contracts';
import { EVENT_LOG, type EventLog, type Position, type RecordedEvent } from './ports/event-log.port.js';
import { REFERENCE_CLOCK, type ReferenceClock } from './ports/reference-clock.port.js';

/** Exactly one of the two. */
export interface MomentInput {
  /** Reference time, ms since the epoch: what was recorded until then, it included. */
  readonly at?: number;
  /** A position: the moment just before the next event of the log. */
  readonly atPosition?: Position;
}

/** A moment of the past. */
export interface Moment {
  /** Whether an event had happened by then. */
  readonly includes: (event: RecordedEvent) => boolean;
  /** Whether no later event of the same stream can have happened by then: reading may stop. */
  readonly isBeyond: (event: RecordedEvent) => boolean;
  /** What timeouts are judged by, ms. */
  readonly time: number;
}

/** By how much the reference times of two instances may differ: so far an event may be recorded before its predecessor, ms. */
const CLOCK_MARGIN_MS = 60_000;

@Injectable()
export class Moments {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(REFERENCE_CLOCK) private readonly clock: ReferenceClock,
  ) {}

  /** @throws CurfewError ERR_VALIDATION unless exactly one of the two is there, it is a position of this log, or it is past */
  async of({ at, atPosition }: MomentInput): Promise<Moment> {
    if (at !== undefined && atPosition === undefined) return this.instant(at);
    if (atPosition !== undefined && at === undefined) return this.position(atPosition);
    throw new CurfewError('ERR_VALIDATION', { field: 'at', detail: 'give either at or atPosition' });
  }

  private instant(at: number): Moment {
    const now = this.clock.now();
    // A caller's "now" may be a little ahead of the reference time.
    if (at > now + CLOCK_MARGIN_MS) {
      throw new CurfewError('ERR_VALIDATION', { field: 'at', detail: 'at lies in the future' });
    }
    return {
      includes: ({ metadata }) => metadata.recordedAt <= at,
      isBeyond: ({ metadata }) => metadata.recordedAt > at + CLOCK_MARGIN_MS,
      time: Math.min(at, now),
    };
  }

  private async position(position: Position): Promise<Moment> {
    const now = this.clock.now();
    const { events } = await this.log.readAll(position, 1).catch((error: unknown) => {
      if (!(error instanceof RangeError)) throw error;
      throw new CurfewError('ERR_VALIDATION', {
        field: 'atPosition',
        detail: 'not a position of this log',
      });
    });
    const [next] = events;
    return {
      includes: (event) => event.position <= position,
      isBeyond: (event) => event.position > position,
      time: next === undefined ? now : next.metadata.recordedAt - 1,
    };
  }
}

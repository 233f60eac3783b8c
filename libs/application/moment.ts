import { CurfewError } from '#contracts';
import type { Position, RecordedEvent } from './ports/event-log.port.js';

/** Exactly one of the two. */
export interface MomentInput {
  /** Reference time, ms since the epoch: what was recorded until then, it included. */
  readonly at?: number;
  /** What stands in the log up to this position, it included. */
  readonly atPosition?: Position;
}

/** Which events had happened at some moment. */
export interface Moment {
  readonly includes: (event: RecordedEvent) => boolean;
  /** The time to judge timeouts by; undefined when only the position is known: then the newest event's recorded-at. */
  readonly time: number | undefined;
}

/** @throws CurfewError ERR_VALIDATION unless exactly one of the two is there. */
export function momentOf({ at, atPosition }: MomentInput): Moment {
  if (at !== undefined && atPosition === undefined) {
    return { includes: ({ metadata }) => metadata.recordedAt <= at, time: at };
  }
  if (atPosition !== undefined && at === undefined) {
    return { includes: ({ position }) => position <= atPosition, time: undefined };
  }
  throw new CurfewError('ERR_VALIDATION', { field: 'at', detail: 'give either at or atPosition' });
}

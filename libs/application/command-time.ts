import { Inject, Injectable } from '@nestjs/common';
import { CurfewError } from '#contracts';
import { MAX_COMMAND_AGE } from '#domain';
import {
  REFERENCE_CLOCK,
  START_STOPWATCH,
  type ReferenceClock,
  type StartStopwatch,
} from './ports/reference-clock.port.js';

/** The one `now` of a command and its age (DESIGN §4.4). */
export interface CommandTime {
  /** Reference time at receipt, ms. Kept over reloads. */
  readonly now: number;
  /** True once the command is older than 5 s, also when the process was paused in between. */
  readonly isLate: () => boolean;
  /** @throws CurfewError ERR_TOO_LATE once the command is too old to append. */
  readonly assertInTime: () => void;
}

@Injectable()
export class CommandTimes {
  constructor(
    @Inject(REFERENCE_CLOCK) private readonly clock: ReferenceClock,
    @Inject(START_STOPWATCH) private readonly startStopwatch: StartStopwatch,
  ) {}

  /** Call it first thing in a handler. Errors: ERR_UNAVAILABLE. */
  receive(): CommandTime {
    const age = this.startStopwatch();
    const isLate = (): boolean => age() > MAX_COMMAND_AGE;
    return {
      now: this.clock.now(),
      isLate,
      assertInTime: () => {
        if (isLate()) throw new CurfewError('ERR_TOO_LATE');
      },
    };
  }

  /** Reference time as events are sent, ms. */
  sentAt(): number {
    return this.clock.now();
  }
}

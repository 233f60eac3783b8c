import { randomUUID } from 'node:crypto';
import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { decideExpire, sessionStream } from '#domain';
import { CommandTimes, type CommandTime } from '../../command-time.js';
import { ConcurrencyConflict, EVENT_LOG, type EventLog } from '../../ports/event-log.port.js';
import { SESSION_VIEWS, type SessionViews } from '../../ports/session-views.port.js';
import { recorded } from '../../recording.js';
import { SessionRepository } from '../../session-repository.js';
import { ExpireSessions, type SweptSessions } from './expire-sessions.command.js';

/** Open sessions that one step looks at. */
const EXAMINED_PER_STEP = 2_000;
/** Sessions that are ended at once. */
const AT_ONCE = 16;
const SWEEPER = { kind: 'system', id: 'sweeper' } as const;

@CommandHandler(ExpireSessions)
export class ExpireSessionsHandler implements ICommandHandler<ExpireSessions> {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    @Inject(SESSION_VIEWS) private readonly views: SessionViews,
    private readonly sessions: SessionRepository,
    private readonly times: CommandTimes,
  ) {}

  async execute({ after }: ExpireSessions): Promise<SweptSessions> {
    const time = this.times.receive();
    const { sids, next } = await this.views.listOverdue(time.now, after, EXAMINED_PER_STEP);
    const correlationId = randomUUID();
    let expired = 0;
    let failed = 0;
    // Few at a time: the API's own appends share the way to the log.
    for (let i = 0; i < sids.length && !time.isLate(); i += AT_ONCE) {
      const ended = await Promise.allSettled(
        sids.slice(i, i + AT_ONCE).map((sid) => this.expire(sid, time, correlationId)),
      );
      expired += ended.filter((end) => end.status === 'fulfilled' && end.value).length;
      failed += ended.filter(({ status }) => status === 'rejected').length;
    }
    return { expired, failed, next };
  }

  private async expire(sid: string, time: CommandTime, correlationId: string): Promise<boolean> {
    // The view only says where to look; the stream decides.
    const { state, revision } = await this.sessions.load(sid);
    const events = decideExpire(state, time.now);
    if (events.length === 0 || state.status === 'none' || time.isLate()) return false;
    const { tenant } = state.facts;
    const recording = {
      actor: SWEEPER,
      correlationId,
      tenant,
      initiator: 'policy' as const,
      recordedAt: this.times.sentAt(),
    };
    try {
      await this.log.append([
        {
          stream: sessionStream(sid),
          expectedRevision: revision,
          events: events.map((event) => recorded(event, recording)),
        },
      ]);
      return true;
    } catch (error) {
      // Another instance, or a revoke, was there first.
      if (error instanceof ConcurrencyConflict) return false;
      throw error;
    }
  }
}

import { randomUUID } from 'node:crypto';
import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { decideExpire, sessionStream } from '#domain';
import { CommandTimes, type CommandTime } from '../../command-time.js';
import { ConcurrencyConflict, EVENT_LOG, type EventLog } from '../../ports/event-log.port.js';
import { SESSION_VIEWS, type SessionViews } from '../../ports/session-views.port.js';
import { recorded } from '../../recording.js';
import { SessionRepository, type LoadedSession } from '../../session-repository.js';
import { ExpireSessions, type SweptSessions } from './expire-sessions.command.js';

/** Open sessions that one step looks at. */
const EXAMINED_PER_STEP = 2_000;
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
    if (sids.length === 0) return { expired: 0, next };
    const correlationId = randomUUID();
    // The view only says where to look; the stream decides.
    const loaded = await this.sessions.loadAll(sids);
    const ended = await Promise.all(
      [...loaded].map(([sid, session]) => this.expire(sid, session, time, correlationId)),
    );
    return { expired: ended.filter(Boolean).length, next };
  }

  private async expire(
    sid: string,
    { state, revision }: LoadedSession,
    time: CommandTime,
    correlationId: string,
  ): Promise<boolean> {
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

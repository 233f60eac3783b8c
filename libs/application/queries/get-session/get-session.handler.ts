import { Inject } from '@nestjs/common';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { CurfewError, type SessionInfo } from '#contracts';
import { isSid, type EndedSession, type OpenSession } from '#domain';
import { REFERENCE_CLOCK, type ReferenceClock } from '../../ports/reference-clock.port.js';
import type { SessionView } from '../../ports/session-views.port.js';
import { SessionPresenter } from '../../session-presenter.js';
import { SessionRepository } from '../../session-repository.js';
import { isVisible } from '../../tenancy.js';
import { GetSession } from './get-session.query.js';

@QueryHandler(GetSession)
export class GetSessionHandler implements IQueryHandler<GetSession> {
  constructor(
    private readonly sessions: SessionRepository,
    private readonly presenter: SessionPresenter,
    @Inject(REFERENCE_CLOCK) private readonly clock: ReferenceClock,
  ) {}

  async execute({ context, input }: GetSession): Promise<SessionInfo> {
    if (!isSid(input.sid)) throw new CurfewError('ERR_NOT_FOUND');
    const { state } = await this.sessions.load(input.sid);
    if (state.status === 'none' || !isVisible(context.caller, input.tenant, state.facts.tenant)) {
      throw new CurfewError('ERR_NOT_FOUND');
    }
    return this.presenter.present(viewOf(input.sid, state), context.caller, this.clock.now());
  }
}

function viewOf(sid: string, state: OpenSession | EndedSession): SessionView {
  const { tenant, sub, client, roles, createdAt, policy } = state.facts;
  return {
    tenant,
    sub,
    sid,
    client,
    roles,
    gen: state.gen,
    createdAt,
    lastSeenAt: state.lastActiveAt,
    idleExpiresAt: state.lastActiveAt + policy.idleTimeout,
    absoluteExpiresAt: createdAt + policy.absoluteTimeout,
    ...(state.device === undefined ? {} : { device: state.device }),
    ...(state.status === 'ended'
      ? { ended: { at: state.endedAt, reason: state.reason, initiator: state.initiator } }
      : {}),
  };
}

import { Inject } from '@nestjs/common';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { CurfewError, type SessionInfo } from '#contracts';
import { isSid } from '#domain';
import { REFERENCE_CLOCK, type ReferenceClock } from '../../ports/reference-clock.port.js';
import { SessionPresenter, viewOf } from '../../session-presenter.js';
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
    const { state, scopes } = await this.sessions.load(input.sid);
    if (state.status === 'none' || !isVisible(context.caller, input.tenant, state.facts.tenant)) {
      throw new CurfewError('ERR_NOT_FOUND');
    }
    const now = this.clock.now();
    return this.presenter.present(viewOf(input.sid, state), context.caller, { now, scopes });
  }
}

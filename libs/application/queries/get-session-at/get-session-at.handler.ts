import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { CurfewError, type SessionInfo } from '#contracts';
import { isSid } from '#domain';
import { Moments } from '../../moment.js';
import { PastSessions } from '../../past-sessions.js';
import { isVisible } from '../../tenancy.js';
import { GetSessionAt } from './get-session-at.query.js';

@QueryHandler(GetSessionAt)
export class GetSessionAtHandler implements IQueryHandler<GetSessionAt> {
  constructor(
    private readonly past: PastSessions,
    private readonly moments: Moments,
  ) {}

  async execute({ context, input }: GetSessionAt): Promise<SessionInfo> {
    const moment = await this.moments.of(input);
    if (!isSid(input.sid)) throw new CurfewError('ERR_NOT_FOUND');
    const [session] = await this.past.at(moment, [input.sid], context.caller, ({ tenant }) =>
      isVisible(context.caller, input.tenant, tenant),
    );
    if (!session) throw new CurfewError('ERR_NOT_FOUND');
    return session;
  }
}

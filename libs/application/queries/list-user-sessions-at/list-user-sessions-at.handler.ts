import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { CurfewError } from '#contracts';
import { Moments } from '../../moment.js';
import { PastSessions } from '../../past-sessions.js';
import { tenantOf } from '../../tenancy.js';
import type { SessionsPage } from '../list-user-sessions/list-user-sessions.query.js';
import { ListUserSessionsAt } from './list-user-sessions-at.query.js';

const DEFAULT_LIMIT = 50;
const CURSOR = /^[0-9]{1,9}$/;

@QueryHandler(ListUserSessionsAt)
export class ListUserSessionsAtHandler implements IQueryHandler<ListUserSessionsAt> {
  constructor(
    private readonly past: PastSessions,
    private readonly moments: Moments,
  ) {}

  async execute({ context, input }: ListUserSessionsAt): Promise<SessionsPage> {
    const moment = await this.moments.of(input);
    const { sub, cursor, limit = DEFAULT_LIMIT, includeEnded = false } = input;
    if (cursor !== undefined && !CURSOR.test(cursor))
      throw new CurfewError('ERR_VALIDATION', { field: 'cursor' });
    const user = { tenant: tenantOf(context.caller, input.tenant), sub };
    const { sids, before } = await this.past.admittedAt(moment, user, {
      before: cursor === undefined ? undefined : Number(cursor),
      limit,
    });
    const sessions = await this.past.at(
      moment,
      sids,
      context.caller,
      (facts) => facts.tenant === user.tenant && facts.sub === sub,
    );
    return {
      sessions: includeEnded ? sessions : sessions.filter(({ status }) => status === 'active'),
      ...(before > 0 ? { nextCursor: String(before) } : {}),
    };
  }
}

import { Inject } from '@nestjs/common';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { SESSION_VIEWS, type SessionViews } from '../../ports/session-views.port.js';
import { SessionLister } from '../../session-lister.js';
import { tenantOf } from '../../tenancy.js';
import { ReadYourWrites } from '../../view-freshness.js';
import { ListUserSessions, type SessionsPage } from './list-user-sessions.query.js';

const DEFAULT_LIMIT = 50;

@QueryHandler(ListUserSessions)
export class ListUserSessionsHandler implements IQueryHandler<ListUserSessions> {
  constructor(
    @Inject(SESSION_VIEWS) private readonly views: SessionViews,
    private readonly lister: SessionLister,
    private readonly freshness: ReadYourWrites,
  ) {}

  async execute({ context, input }: ListUserSessions): Promise<SessionsPage> {
    const tenant = tenantOf(context.caller, input.tenant);
    const { sub, limit = DEFAULT_LIMIT, cursor, includeEnded = false, current } = input;
    await this.freshness.require('sessions', input.atLeast);
    const page = await this.views.listByUser(tenant, sub, {
      limit,
      includeEnded,
      ...(cursor === undefined ? {} : { cursor }),
    });
    const answer = await this.lister.present(page, context.caller, includeEnded);
    if (current === undefined) return answer;
    return {
      ...answer,
      sessions: answer.sessions.map((session) => ({ ...session, current: session.sid === current })),
    };
  }
}

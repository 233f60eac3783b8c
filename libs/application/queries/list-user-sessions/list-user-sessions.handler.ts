import { Inject } from '@nestjs/common';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { REFERENCE_CLOCK, type ReferenceClock } from '../../ports/reference-clock.port.js';
import { SESSION_VIEWS, type SessionViews } from '../../ports/session-views.port.js';
import { SessionPresenter } from '../../session-presenter.js';
import { tenantOf } from '../../tenancy.js';
import { ListUserSessions, type UserSessionsPage } from './list-user-sessions.query.js';

const DEFAULT_LIMIT = 50;

@QueryHandler(ListUserSessions)
export class ListUserSessionsHandler implements IQueryHandler<ListUserSessions> {
  constructor(
    @Inject(SESSION_VIEWS) private readonly views: SessionViews,
    private readonly presenter: SessionPresenter,
    @Inject(REFERENCE_CLOCK) private readonly clock: ReferenceClock,
  ) {}

  async execute({ context, input }: ListUserSessions): Promise<UserSessionsPage> {
    const tenant = tenantOf(context.caller, input.tenant);
    const { sub, limit = DEFAULT_LIMIT, cursor, includeEnded = false } = input;
    const page = await this.views.listByUser(tenant, sub, {
      limit,
      includeEnded,
      ...(cursor === undefined ? {} : { cursor }),
    });
    const now = this.clock.now();
    const sessions = await Promise.all(
      page.sessions.map((view) => this.presenter.present(view, context.caller, now)),
    );
    return {
      // A page may hold fewer than `limit`: what time alone has ended is left out here, not in the view.
      sessions: includeEnded ? sessions : sessions.filter(({ status }) => status === 'active'),
      ...(page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor }),
    };
  }
}

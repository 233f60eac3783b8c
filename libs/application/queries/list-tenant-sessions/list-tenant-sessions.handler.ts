import { Inject } from '@nestjs/common';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { SESSION_VIEWS, type SessionViews } from '../../ports/session-views.port.js';
import { SessionLister } from '../../session-lister.js';
import { tenantOf } from '../../tenancy.js';
import { ReadYourWrites } from '../../view-freshness.js';
import type { SessionsPage } from '../list-user-sessions/list-user-sessions.query.js';
import { ListTenantSessions } from './list-tenant-sessions.query.js';

const DEFAULT_LIMIT = 50;

@QueryHandler(ListTenantSessions)
export class ListTenantSessionsHandler implements IQueryHandler<ListTenantSessions> {
  constructor(
    @Inject(SESSION_VIEWS) private readonly views: SessionViews,
    private readonly lister: SessionLister,
    private readonly freshness: ReadYourWrites,
  ) {}

  async execute({ context, input }: ListTenantSessions): Promise<SessionsPage> {
    const tenant = tenantOf(context.caller, input.tenant);
    const { limit = DEFAULT_LIMIT, cursor, includeEnded = false } = input;
    await this.freshness.require('sessions', input.atLeast);
    const page = await this.views.listByTenant(tenant, {
      limit,
      includeEnded,
      ...(cursor === undefined ? {} : { cursor }),
    });
    return this.lister.present(page, context.caller, includeEnded);
  }
}

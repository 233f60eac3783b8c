import { Controller, Get, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ListCounters, ListTenantSessions, type CallContext, type SessionsPage } from '#application';
import { RequireScope } from '../auth/access.js';
import { AtLeast, type AtLeastInput } from '../auth/at-least.js';
import { Context } from '../auth/call-context.js';
import { SessionsPageDoc } from '../dto/answers.js';
import { CountersDoc } from '../dto/audit-answers.js';
import { CountersQuery } from '../dto/audit.dto.js';
import { TenantSessionsQuery } from '../dto/list.dto.js';
import { QueryString } from './body.pipes.js';
import { AtLeastHeader, PathTenant } from './request-parts.js';

@ApiTags('tenants')
@ApiParam({ name: 'tenant', type: String })
@Controller('v1/tenants/:tenant')
export class TenantsController {
  constructor(private readonly queries: QueryBus) {}

  @Get('sessions')
  @RequireScope('sessions:read')
  @ApiOperation({ summary: "A tenant's sessions, newest first" })
  @AtLeastHeader()
  @ApiOkResponse({ type: SessionsPageDoc })
  sessions(
    @Context() context: CallContext,
    @PathTenant() tenant: string,
    @Query(new QueryString(TenantSessionsQuery)) query: TenantSessionsQuery,
    @AtLeast() atLeast: AtLeastInput,
  ): Promise<SessionsPage> {
    return this.queries.execute(new ListTenantSessions(context, { tenant, ...query, ...atLeast }));
  }

  @Get('counters')
  @RequireScope('audit:read')
  @ApiOperation({ summary: 'What happened in a tenant, counted per hour' })
  @AtLeastHeader()
  @ApiOkResponse({ type: CountersDoc })
  async counters(
    @Context() context: CallContext,
    @PathTenant() tenant: string,
    @Query(new QueryString(CountersQuery)) query: CountersQuery,
    @AtLeast() atLeast: AtLeastInput,
  ): Promise<CountersDoc> {
    const counts = await this.queries.execute(new ListCounters(context, { tenant, ...query, ...atLeast }));
    return { counts };
  }
}

import { Body, Controller, Delete, Get, Param, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import {
  ListUserSessions,
  RevokeAll,
  RevokeSession,
  type CallContext,
  type RevokedSession,
  type SessionsPage,
} from '#application';
import type { MassRevoked } from '#contracts';
import { RequireScope } from '../auth/access.js';
import { AtLeast, type AtLeastInput } from '../auth/at-least.js';
import { Context } from '../auth/call-context.js';
import { MassRevokedDoc, RevokedSessionDoc, SessionsPageDoc } from '../dto/answers.js';
import { ListSessionsQuery } from '../dto/list.dto.js';
import { RevokeUserSessionsBody, RevokeUserSessionsQuery } from '../dto/revocation.dto.js';
import { RevokeSessionBody, TenantQuery } from '../dto/session.dto.js';
import { JsonBody, QueryString } from './body.pipes.js';
import { AtLeastHeader, IdempotencyKey, IdempotencyKeyHeader, PathSub, withKey } from './request-parts.js';

/** What a device list calls. */
@ApiTags('sessions')
@ApiParam({ name: 'sub', type: String })
@Controller('v1/users/:sub/sessions')
export class UserSessionsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Get()
  @RequireScope('sessions:read')
  @ApiOperation({ summary: "A user's sessions, newest first" })
  @AtLeastHeader()
  @ApiOkResponse({ type: SessionsPageDoc })
  list(
    @Context() context: CallContext,
    @PathSub() sub: string,
    @Query(new QueryString(ListSessionsQuery)) query: ListSessionsQuery,
    @AtLeast() atLeast: AtLeastInput,
  ): Promise<SessionsPage> {
    return this.queries.execute(new ListUserSessions(context, { sub, ...query, ...atLeast }));
  }

  @Delete()
  @RequireScope('scopes:revoke', 'sessions:revoke')
  @ApiOperation({ summary: 'End all sessions of this user, or all but some, whatever their number' })
  @ApiBody({ type: RevokeUserSessionsBody, required: false })
  @IdempotencyKeyHeader()
  @ApiOkResponse({ type: MassRevokedDoc })
  revokeAll(
    @Context() context: CallContext,
    @PathSub() sub: string,
    @Query(new QueryString(RevokeUserSessionsQuery)) query: RevokeUserSessionsQuery,
    @Body(new JsonBody(RevokeUserSessionsBody)) body: RevokeUserSessionsBody,
    @IdempotencyKey() key: string | undefined,
  ): Promise<MassRevoked> {
    return this.commands.execute(
      new RevokeAll(context, { scope: 'user', sub, ...query, ...body, ...withKey(key) }),
    );
  }

  @Delete(':sid')
  @RequireScope('sessions:revoke')
  @ApiOperation({ summary: 'End a session of this user; one of another user is answered as unknown' })
  @ApiBody({ type: RevokeSessionBody, required: false })
  @ApiOkResponse({ type: RevokedSessionDoc })
  revoke(
    @Context() context: CallContext,
    @PathSub() sub: string,
    @Param('sid') sid: string,
    @Query(new QueryString(TenantQuery)) query: TenantQuery,
    @Body(new JsonBody(RevokeSessionBody)) body: RevokeSessionBody,
  ): Promise<RevokedSession> {
    return this.commands.execute(new RevokeSession(context, { sub, sid, ...query, ...body }));
  }
}

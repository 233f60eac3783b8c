import { Body, Controller, Delete, Get, Param, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import {
  ListUserSessions,
  RevokeSession,
  type CallContext,
  type RevokedSession,
  type UserSessionsPage,
} from '#application';
import { RequireScope } from '../auth/access.js';
import { Context } from '../auth/call-context.js';
import { RevokedSessionDoc, SessionsPageDoc } from '../dto/answers.js';
import { ListSessionsQuery } from '../dto/list.dto.js';
import { RevokeSessionBody, TenantQuery } from '../dto/session.dto.js';
import { JsonBody, QueryString } from './body.pipes.js';
import { PathSub } from './request-parts.js';

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
  @ApiOkResponse({ type: SessionsPageDoc })
  list(
    @Context() context: CallContext,
    @PathSub() sub: string,
    @Query(new QueryString(ListSessionsQuery)) query: ListSessionsQuery,
  ): Promise<UserSessionsPage> {
    return this.queries.execute(new ListUserSessions(context, { sub, ...query }));
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

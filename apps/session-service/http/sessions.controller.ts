import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post, Query } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiBody, ApiOkResponse, ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  CreateSession,
  GetSession,
  GetSessionHistory,
  RefreshSession,
  RevokeSession,
  type CallContext,
  type HistoryPage,
  type RevokedSession,
} from '#application';
import type { IssuedSession, SessionInfo } from '#contracts';
import { RequireScope } from '../auth/access.js';
import { Context } from '../auth/call-context.js';
import { HistoryPageDoc, IssuedSessionDoc, RevokedSessionDoc, SessionDoc } from '../dto/answers.js';
import { HistoryQuery } from '../dto/list.dto.js';
import { CreateSessionBody, RefreshSessionBody, RevokeSessionBody, TenantQuery } from '../dto/session.dto.js';
import { JsonBody, QueryString } from './body.pipes.js';
import { IdempotencyKey, IdempotencyKeyHeader, withKey } from './request-parts.js';

@ApiTags('sessions')
@Controller('v1/sessions')
export class SessionsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @RequireScope('sessions:issue')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Start a session' })
  @ApiBody({ type: CreateSessionBody })
  @IdempotencyKeyHeader()
  @ApiCreatedResponse({ type: IssuedSessionDoc })
  create(
    @Context() context: CallContext,
    @Body(new JsonBody(CreateSessionBody)) body: CreateSessionBody,
    @IdempotencyKey() key: string | undefined,
  ): Promise<IssuedSession> {
    return this.commands.execute(new CreateSession(context, { ...body, ...withKey(key) }));
  }

  @Post('refresh')
  @HttpCode(200)
  @RequireScope('sessions:issue')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Rotate a refresh token' })
  @ApiBody({ type: RefreshSessionBody })
  @IdempotencyKeyHeader()
  @ApiOkResponse({ type: IssuedSessionDoc })
  refresh(
    @Context() context: CallContext,
    @Body(new JsonBody(RefreshSessionBody)) body: RefreshSessionBody,
    @IdempotencyKey() key: string | undefined,
  ): Promise<IssuedSession> {
    return this.commands.execute(new RefreshSession(context, { ...body, ...withKey(key) }));
  }

  @Get(':sid')
  @RequireScope('sessions:read')
  @ApiOperation({ summary: 'One session' })
  @ApiOkResponse({ type: SessionDoc })
  get(
    @Context() context: CallContext,
    @Param('sid') sid: string,
    @Query(new QueryString(TenantQuery)) query: TenantQuery,
  ): Promise<SessionInfo> {
    return this.queries.execute(new GetSession(context, { sid, ...query }));
  }

  @Delete(':sid')
  @RequireScope('sessions:revoke')
  @ApiOperation({ summary: 'End a session, at once and for good' })
  @ApiBody({ type: RevokeSessionBody, required: false })
  @ApiOkResponse({ type: RevokedSessionDoc })
  revoke(
    @Context() context: CallContext,
    @Param('sid') sid: string,
    @Query(new QueryString(TenantQuery)) query: TenantQuery,
    @Body(new JsonBody(RevokeSessionBody)) body: RevokeSessionBody,
  ): Promise<RevokedSession> {
    return this.commands.execute(new RevokeSession(context, { sid, ...query, ...body }));
  }

  @Get(':sid/events')
  @RequireScope('audit:read')
  @ApiOperation({ summary: 'What happened to a session, oldest first' })
  @ApiOkResponse({ type: HistoryPageDoc })
  history(
    @Context() context: CallContext,
    @Param('sid') sid: string,
    @Query(new QueryString(HistoryQuery)) query: HistoryQuery,
  ): Promise<HistoryPage> {
    return this.queries.execute(new GetSessionHistory(context, { sid, ...query }));
  }
}

import { Controller, Get, Param, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import {
  GetSessionAt,
  ListSecurityFeed,
  ListUserSessionsAt,
  type CallContext,
  type SecurityFeedPage,
  type SessionsPage,
} from '#application';
import type { SessionInfo } from '#contracts';
import { RequireScope } from '../auth/access.js';
import { AtLeast, type AtLeastInput } from '../auth/at-least.js';
import { Context } from '../auth/call-context.js';
import { SessionDoc, SessionsPageDoc } from '../dto/answers.js';
import { SecurityFeedPageDoc } from '../dto/audit-answers.js';
import { SecurityFeedQuery, SessionAtQuery, UserSessionsAtQuery } from '../dto/audit.dto.js';
import { QueryString } from './body.pipes.js';
import { AtLeastHeader, PathSub } from './request-parts.js';

const EITHER = 'Give `at` or `atPosition`, not both.';

/** Time travel: how things were, told from the log. */
@ApiTags('audit')
@Controller('v1/audit')
export class AuditController {
  constructor(private readonly queries: QueryBus) {}

  @Get('sessions/:sid')
  @RequireScope('audit:read')
  @ApiOperation({ summary: 'One session as it was', description: EITHER })
  @ApiOkResponse({ type: SessionDoc })
  sessionAt(
    @Context() context: CallContext,
    @Param('sid') sid: string,
    @Query(new QueryString(SessionAtQuery)) query: SessionAtQuery,
  ): Promise<SessionInfo> {
    return this.queries.execute(new GetSessionAt(context, { sid, ...query }));
  }

  @Get('users/:sub/sessions')
  @RequireScope('audit:read')
  @ApiParam({ name: 'sub', type: String })
  @ApiOperation({ summary: "A user's sessions as they were, newest first", description: EITHER })
  @ApiOkResponse({ type: SessionsPageDoc })
  userSessionsAt(
    @Context() context: CallContext,
    @PathSub() sub: string,
    @Query(new QueryString(UserSessionsAtQuery)) query: UserSessionsAtQuery,
  ): Promise<SessionsPage> {
    return this.queries.execute(new ListUserSessionsAt(context, { sub, ...query }));
  }
}

@ApiTags('audit')
@Controller('v1/security-feed')
export class SecurityFeedController {
  constructor(private readonly queries: QueryBus) {}

  @Get()
  @RequireScope('audit:read')
  @ApiOperation({
    summary: 'Thefts, mass revocations and replays in a tenant, newest first',
  })
  @AtLeastHeader()
  @ApiOkResponse({ type: SecurityFeedPageDoc })
  list(
    @Context() context: CallContext,
    @Query(new QueryString(SecurityFeedQuery)) query: SecurityFeedQuery,
    @AtLeast() atLeast: AtLeastInput,
  ): Promise<SecurityFeedPage> {
    return this.queries.execute(new ListSecurityFeed(context, { ...query, ...atLeast }));
  }
}

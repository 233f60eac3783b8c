import { Controller } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import {
  CreateSession,
  GetSession,
  GetSessionHistory,
  IntrospectToken,
  ListUserSessions,
  RefreshSession,
  RevokeSession,
  type CallContext,
  type RevokedSession,
} from '#application';
import type { IssuedSession } from '#contracts';
import { RequireScope } from '../auth/access.js';
import { Context } from '../auth/call-context.js';
import { barrierAgeOnWire } from '../dto/barrier-age.js';
import {
  CreateSessionMessage,
  GetSessionMessage,
  HistoryMessage,
  IntrospectMessage,
  ListSessionsMessage,
  prepareCreate,
  RefreshSessionMessage,
  RevokeMessage,
} from '../dto/message.dto.js';
import { Message } from './message.pipe.js';
import { toHistoryMessage, toSessionMessage } from './session-messages.js';

@Controller()
export class SessionGrpcController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @GrpcMethod('SessionService', 'Create')
  @RequireScope('sessions:issue')
  create(
    @Payload(new Message(CreateSessionMessage, prepareCreate)) input: CreateSessionMessage,
    @Context() context: CallContext,
  ): Promise<IssuedSession> {
    return this.commands.execute(new CreateSession(context, { ...input }));
  }

  @GrpcMethod('SessionService', 'Refresh')
  @RequireScope('sessions:issue')
  refresh(
    @Payload(new Message(RefreshSessionMessage)) input: RefreshSessionMessage,
    @Context() context: CallContext,
  ): Promise<IssuedSession> {
    return this.commands.execute(new RefreshSession(context, { ...input }));
  }

  @GrpcMethod('SessionService', 'Introspect')
  @RequireScope('tokens:introspect')
  async introspect(
    @Payload(new Message(IntrospectMessage)) { token }: IntrospectMessage,
    @Context() context: CallContext,
  ): Promise<object> {
    const answer = await this.queries.execute(new IntrospectToken(context, token));
    return {
      active: answer.active,
      barrierAgeMs: barrierAgeOnWire(answer.barrierAgeMs),
      ...(answer.active ? { claimsJson: JSON.stringify(answer.claims) } : {}),
    };
  }

  @GrpcMethod('SessionService', 'Get')
  @RequireScope('sessions:read')
  async get(
    @Payload(new Message(GetSessionMessage)) input: GetSessionMessage,
    @Context() context: CallContext,
  ): Promise<object> {
    return toSessionMessage(await this.queries.execute(new GetSession(context, { ...input })));
  }

  @GrpcMethod('SessionService', 'ListByUser')
  @RequireScope('sessions:read')
  async listByUser(
    @Payload(new Message(ListSessionsMessage)) input: ListSessionsMessage,
    @Context() context: CallContext,
  ): Promise<object> {
    const { sessions, ...page } = await this.queries.execute(new ListUserSessions(context, { ...input }));
    return { ...page, sessions: sessions.map(toSessionMessage) };
  }

  @GrpcMethod('RevocationService', 'Revoke')
  @RequireScope('sessions:revoke')
  revoke(
    @Payload(new Message(RevokeMessage)) input: RevokeMessage,
    @Context() context: CallContext,
  ): Promise<RevokedSession> {
    return this.commands.execute(new RevokeSession(context, { ...input }));
  }

  @GrpcMethod('AuditService', 'History')
  @RequireScope('audit:read')
  async history(
    @Payload(new Message(HistoryMessage)) input: HistoryMessage,
    @Context() context: CallContext,
  ): Promise<object> {
    const { events, ...page } = await this.queries.execute(new GetSessionHistory(context, { ...input }));
    return { ...page, events: events.map(toHistoryMessage) };
  }
}

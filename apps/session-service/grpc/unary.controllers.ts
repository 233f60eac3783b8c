import { Controller } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import {
  CreateSession,
  GetSession,
  IntrospectToken,
  ListTenantSessions,
  ListUserSessions,
  RefreshSession,
  RevokeAll,
  RevokeSession,
  type CallContext,
  type RevokedSession,
  type SessionsPage,
} from '#application';
import type { IssuedSession, MassRevoked } from '#contracts';
import { RequireScope } from '../auth/access.js';
import { AtLeast, type AtLeastInput } from '../auth/at-least.js';
import { Context } from '../auth/call-context.js';
import { barrierAgeOnWire } from '../dto/barrier-age.js';
import {
  CreateSessionMessage,
  GetSessionMessage,
  IntrospectMessage,
  ListSessionsMessage,
  ListTenantSessionsMessage,
  prepareCreate,
  RefreshSessionMessage,
  RevokeAllMessage,
  RevokeMessage,
} from '../dto/message.dto.js';
import { Message } from './message.pipe.js';
import { toSessionMessage } from './session-messages.js';

const toPageMessage = ({ sessions, ...page }: SessionsPage): object => ({
  ...page,
  sessions: sessions.map(toSessionMessage),
});

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
    @AtLeast() atLeast: AtLeastInput,
  ): Promise<object> {
    return toPageMessage(await this.queries.execute(new ListUserSessions(context, { ...input, ...atLeast })));
  }

  @GrpcMethod('SessionService', 'ListByTenant')
  @RequireScope('sessions:read')
  async listByTenant(
    @Payload(new Message(ListTenantSessionsMessage)) input: ListTenantSessionsMessage,
    @Context() context: CallContext,
    @AtLeast() atLeast: AtLeastInput,
  ): Promise<object> {
    return toPageMessage(
      await this.queries.execute(new ListTenantSessions(context, { ...input, ...atLeast })),
    );
  }

  @GrpcMethod('RevocationService', 'Revoke')
  @RequireScope('sessions:revoke')
  revoke(
    @Payload(new Message(RevokeMessage)) input: RevokeMessage,
    @Context() context: CallContext,
  ): Promise<RevokedSession> {
    return this.commands.execute(new RevokeSession(context, { ...input }));
  }

  @GrpcMethod('RevocationService', 'RevokeAll')
  @RequireScope('scopes:revoke', 'sessions:revoke')
  revokeAll(
    @Payload(new Message(RevokeAllMessage)) input: RevokeAllMessage,
    @Context() context: CallContext,
  ): Promise<MassRevoked> {
    return this.commands.execute(new RevokeAll(context, { ...input }));
  }
}

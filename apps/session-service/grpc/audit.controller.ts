import { Controller } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import {
  GetSessionAt,
  GetSessionHistory,
  ListCounters,
  ListSecurityFeed,
  ListUserSessionsAt,
  type CallContext,
} from '#application';
import { RequireScope } from '../auth/access.js';
import { AtLeast, type AtLeastInput } from '../auth/at-least.js';
import { Context } from '../auth/call-context.js';
import {
  CountersMessage,
  HistoryMessage,
  SecurityFeedMessage,
  SessionAtMessage,
  UserSessionsAtMessage,
} from '../dto/message.dto.js';
import { Message } from './message.pipe.js';
import { toFeedMessage, toHistoryMessage, toSessionMessage } from './session-messages.js';

const withInstant = <T extends { readonly atMs?: number }>({ atMs, ...input }: T) => ({
  ...input,
  ...(atMs === undefined ? {} : { at: atMs }),
});

/** What happened, and how things were. */
@Controller()
export class AuditGrpcController {
  constructor(private readonly queries: QueryBus) {}

  @GrpcMethod('AuditService', 'History')
  @RequireScope('audit:read')
  async history(
    @Payload(new Message(HistoryMessage)) input: HistoryMessage,
    @Context() context: CallContext,
  ): Promise<object> {
    const { events, ...page } = await this.queries.execute(new GetSessionHistory(context, { ...input }));
    return { ...page, events: events.map(toHistoryMessage) };
  }

  @GrpcMethod('AuditService', 'SessionAt')
  @RequireScope('audit:read')
  async sessionAt(
    @Payload(new Message(SessionAtMessage)) input: SessionAtMessage,
    @Context() context: CallContext,
  ): Promise<object> {
    return toSessionMessage(await this.queries.execute(new GetSessionAt(context, withInstant(input))));
  }

  @GrpcMethod('AuditService', 'UserSessionsAt')
  @RequireScope('audit:read')
  async userSessionsAt(
    @Payload(new Message(UserSessionsAtMessage)) input: UserSessionsAtMessage,
    @Context() context: CallContext,
  ): Promise<object> {
    const query = new ListUserSessionsAt(context, withInstant(input));
    const { sessions, ...page } = await this.queries.execute(query);
    return { ...page, sessions: sessions.map(toSessionMessage) };
  }

  @GrpcMethod('AuditService', 'SecurityFeed')
  @RequireScope('audit:read')
  async securityFeed(
    @Payload(new Message(SecurityFeedMessage)) input: SecurityFeedMessage,
    @Context() context: CallContext,
    @AtLeast() atLeast: AtLeastInput,
  ): Promise<object> {
    const query = new ListSecurityFeed(context, { ...input, ...atLeast });
    const { entries, ...page } = await this.queries.execute(query);
    return { ...page, entries: entries.map(toFeedMessage) };
  }

  @GrpcMethod('AuditService', 'Counters')
  @RequireScope('audit:read')
  async counters(
    @Payload(new Message(CountersMessage)) { fromMs, toMs, ...input }: CountersMessage,
    @Context() context: CallContext,
    @AtLeast() atLeast: AtLeastInput,
  ): Promise<object> {
    const query = new ListCounters(context, { ...input, from: fromMs, to: toMs, ...atLeast });
    const counts = await this.queries.execute(query);
    return { counts: counts.map(({ hour, ...count }) => ({ ...count, hourMs: hour })) };
  }
}

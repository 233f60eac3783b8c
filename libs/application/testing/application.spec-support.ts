import { createHmac } from 'node:crypto';
import type { AccessTokenClaims } from '#contracts';
import { CheckedEventLog, MemoryEventLog } from '#event-log';
import type { CallContext, Caller } from '../caller.js';
import { CommandTimes } from '../command-time.js';
import { ExpireSessions } from '../commands/expire-sessions/expire-sessions.command.js';
import { ExpireSessionsHandler } from '../commands/expire-sessions/expire-sessions.handler.js';
import { RevokeAll, type RevokeAllInput } from '../commands/revoke-all/revoke-all.command.js';
import { RevokeAllHandler } from '../commands/revoke-all/revoke-all.handler.js';
import { CreateSession, type CreateSessionInput } from '../commands/create-session/create-session.command.js';
import { CreateSessionHandler } from '../commands/create-session/create-session.handler.js';
import {
  RefreshSession,
  type RefreshSessionInput,
} from '../commands/refresh-session/refresh-session.command.js';
import { RefreshSessionHandler } from '../commands/refresh-session/refresh-session.handler.js';
import { RevokeSession, type RevokeSessionInput } from '../commands/revoke-session/revoke-session.command.js';
import { RevokeSessionHandler } from '../commands/revoke-session/revoke-session.handler.js';
import { PastSessions } from '../past-sessions.js';
import type { TokenSession } from '../ports/live-revocations.port.js';
import type { SessionViews } from '../ports/session-views.port.js';
import { GetSession } from '../queries/get-session/get-session.query.js';
import { GetSessionHandler } from '../queries/get-session/get-session.handler.js';
import { GetSessionAt } from '../queries/get-session-at/get-session-at.query.js';
import { GetSessionAtHandler } from '../queries/get-session-at/get-session-at.handler.js';
import {
  ListUserSessionsAt,
  type ListUserSessionsAtInput,
} from '../queries/list-user-sessions-at/list-user-sessions-at.query.js';
import { ListUserSessionsAtHandler } from '../queries/list-user-sessions-at/list-user-sessions-at.handler.js';
import { Moments, type MomentInput } from '../moment.js';
import { SessionPresenter } from '../session-presenter.js';
import type { AccessTokenSigner, PersonalDataVault, RefreshTokenKeys } from '../ports/keys.port.js';
import type { ReferenceClock } from '../ports/reference-clock.port.js';
import type { SecurityAlarm, SecurityCount } from '../ports/security-signals.port.js';
import { IntrospectToken } from '../queries/introspect-token/introspect-token.query.js';
import { IntrospectTokenHandler } from '../queries/introspect-token/introspect-token.handler.js';
import { GetSessionHistory } from '../queries/get-session-history/get-session-history.query.js';
import { GetSessionHistoryHandler } from '../queries/get-session-history/get-session-history.handler.js';
import { SessionIssuer } from '../session-issuer.js';
import { SessionRepository } from '../session-repository.js';
import type { SessionSettings } from '../settings.js';

const START = 1_800_000_000_000;

/** A caller with every scope, bound to one tenant. */
export const callerOf = (tenant: string, changes: Partial<Caller> = {}): Caller => ({
  keyId: `key-of-${tenant === '*' ? 'all' : tenant}`,
  scopes: [
    'sessions:issue',
    'sessions:revoke',
    'scopes:revoke',
    'sessions:read',
    'tokens:introspect',
    'audit:read',
    'admin',
  ],
  tenants: [tenant],
  audiences: ['api'],
  ...changes,
});

export const contextOf = (caller: Caller = callerOf('default')): CallContext => ({
  caller,
  correlationId: 'test',
});

/** Tokens are JSON with an HMAC: as good as any for use cases that never look inside. */
const testSigner: AccessTokenSigner = {
  sign: (claims) =>
    `${JSON.stringify(claims)}#${createHmac('sha256', 'k').update(JSON.stringify(claims)).digest('hex')}`,
  verify: (token) => {
    const text = token.slice(0, token.lastIndexOf('#'));
    const good =
      createHmac('sha256', 'k').update(text).digest('hex') === token.slice(token.lastIndexOf('#') + 1);
    return good ? (JSON.parse(text) as AccessTokenClaims) : undefined;
  },
  jwks: () => ({ keys: [] }),
};

const testVault: PersonalDataVault = {
  seal: (tenant, sub, value) =>
    Promise.resolve({
      keyId: Buffer.from(`${tenant}/${sub}`).toString('hex').padEnd(16, '0').slice(0, 64),
      box: Buffer.from(JSON.stringify(value).padStart(31)).toString('base64url'),
    }),
  unseal: (_tenant, _sub, sealed) =>
    Promise.resolve(JSON.parse(Buffer.from(sealed.box, 'base64url').toString())),
};

const testKeys: RefreshTokenKeys = {
  current: { macKeyId: 1, pepperId: 2 },
  macKey: (id) => (id === 1 ? Buffer.alloc(32, 1) : undefined),
  pepper: (id) => (id === 2 ? Buffer.alloc(32, 2) : undefined),
};

/** The use cases on the memory log, with a clock and a stopwatch that stand still until they are moved. */
export class TestApplication {
  /** As events are stored, of any version. */
  readonly stored = new MemoryEventLog();
  readonly log = new CheckedEventLog(this.stored);
  readonly alarms: SecurityAlarm[] = [];
  readonly counts: SecurityCount[] = [];
  readonly denied = new Set<string>();
  now = START;
  /** What every stopwatch shows, ms. */
  commandAge = 0;
  settings: SessionSettings = {
    issuer: 'issuer',
    audience: 'api',
    accessTtl: 300_000,
    maxAccessTtl: 900_000,
    idleTimeout: 14 * 86_400_000,
    absoluteTimeout: 90 * 86_400_000,
    reuseGrace: 10_000,
    allowEmailSub: false,
  };
  /** Of the last barrier. */
  barrierAge = 7.2;
  /** What a barrier does when introspection asks for one. */
  barrier: () => void | Promise<void> = () => undefined;
  private readonly clock: ReferenceClock = { now: () => this.now, barrierAge: () => this.barrierAge };
  private readonly signals = {
    alarm: (kind: SecurityAlarm) => void this.alarms.push(kind),
    count: (kind: SecurityCount) => void this.counts.push(kind),
  };
  readonly sessions = new SessionRepository(this.log);
  private introspection: IntrospectTokenHandler | undefined;
  private readonly presenter = new SessionPresenter(testVault);

  private times(): CommandTimes {
    return new CommandTimes(this.clock, () => () => this.commandAge);
  }
  private issuer(): SessionIssuer {
    return new SessionIssuer(testSigner, testKeys, testVault, this.settings);
  }

  create(input: CreateSessionInput, context = contextOf()) {
    const { log, sessions, settings } = this;
    return new CreateSessionHandler(
      log,
      sessions,
      this.times(),
      this.issuer(),
      testKeys,
      testVault,
      settings,
    ).execute(new CreateSession(context, input));
  }

  refresh(input: RefreshSessionInput, context = contextOf()) {
    const { log, sessions, signals } = this;
    return new RefreshSessionHandler(
      log,
      sessions,
      this.times(),
      this.issuer(),
      testKeys,
      testVault,
      signals,
    ).execute(new RefreshSession(context, input));
  }

  revoke(input: RevokeSessionInput, context = contextOf()) {
    return new RevokeSessionHandler(this.log, this.sessions, this.times(), testVault).execute(
      new RevokeSession(context, input),
    );
  }

  revokeAll(input: RevokeAllInput, context = contextOf()) {
    return new RevokeAllHandler(this.log, this.sessions, this.times()).execute(new RevokeAll(context, input));
  }

  /** One step of the sweeper over these sids. */
  expire(...sids: string[]) {
    const views = {
      listOverdue: () => Promise.resolve({ sids, next: '' }),
    } as unknown as SessionViews;
    return new ExpireSessionsHandler(this.log, views, this.sessions, this.times()).execute(
      new ExpireSessions(''),
    );
  }

  get(sid: string, caller = callerOf('default')) {
    return new GetSessionHandler(this.sessions, this.presenter, this.clock).execute(
      new GetSession(contextOf(caller), { sid }),
    );
  }

  getAt(sid: string, moment: MomentInput, caller = callerOf('default')) {
    return new GetSessionAtHandler(
      new PastSessions(this.log, this.presenter),
      new Moments(this.log, this.clock),
    ).execute(new GetSessionAt(contextOf(caller), { sid, ...moment }));
  }

  listAt(input: ListUserSessionsAtInput, caller = callerOf('default')) {
    return new ListUserSessionsAtHandler(
      new PastSessions(this.log, this.presenter),
      new Moments(this.log, this.clock),
    ).execute(new ListUserSessionsAt(contextOf(caller), input));
  }

  introspect(token: string, caller = callerOf('default')) {
    const revocations = {
      isRevoked: ({ sid }: TokenSession) => this.denied.has(sid),
      freshen: async () => this.barrier(),
    };
    this.introspection ??= new IntrospectTokenHandler(
      testSigner,
      this.sessions,
      revocations,
      this.clock,
      this.settings,
    );
    return this.introspection.execute(new IntrospectToken(contextOf(caller), token));
  }

  history(sid: string, caller = callerOf('default')) {
    return new GetSessionHistoryHandler(this.log, testVault).execute(
      new GetSessionHistory(contextOf(caller), { sid }),
    );
  }

  /** Types of the events in a session's stream. */
  async types(sid: string): Promise<string[]> {
    return (await this.log.readStream(`session-${sid}`)).events.map(({ type }) => type);
  }
}

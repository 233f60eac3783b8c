import { CommandHandler, QueryHandler } from '@nestjs/cqrs';
import type { Type } from '@nestjs/common';
import {
  CreateApiKey,
  CreateSession,
  GetReceipt,
  GetSession,
  GetSessionAt,
  GetSessionHistory,
  IntrospectToken,
  ListApiKeys,
  ListCounters,
  ListProjections,
  ListSecurityFeed,
  ListTenantSessions,
  ListUserSessions,
  ListUserSessionsAt,
  RebuildProjection,
  RefreshSession,
  ResumeProjection,
  RevokeAll,
  RevokeApiKey,
  RevokeSession,
  type ApiKeyRecord,
} from '#application';
import { API_KEY_SCOPES, type ApiKeyScope } from '#contracts';
import { hashApiKeySecret } from '#application';
import type { Parts } from '../app.module.js';
import { Metrics, type MetricSource } from '../metrics/metrics.js';
import { openDoors, type OpenDoors } from '../open-doors.js';

type UseCase = (input: unknown) => unknown;

const COMMANDS = [
  CreateSession,
  RefreshSession,
  RevokeSession,
  RevokeAll,
  CreateApiKey,
  RevokeApiKey,
  RebuildProjection,
  ResumeProjection,
];
const QUERIES = [
  GetReceipt,
  GetSession,
  GetSessionAt,
  GetSessionHistory,
  ListUserSessions,
  ListUserSessionsAt,
  ListTenantSessions,
  ListSecurityFeed,
  ListCounters,
  ListProjections,
  ListApiKeys,
  IntrospectToken,
];
type Message = InstanceType<(typeof COMMANDS)[number] | (typeof QUERIES)[number]>;

/** The doors on use cases that do nothing but note what reached them. */
export interface FakeService extends OpenDoors<void> {
  /** Commands and queries that got past the door. */
  readonly received: Message[];
  /** What the next calls answer; throwing is an answer too. */
  answer: (message: Message) => unknown;
  /** Headers of an API key with the given scopes; all of them unless named. */
  authorization(...scopes: ApiKeyScope[]): { authorization: string };
  revokeKeys(): void;
  barrierAge: number;
  readonly apiKeys: Map<string, ApiKeyRecord>;
}

export const ISSUED = {
  sid: '0123456789abcdef0123456789abcdef',
  refreshToken: 'cfr_refresh',
  refreshExpiresAt: 1_800_000_000,
  accessToken: 'header.payload.signature',
  accessExpiresAt: 1_700_000_300,
  gen: 0,
  position: '1.1',
};

/** A metric that any scrape shows. */
const SCRAPED: MetricSource = {
  name: 'curfew_fake_total',
  help: 'Of the fake service.',
  type: 'counter',
  collect: () => [{ labels: { kind: 'fake' }, value: 3 }],
};

function handlers(service: { received: Message[]; answer: (message: Message) => unknown }): Type[] {
  const execute: UseCase = (message) => {
    service.received.push(message as Message);
    return Promise.resolve().then(() => service.answer(message as Message));
  };
  const handlerOf = (decorate: ClassDecorator, name: string): Type => {
    const handler = { [name]: class {} }[name] as Type;
    (handler.prototype as { execute: UseCase }).execute = execute;
    decorate(handler);
    return handler;
  };
  return [
    ...COMMANDS.map((command) => handlerOf(CommandHandler(command as Type<Message>), `${command.name}Fake`)),
    ...QUERIES.map((query) => handlerOf(QueryHandler(query as Type<never>), `${query.name}Fake`)),
  ];
}

function notUsed<T extends object>(): T {
  return new Proxy({}, { get: (_target, name) => (name === 'then' ? undefined : notUsed) }) as T;
}

/** A desk that answers at once, and a registry that notes nothing. */
const nodeParts = (): Pick<
  Parts,
  'renewalDesk' | 'nodeRegistry' | 'recentRevocations' | 'revocationStream'
> => ({
  renewalDesk: {
    renew: () => Promise.resolve({ barrier: { n: 1n, cursor: 'c', referenceTime: 0 }, renewAfterMs: 500 }),
  },
  nodeRegistry: {
    ...notUsed<Parts['nodeRegistry']>(),
    introduce: () => ({ heard: () => undefined, isAwaited: false }),
  },
  recentRevocations: notUsed(),
  revocationStream: { current: () => Promise.resolve(undefined) },
});

/** Opens both doors on free ports of the loopback address. */
export async function startFakeService(overrides: Partial<Parts> = {}): Promise<FakeService> {
  const service = {
    received: [] as Message[],
    answer: (_message: Message): unknown => ISSUED,
    barrierAge: 12,
    apiKeys: new Map<string, ApiKeyRecord>(),
    revokeKeys() {
      for (const [hash, record] of this.apiKeys) this.apiKeys.set(hash, { ...record, revokedAt: 1 });
    },
    authorization(...scopes: ApiKeyScope[]) {
      const key = `cfk_${scopes
        .join('')
        .replace(/[^a-z]/g, '')
        .padEnd(43, 'K')
        .slice(0, 43)}`;
      this.apiKeys.set(hashApiKeySecret(key).toString('hex'), {
        id: `key-${this.apiKeys.size}`,
        name: 'test',
        scopes: scopes.length > 0 ? scopes : API_KEY_SCOPES,
        tenants: ['default'],
        audiences: ['api'],
        createdAt: 0,
        createdBy: 'test',
      });
      return { authorization: `Bearer ${key}` };
    },
  };
  const doors = await openDoors({
    parts: {
      settings: { maxAccessTtl: 900_000 } as Parts['settings'],
      eventLog: notUsed(),
      sessionViews: notUsed(),
      securityFeed: notUsed(),
      counters: notUsed(),
      projections: notUsed(),
      viewFreshness: { lags: false, shows: () => Promise.resolve(true) },
      apiKeys: {
        ...notUsed<Parts['apiKeys']>(),
        findByHash: (hash) => Promise.resolve(service.apiKeys.get(Buffer.from(hash).toString('hex'))),
      },
      accessTokenSigner: {
        ...notUsed<Parts['accessTokenSigner']>(),
        jwks: () => ({ keys: [{ kty: 'EC' }] }),
      },
      refreshTokenKeys: notUsed(),
      personalDataVault: notUsed(),
      referenceClock: { now: () => 0, barrierAge: () => service.barrierAge },
      liveRevocations: notUsed(),
      securitySignals: notUsed(),
      startStopwatch: () => {
        const from = performance.now();
        return () => performance.now() - from;
      },
      watchHub: notUsed(),
      ...nodeParts(),
      metrics: new Metrics([SCRAPED]),
      ...overrides,
    },
    useCases: handlers(service),
    http: { host: '127.0.0.1', port: 0 },
    grpc: { host: '127.0.0.1', port: 0 },
    logger: false,
    beforeListening: () => Promise.resolve(),
  });
  return Object.assign(service, doors);
}

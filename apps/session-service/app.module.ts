import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { CqrsModule } from '@nestjs/cqrs';
import {
  ACCESS_TOKEN_SIGNER,
  API_KEYS,
  APPLICATION_PROVIDERS,
  COUNTERS,
  EVENT_LOG,
  LIVE_REVOCATIONS,
  NODE_REPORTS,
  PERSONAL_DATA_VAULT,
  PROJECTIONS,
  ReadYourWrites,
  RECENT_REVOCATIONS,
  REFERENCE_CLOCK,
  REFRESH_TOKEN_KEYS,
  REVOCATION_STREAM,
  SECURITY_FEED,
  SECURITY_SIGNALS,
  SESSION_SETTINGS,
  SESSION_VIEWS,
  START_STOPWATCH,
  VIEW_FRESHNESS,
  type AccessTokenSigner,
  type ApiKeys,
  type Counters,
  type EventLog,
  type LiveRevocations,
  type NodeReports,
  type PersonalDataVault,
  type Projections,
  type RecentRevocations,
  type ReferenceClock,
  type RefreshTokenKeys,
  type RevocationStream,
  type SecurityFeed,
  type SecuritySignals,
  type SessionSettings,
  type SessionViews,
  type StartStopwatch,
  type ViewFreshness,
} from '#application';
import { NodeRegistry, RenewalDesk, WatchHub } from '#revocation-bus';
import { ApiKeyGuard } from './auth/api-key.guard.js';
import { Authenticator } from './auth/authenticator.js';
import { CONTROLLERS } from './doors.js';
import { ErrorFilter } from './errors/error.filter.js';
import { OpenApiDocument } from './http/openapi.js';
import { Metrics } from './metrics/metrics.js';
import { Renewals } from './nodes/renewals.js';
import { ReadYourWritesInterceptor } from './read-your-writes.interceptor.js';
import { Readiness } from './readiness.js';

/** What the use cases and the doors stand on: the adapters, already started. */
export interface Parts {
  readonly settings: SessionSettings;
  readonly eventLog: EventLog;
  readonly sessionViews: SessionViews;
  readonly securityFeed: SecurityFeed;
  readonly counters: Counters;
  readonly projections: Projections;
  readonly viewFreshness: ViewFreshness;
  readonly apiKeys: ApiKeys;
  readonly accessTokenSigner: AccessTokenSigner;
  readonly refreshTokenKeys: RefreshTokenKeys;
  readonly personalDataVault: PersonalDataVault;
  readonly referenceClock: ReferenceClock;
  readonly liveRevocations: LiveRevocations;
  readonly securitySignals: SecuritySignals;
  readonly startStopwatch: StartStopwatch;
  readonly watchHub: Pick<WatchHub, 'subscribe'>;
  readonly renewalDesk: Pick<RenewalDesk, 'renew'>;
  readonly revocationStream: RevocationStream;
  readonly nodeRegistry: Pick<NodeRegistry, 'introduce'> & NodeReports;
  readonly recentRevocations: RecentRevocations;
  readonly metrics: Metrics;
}

const ports = (parts: Parts): Provider[] => [
  { provide: SESSION_SETTINGS, useValue: parts.settings },
  { provide: EVENT_LOG, useValue: parts.eventLog },
  { provide: SESSION_VIEWS, useValue: parts.sessionViews },
  { provide: SECURITY_FEED, useValue: parts.securityFeed },
  { provide: COUNTERS, useValue: parts.counters },
  { provide: PROJECTIONS, useValue: parts.projections },
  { provide: VIEW_FRESHNESS, useValue: parts.viewFreshness },
  { provide: Metrics, useValue: parts.metrics },
  { provide: API_KEYS, useValue: parts.apiKeys },
  { provide: ACCESS_TOKEN_SIGNER, useValue: parts.accessTokenSigner },
  { provide: REFRESH_TOKEN_KEYS, useValue: parts.refreshTokenKeys },
  { provide: PERSONAL_DATA_VAULT, useValue: parts.personalDataVault },
  { provide: REFERENCE_CLOCK, useValue: parts.referenceClock },
  { provide: LIVE_REVOCATIONS, useValue: parts.liveRevocations },
  { provide: SECURITY_SIGNALS, useValue: parts.securitySignals },
  { provide: START_STOPWATCH, useValue: parts.startStopwatch },
  { provide: WatchHub, useValue: parts.watchHub },
  { provide: RenewalDesk, useValue: parts.renewalDesk },
  { provide: NodeRegistry, useValue: parts.nodeRegistry },
  { provide: NODE_REPORTS, useValue: parts.nodeRegistry },
  { provide: RECENT_REVOCATIONS, useValue: parts.recentRevocations },
  { provide: REVOCATION_STREAM, useValue: parts.revocationStream },
];

/** Both doors on the use cases. */
@Module({})
export class AppModule {
  /** @param useCases the handlers of commands and queries; tests of the doors put their own */
  static on(parts: Parts, useCases: readonly Provider[] = APPLICATION_PROVIDERS): DynamicModule {
    return {
      module: AppModule,
      imports: [CqrsModule.forRoot()],
      controllers: [...CONTROLLERS],
      providers: [
        ...ports(parts),
        ...useCases,
        {
          provide: Authenticator,
          useFactory: () => new Authenticator(parts.apiKeys, parts.startStopwatch),
        },
        ApiKeyGuard,
        { provide: APP_GUARD, useExisting: ApiKeyGuard },
        { provide: APP_FILTER, useClass: ErrorFilter },
        {
          provide: APP_INTERCEPTOR,
          useFactory: () => new ReadYourWritesInterceptor(new ReadYourWrites(parts.viewFreshness)),
        },
        OpenApiDocument,
        Readiness,
        Renewals,
      ],
    };
  }
}

import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { CqrsModule } from '@nestjs/cqrs';
import {
  ACCESS_TOKEN_SIGNER,
  API_KEYS,
  APPLICATION_PROVIDERS,
  EVENT_LOG,
  LIVE_REVOCATIONS,
  PERSONAL_DATA_VAULT,
  REFERENCE_CLOCK,
  REFRESH_TOKEN_KEYS,
  SECURITY_SIGNALS,
  SESSION_SETTINGS,
  SESSION_VIEWS,
  START_STOPWATCH,
  type AccessTokenSigner,
  type ApiKeys,
  type EventLog,
  type LiveRevocations,
  type PersonalDataVault,
  type ReferenceClock,
  type RefreshTokenKeys,
  type SecuritySignals,
  type SessionSettings,
  type SessionViews,
  type StartStopwatch,
} from '#application';
import { WatchHub } from '#revocation-bus';
import { ApiKeyGuard } from './auth/api-key.guard.js';
import { Authenticator } from './auth/authenticator.js';
import { CONTROLLERS } from './doors.js';
import { ErrorFilter } from './errors/error.filter.js';
import { OpenApiDocument } from './http/openapi.js';
import { Readiness } from './readiness.js';

/** What the use cases and the doors stand on: the adapters, already started. */
export interface Parts {
  readonly settings: SessionSettings;
  readonly eventLog: EventLog;
  readonly sessionViews: SessionViews;
  readonly apiKeys: ApiKeys;
  readonly accessTokenSigner: AccessTokenSigner;
  readonly refreshTokenKeys: RefreshTokenKeys;
  readonly personalDataVault: PersonalDataVault;
  readonly referenceClock: ReferenceClock;
  readonly liveRevocations: LiveRevocations;
  readonly securitySignals: SecuritySignals;
  readonly startStopwatch: StartStopwatch;
  readonly watchHub: Pick<WatchHub, 'subscribe'>;
}

const ports = (parts: Parts): Provider[] => [
  { provide: SESSION_SETTINGS, useValue: parts.settings },
  { provide: EVENT_LOG, useValue: parts.eventLog },
  { provide: SESSION_VIEWS, useValue: parts.sessionViews },
  { provide: API_KEYS, useValue: parts.apiKeys },
  { provide: ACCESS_TOKEN_SIGNER, useValue: parts.accessTokenSigner },
  { provide: REFRESH_TOKEN_KEYS, useValue: parts.refreshTokenKeys },
  { provide: PERSONAL_DATA_VAULT, useValue: parts.personalDataVault },
  { provide: REFERENCE_CLOCK, useValue: parts.referenceClock },
  { provide: LIVE_REVOCATIONS, useValue: parts.liveRevocations },
  { provide: SECURITY_SIGNALS, useValue: parts.securitySignals },
  { provide: START_STOPWATCH, useValue: parts.startStopwatch },
  { provide: WatchHub, useValue: parts.watchHub },
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
        OpenApiDocument,
        Readiness,
      ],
    };
  }
}

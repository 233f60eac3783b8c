import { CommandTimes } from './command-time.js';
import { CreateApiKeyHandler } from './commands/create-api-key/create-api-key.handler.js';
import { CreateSessionHandler } from './commands/create-session/create-session.handler.js';
import { RefreshSessionHandler } from './commands/refresh-session/refresh-session.handler.js';
import { ExpireSessionsHandler } from './commands/expire-sessions/expire-sessions.handler.js';
import { RebuildProjectionHandler } from './commands/rebuild-projection/rebuild-projection.handler.js';
import { ResumeProjectionHandler } from './commands/resume-projection/resume-projection.handler.js';
import { RevokeAllHandler } from './commands/revoke-all/revoke-all.handler.js';
import { RevokeApiKeyHandler } from './commands/revoke-api-key/revoke-api-key.handler.js';
import { RevokeSessionHandler } from './commands/revoke-session/revoke-session.handler.js';
import { GetReceiptHandler } from './queries/get-receipt/get-receipt.handler.js';
import { GetSessionHandler } from './queries/get-session/get-session.handler.js';
import { GetSessionHistoryHandler } from './queries/get-session-history/get-session-history.handler.js';
import { GetSessionAtHandler } from './queries/get-session-at/get-session-at.handler.js';
import { IntrospectTokenHandler } from './queries/introspect-token/introspect-token.handler.js';
import { ListApiKeysHandler } from './queries/list-api-keys/list-api-keys.handler.js';
import { ListCountersHandler } from './queries/list-counters/list-counters.handler.js';
import { ListProjectionsHandler } from './queries/list-projections/list-projections.handler.js';
import { ListSecurityFeedHandler } from './queries/list-security-feed/list-security-feed.handler.js';
import { ListTenantSessionsHandler } from './queries/list-tenant-sessions/list-tenant-sessions.handler.js';
import { ListUserSessionsAtHandler } from './queries/list-user-sessions-at/list-user-sessions-at.handler.js';
import { ListUserSessionsHandler } from './queries/list-user-sessions/list-user-sessions.handler.js';
import { Moments } from './moment.js';
import { PastSessions } from './past-sessions.js';
import { SessionIssuer } from './session-issuer.js';
import { SessionLister } from './session-lister.js';
import { SessionPresenter } from './session-presenter.js';
import { SessionRepository } from './session-repository.js';
import { ReadYourWrites } from './view-freshness.js';

/** Everything a Nest module needs to provide for the use cases, beside the ports. */
export const APPLICATION_PROVIDERS = [
  CommandTimes,
  SessionRepository,
  SessionIssuer,
  SessionPresenter,
  SessionLister,
  PastSessions,
  Moments,
  ReadYourWrites,
  CreateSessionHandler,
  RefreshSessionHandler,
  RevokeSessionHandler,
  RevokeAllHandler,
  ExpireSessionsHandler,
  RebuildProjectionHandler,
  ResumeProjectionHandler,
  CreateApiKeyHandler,
  RevokeApiKeyHandler,
  IntrospectTokenHandler,
  GetReceiptHandler,
  GetSessionHandler,
  GetSessionHistoryHandler,
  ListUserSessionsHandler,
  ListTenantSessionsHandler,
  ListSecurityFeedHandler,
  ListCountersHandler,
  ListProjectionsHandler,
  GetSessionAtHandler,
  ListUserSessionsAtHandler,
  ListApiKeysHandler,
];

import { CommandTimes } from './command-time.js';
import { CreateApiKeyHandler } from './commands/create-api-key/create-api-key.handler.js';
import { CreateSessionHandler } from './commands/create-session/create-session.handler.js';
import { RefreshSessionHandler } from './commands/refresh-session/refresh-session.handler.js';
import { RevokeApiKeyHandler } from './commands/revoke-api-key/revoke-api-key.handler.js';
import { RevokeSessionHandler } from './commands/revoke-session/revoke-session.handler.js';
import { GetSessionHandler } from './queries/get-session/get-session.handler.js';
import { GetSessionHistoryHandler } from './queries/get-session-history/get-session-history.handler.js';
import { IntrospectTokenHandler } from './queries/introspect-token/introspect-token.handler.js';
import { ListApiKeysHandler } from './queries/list-api-keys/list-api-keys.handler.js';
import { ListUserSessionsHandler } from './queries/list-user-sessions/list-user-sessions.handler.js';
import { SessionIssuer } from './session-issuer.js';
import { SessionPresenter } from './session-presenter.js';
import { SessionRepository } from './session-repository.js';

/** Everything a Nest module needs to provide for the use cases, beside the ports. */
export const APPLICATION_PROVIDERS = [
  CommandTimes,
  SessionRepository,
  SessionIssuer,
  SessionPresenter,
  CreateSessionHandler,
  RefreshSessionHandler,
  RevokeSessionHandler,
  CreateApiKeyHandler,
  RevokeApiKeyHandler,
  IntrospectTokenHandler,
  GetSessionHandler,
  GetSessionHistoryHandler,
  ListUserSessionsHandler,
  ListApiKeysHandler,
];

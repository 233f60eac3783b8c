import type { ServiceClient } from './service-client.js';
import type { SessionsClient } from './sessions-client.types.js';

/** All of them: a spec compares. */
const METHODS: readonly (keyof SessionsClient)[] = [
  'create',
  'refresh',
  'get',
  'listByUser',
  'revoke',
  'revokeOfUser',
  'receipt',
  'revokeAll',
];

type Calls = Record<keyof SessionsClient, (...args: never[]) => Promise<unknown>>;

/** The session calls, in a module of their own that is loaded with the first of them: a node that only verifies never has it. */
export function lazySessionsClient(service: ServiceClient): SessionsClient {
  let client: Promise<SessionsClient> | undefined;
  const sessions: Partial<Calls> = {};
  for (const method of METHODS) {
    sessions[method] = async (...args) => {
      client ??= import('./sessions-client.js').then(({ sessionsClient }) => sessionsClient(service));
      return ((await client) as unknown as Calls)[method](...args);
    };
  }
  return sessions as unknown as SessionsClient;
}

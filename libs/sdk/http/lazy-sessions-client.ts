import type { ServiceClient } from './service-client.js';
import type { SessionsClient } from './sessions-client.types.js';

const METHODS = ['create', 'refresh', 'get', 'listByUser', 'revoke', 'revokeOfUser', 'revokeAll'];

/** The session calls, in a module of their own that is loaded with the first of them: a node that only verifies never has it. */
export function lazySessionsClient(service: ServiceClient): SessionsClient {
  let client: Promise<SessionsClient> | undefined;
  const load = (): Promise<SessionsClient> =>
    (client ??= import('./sessions-client.js').then(({ sessionsClient }) => sessionsClient(service)));
  const calls = METHODS.map((name) => [
    name,
    async (...args: unknown[]) => {
      const call = (await load())[name as keyof SessionsClient] as (...args: unknown[]) => Promise<unknown>;
      return call(...args);
    },
  ]);
  return Object.fromEntries(calls) as SessionsClient;
}

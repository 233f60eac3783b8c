import type { ServiceClient } from './service-client.js';
import type { SessionsClient } from './sessions-client.types.js';

const METHODS: readonly (keyof SessionsClient)[] = ['create', 'refresh', 'get', 'listByUser', 'revoke', 'revokeOfUser', 'revokeAll'];

/** The session calls, in a module of their own that is loaded with the first of them: a node that only verifies never has it. */
export function lazySessionsClient(service: ServiceClient): SessionsClient {
  let client: Promise<SessionsClient> | undefined;
  const calls = METHODS.map((method) => [
    method,
    async (...args: never[]): Promise<unknown> => {
      client ??= import('./sessions-client.js').then(({ sessionsClient }) => sessionsClient(service));
      const call: (...args: never[]) => Promise<unknown> = (await client)[method];
      return call(...args);
    },
  ]);
  return Object.fromEntries(calls) as SessionsClient;
}

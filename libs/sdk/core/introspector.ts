import type { AccessTokenClaims } from '#contracts';
import type { ServiceAnswer } from '../http/service-client.js';
import { checkClaims, type ExpectedClaims } from './access-token.js';
import type { Clocks } from './clocks.js';
import { CurfewSdkError, stale } from './error.js';
import { Lease } from './lease.js';

/** Calls at once: stale nodes must not take down the service that would make them fresh. */
const MAX_CALLS = 64;
const MAX_ANSWERS = 10_000;

/** What the service said about one token. `claims` is undefined if it is not alive, or not meant for here. */
interface TokenAnswer {
  readonly claims: AccessTokenClaims | undefined;
  /** How long the answer counts: the lease of this one token. */
  readonly lease: Lease;
}

type Entry = TokenAnswer | Promise<TokenAnswer>;

export interface IntrospectorOptions {
  readonly call: (token: string) => Promise<ServiceAnswer>;
  readonly expected: ExpectedClaims;
  readonly clocks: Clocks;
  readonly bound: number;
  readonly onFailure: (failure: unknown) => void;
}

/**
 * Undefined if the token is not plausible: that costs no call. Whether the answer still counts is for the caller to check,
 * last.
 * @throws CurfewSdkError ERR_STALE when there is no answer or too many calls are under way.
 */
export type Introspect = (
  token: string,
  digest: string,
  isPlausible: () => boolean,
) => Promise<TokenAnswer | undefined>;

/** Asks the service about a token when the node has no lease. One call at a time for each token; its answer is reused. */
export function introspector(options: IntrospectorOptions): Introspect {
  const { call, expected, clocks, bound, onFailure } = options;
  const entries = new Map<string, Entry>();
  let running = 0;

  const ask = async (token: string, digest: string): Promise<TokenAnswer> => {
    const lease = new Lease(clocks, bound);
    const asked = lease.reading();
    running += 1;
    try {
      const { body, headers } = await call(token);
      const said = (body ?? {}) as Record<string, unknown>;
      const age = Number(headers.get('curfew-barrier-age') ?? NaN);
      if (typeof said['active'] !== 'boolean' || !(age >= 0)) throw new Error('not an introspection');
      lease.extend(asked, age);
      const answer = { claims: said['active'] ? checkClaims(said, expected) : undefined, lease };
      keep(digest, answer);
      return answer;
    } catch (error) {
      entries.delete(digest);
      onFailure(error);
      const after = error instanceof CurfewSdkError ? error.retryAfter : undefined;
      throw stale('introspection failed', error, after);
    } finally {
      running -= 1;
    }
  };

  const keep = (digest: string, answer: TokenAnswer): void => {
    // Moved to the end: the map is in order of arrival, the oldest go first.
    entries.delete(digest);
    entries.set(digest, answer);
    for (const [key, old] of entries) {
      if (old instanceof Promise) continue;
      if (old.lease.remaining() > 0 && entries.size <= MAX_ANSWERS) break;
      entries.delete(key);
    }
  };

  return async (token, digest, isPlausible) => {
    const known = entries.get(digest);
    if (known instanceof Promise || (known !== undefined && known.lease.remaining() > 0)) return known;
    if (!isPlausible()) return undefined;
    if (running >= MAX_CALLS) throw stale('too many introspections');
    const answer = ask(token, digest);
    entries.set(digest, answer);
    return answer;
  };
}

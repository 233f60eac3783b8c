import type { AccessTokenClaims } from '#contracts';
import type { ServiceAnswer } from '../http/service-client.js';
import { checkClaims, type ExpectedClaims } from './access-token.js';
import type { Clocks } from './clocks.js';
import { stale, type CurfewSdkError } from './error.js';
import { Lease } from './lease.js';

/** Calls at once: stale nodes must not take down the service that would make them fresh. */
const MAX_CALLS = 64;
/** After a failure none begins for half of this to all of it. */
const PAUSE_MS = 200;
const MAX_ANSWERS = 10_000;

/** What the service said about one token. `claims` is undefined if it is not alive, or not meant for here. */
interface TokenAnswer {
  readonly claims: AccessTokenClaims | undefined;
  /** How long the answer counts: the lease of this one token. */
  readonly lease: Lease;
}

type Entry = TokenAnswer | Promise<TokenAnswer>;

export interface IntrospectorOptions extends ExpectedClaims {
  /** B in milliseconds. */
  readonly bound: number;
}

export interface IntrospectorSurroundings {
  readonly call: (token: string) => Promise<ServiceAnswer>;
  readonly clocks: Clocks;
  readonly onFailure: (failure: unknown) => void;
}

/**
 * Undefined if the token is not plausible: that costs no call. Whether the answer still counts is for the caller to check,
 * last. An answer with at most `unused` milliseconds left is asked for anew.
 * @throws CurfewSdkError ERR_STALE when there is no answer or too many calls are under way.
 */
export type Introspect = (
  token: string,
  digest: string,
  unused: number,
  isPlausible: () => boolean,
) => Promise<TokenAnswer | undefined>;

/**
 * Asks the service about a token when the node has no lease. One call at a time for each token; its answer is reused. Each failure
 * halves the calls that may be under way at once, and each answer allows one more again.
 */
export function introspector(
  options: IntrospectorOptions,
  { call, clocks, onFailure }: IntrospectorSurroundings,
): Introspect {
  const entries = new Map<string, Entry>();
  let running = 0;
  let limit = MAX_CALLS;
  let resumeAt = -Infinity;

  const ask = async (token: string, digest: string): Promise<TokenAnswer> => {
    const lease = new Lease(clocks, options.bound);
    const asked = lease.reading();
    running += 1;
    try {
      const { body, headers } = await call(token);
      const said = body as Record<string, unknown>;
      const age = Number(headers.get('curfew-barrier-age') ?? NaN);
      if (typeof said['active'] !== 'boolean' || !(age >= 0)) throw new Error('no introspection');
      lease.extend(asked, age);
      const answer = { claims: said['active'] ? checkClaims(said, options) : undefined, lease };
      keep(digest, answer);
      limit = Math.min(limit + 1, MAX_CALLS);
      return answer;
    } catch (error) {
      entries.delete(digest);
      limit = Math.max(limit / 2, 1);
      resumeAt = clocks.monotonic() + PAUSE_MS * (0.5 + Math.random() / 2);
      onFailure(error);
      throw stale('introspection failed', error, (error as Partial<CurfewSdkError>).retryAfter);
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

  return async (token, digest, unused, isPlausible) => {
    let known = entries.get(digest);
    if (known instanceof Promise) {
      await known;
      // May be too old for this caller; and another one, asked for since, is not.
      known = entries.get(digest);
    }
    if (known instanceof Promise || (known && known.lease.remaining() > unused)) return known;
    if (!isPlausible()) return undefined;
    if (running >= limit || clocks.monotonic() < resumeAt) throw stale('too many calls');
    const answer = ask(token, digest);
    entries.set(digest, answer);
    return answer;
  };
}

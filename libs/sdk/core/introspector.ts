import type { AccessTokenClaims } from '#contracts';
import type { ServiceAnswer } from '../http/service-client.js';
import { malformed } from '../watch/protobuf.js';
import { checkClaims, type ExpectedClaims } from './access-token.js';
import type { Clocks } from './clocks.js';
import type { Diagnostics } from './diagnostics.js';
import { stale, type CurfewSdkError } from './error.js';
import { Lease } from './lease.js';

/** Calls at once: stale nodes must not take down the service that would make them fresh. */
const MAX_CALLS = 64;
/** Few: each opens a connection, and so do those of all other nodes. */
const FIRST_CALLS = 8;
/** No call begins for up to so long after one failed; twice as long each time that this did not help. */
const MIN_PAUSE_MS = 200;
const MAX_PAUSE_MS = 3000;
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
  readonly diagnostics: Diagnostics;
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
 * Asks the service about a token when the node has no lease. One call at a time for each token; its answer is reused. How many
 * may be under way goes by how the service does: a failure, or an answer that took a quarter of B, halves it and makes a
 * pause; answers in time let it grow again. So a fleet that has lost its leases takes what the service can give, and no more.
 */
export function introspector(
  options: IntrospectorOptions,
  { call, clocks, diagnostics }: IntrospectorSurroundings,
): Introspect {
  const entries = new Map<string, Entry>();
  let running = 0;
  let limit = FIRST_CALLS;
  let pause = MIN_PAUSE_MS;
  let resumeAt = -Infinity;

  const pace = (good: boolean): void => {
    const now = clocks.monotonic();
    if (good) {
      limit = Math.min(limit + 1 / limit, MAX_CALLS);
      pause = MIN_PAUSE_MS;
    } else if (now >= resumeAt) {
      // Once for all that fail together.
      limit = Math.max(limit / 2, 1);
      resumeAt = now + pause * Math.random();
      pause = Math.min(pause * 2, MAX_PAUSE_MS);
    }
  };

  const ask = async (token: string, digest: string): Promise<TokenAnswer> => {
    const lease = new Lease(clocks, options.bound);
    const asked = lease.reading();
    running += 1;
    try {
      const { body, headers } = await call(token);
      const said = body as Record<string, unknown>;
      const age = Number(headers.get('curfew-barrier-age') ?? NaN);
      if (typeof said['active'] !== 'boolean' || !(age >= 0)) throw malformed();
      lease.extend(asked, age);
      const answer = { claims: said['active'] ? checkClaims(said, options) : undefined, lease };
      keep(digest, answer);
      pace(clocks.monotonic() - asked.monotonic < options.bound / 4);
      return answer;
    } catch (error) {
      entries.delete(digest);
      pace(false);
      diagnostics.failed('introspection-failed', error);
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
    // The cheaper check first: this is where a node sheds load.
    if (running >= limit || clocks.monotonic() < resumeAt) throw stale('too many calls');
    if (!isPlausible()) return undefined;
    const answer = ask(token, digest);
    entries.set(digest, answer);
    return answer;
  };
}

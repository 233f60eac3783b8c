import { createPublicKey, verify, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { ParsedToken } from './access-token.js';
import type { Clocks } from './clocks.js';

const REFRESH_MS = 300_000;
const COOL_DOWN_MS = 5000;
const FIRST_RETRY_MS = 100;

interface VerifyKey {
  readonly key: KeyObject;
  readonly dsaEncoding: 'ieee-p1363';
}

/**
 * The ES256 keys of a JWK Set by id. What says another algorithm or use, or none, is no key: one key, one algorithm.
 * @throws TypeError if it is no JWK Set.
 */
function keysOf(jwks: unknown): Map<string, VerifyKey> {
  const keys = new Map<string, VerifyKey>();
  for (const jwk of (jwks as { keys: (JsonWebKey | null)[] }).keys) {
    const { kid, alg, use = 'sig' } = jwk ?? {};
    if (typeof kid !== 'string' || keys.has(kid) || alg !== 'ES256' || use !== 'sig') continue;
    try {
      const key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
      if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1')
        keys.set(kid, { key, dsaEncoding: 'ieee-p1363' });
    } catch {
      // Not a point of the curve: no key. The others count.
    }
  }
  return keys;
}

/** The service's public keys: fetched at the start, every five minutes, and for an unknown id at most once in 5 s. */
export interface KeySet {
  /** Whether there are any yet. */
  loaded(): boolean;
  has(kid: string): boolean;
  /** Whether the signature is right, by the algorithm of the key. Synchronous, one signature check. */
  verifies(token: ParsedToken): boolean;
  /**
   * Fetches the keys because an id is unknown, or waits for the fetch under way. At once, without a call, within 5 s of the
   * last one. False if the last fetch failed: then nobody knows whether the id is unknown.
   */
  refresh(): Promise<boolean>;
  /** Fetches the keys; false if that failed. Never throws. Keeps the keys at hand if it fails. */
  load(): Promise<boolean>;
  close(): void;
}

/** @param onChange told after each fetch, with what went wrong if it failed. */
export function keySet(
  fetchJwks: () => Promise<{ readonly body: unknown }>,
  clocks: Clocks,
  onChange: (failure?: unknown) => void,
): KeySet {
  let keys = new Map<string, VerifyKey>();
  let flight: Promise<boolean> | undefined;
  let fetchedAt = -Infinity;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const fetchOnce = async (): Promise<boolean> => {
    clearTimeout(timer);
    fetchedAt = clocks.monotonic();
    let failure: unknown;
    try {
      const fetched = keysOf((await fetchJwks()).body);
      if (!fetched.size) throw new Error('no ES256 key');
      keys = fetched;
      failures = 0;
    } catch (error) {
      failures += 1;
      failure = error;
    }
    flight = undefined;
    if (closed) return false;
    const again = failures ? Math.min(FIRST_RETRY_MS * 2 ** failures, COOL_DOWN_MS) : REFRESH_MS;
    timer = setTimeout(() => void load(), again * (0.8 + Math.random() * 0.4)).unref();
    onChange(failure);
    return !failures;
  };
  const load = (): Promise<boolean> => (flight ??= fetchOnce());

  return {
    load,
    loaded: () => keys.size > 0,
    has: (kid) => keys.has(kid),
    verifies: ({ kid, alg, signed, signature }) => {
      const key = keys.get(kid);
      // A signature of another length is none: `verify` says so.
      return !!key && alg === 'ES256' && verify('sha256', signed, key, signature);
    },
    refresh: async () => {
      const recent = clocks.monotonic() - fetchedAt < COOL_DOWN_MS;
      return !flight && recent ? !failures : load();
    },
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}

import type { ApiKeys, Caller, StartStopwatch, Stopwatch } from '#application';
import { CurfewError } from '#contracts';
import { hashApiKeySecret, isApiKeySecret } from '#application';

/** A revoked key is refused after this long at most, which is within every B that the SDK accepts. */
const CACHED_MS = 1_000;
/** Long enough to take the edge off a flood with one wrong key; a new key works at once elsewhere. */
const UNKNOWN_CACHED_MS = 250;
const MAX_CACHED = 10_000;
const MAX_UNKNOWN_CACHED = 1_000;

const BEARER = /^bearer +(\S+)$/i;

interface Found {
  readonly caller: Promise<Caller | undefined>;
  readonly age: Stopwatch;
}

/**
 * Finds the caller behind an `Authorization` header. Cost: a map look-up, and once a second for each key a query on the
 * primary; concurrent calls share it.
 */
export class Authenticator {
  private readonly known = new Map<string, Found>();
  private readonly unknown = new Map<string, Stopwatch>();

  constructor(
    private readonly apiKeys: Pick<ApiKeys, 'findByHash'>,
    private readonly startStopwatch: StartStopwatch,
  ) {}

  /** @throws CurfewError ERR_UNAUTHENTICATED (missing, malformed, unknown, revoked), ERR_UNAVAILABLE. */
  async authenticate(authorization: string | undefined): Promise<Caller> {
    const key = BEARER.exec(authorization ?? '')?.[1];
    if (key === undefined || !isApiKeySecret(key)) throw new CurfewError('ERR_UNAUTHENTICATED');
    const hash = hashApiKeySecret(key);
    const caller = await this.find(hash.toString('base64url'), hash);
    if (!caller) throw new CurfewError('ERR_UNAUTHENTICATED');
    return caller;
  }

  private async find(id: string, hash: Uint8Array): Promise<Caller | undefined> {
    if ((this.unknown.get(id)?.() ?? Infinity) <= UNKNOWN_CACHED_MS) return undefined;
    const cached = this.known.get(id);
    if (cached && cached.age() <= CACHED_MS) return cached.caller;
    // The age counts from before the query: what it reads may be that old.
    const found: Found = { age: this.startStopwatch(), caller: this.load(hash) };
    remember(this.known, id, found, MAX_CACHED);
    let keep = false;
    try {
      const caller = await found.caller;
      keep = caller !== undefined;
      if (!keep) remember(this.unknown, id, found.age, MAX_UNKNOWN_CACHED);
      return caller;
    } finally {
      if (!keep && this.known.get(id) === found) this.known.delete(id);
    }
  }

  private async load(hash: Uint8Array): Promise<Caller | undefined> {
    const record = await this.apiKeys.findByHash(hash);
    if (!record || record.revokedAt !== undefined) return undefined;
    const { id, scopes, tenants, audiences } = record;
    return { keyId: id, scopes, tenants, audiences };
  }
}

/** Maps keep the order of insertion, so the first key is the oldest. */
function remember<T>(cache: Map<string, T>, id: string, value: T, max: number): void {
  cache.delete(id);
  cache.set(id, value);
  if (cache.size > max) cache.delete(cache.keys().next().value!);
}

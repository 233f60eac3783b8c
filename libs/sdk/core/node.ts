import { hash } from 'node:crypto';
import type { AccessTokenClaims, ErrorCode } from '#contracts';
import { serviceClient, type ServiceClient } from '../http/service-client.js';
import { lazySessionsClient } from '../http/lazy-sessions-client.js';
import type { SessionsClient } from '../http/sessions-client.types.js';
import type { DialGrpc, StreamEnd } from '../watch/grpc-call.js';
import type { Revocation } from '../watch/protobuf.js';
import { checkClaims, isTimely, parseToken } from './access-token.js';
import type { Clocks } from './clocks.js';
import type { Curfew, CurfewStats, Session, VerifyOptions } from './curfew.types.js';
import { DenyList } from './deny-list.js';
import { diagnostics, type Diagnostics } from './diagnostics.js';
import { CurfewSdkError, refused, stale } from './error.js';
import { introspector, type Introspect } from './introspector.js';
import { keySet, type KeySet } from './key-set.js';
import { Lease } from './lease.js';
import { count, MIN_BOUND_MS, type CheckedOptions } from './options.js';
import { ReferenceTime } from './reference-time.js';
import type { RunningSource, SourceName, SourceRenewal } from './revocation-source.js';
import { AcceptedSession } from './session.js';
import { TokenCache } from './token-cache.js';

const MAX_TOKEN_LENGTH = 8192;
const CLOSED = 'closed';
const READY_TIMEOUT_MS = 10_000;
const MAX_INTROSPECTION_MS = 2000;
/** Public: without the API key. */
const JWKS_REQUEST = { path: '/.well-known/jwks.json', headers: {} };
/** What the gRPC statuses UNAUTHENTICATED and PERMISSION_DENIED say of the API key. */
const KEY_REFUSED: Readonly<Record<number, readonly [ErrorCode, number]>> = {
  16: ['ERR_UNAUTHENTICATED', 401],
  7: ['ERR_FORBIDDEN', 403],
};

export interface Outside {
  readonly clocks: Clocks;
  readonly fetch: typeof fetch;
  readonly dial: DialGrpc;
}

const sessionOf = (token: string, claims: AccessTokenClaims): AcceptedSession =>
  new AcceptedSession(token, claims.sid, claims.sub, claims.tenant, claims.client_id, claims.gen, claims.exp);

/** `verify` by DESIGN §6, and what feeds it: the lease and the revocations from Watch, the keys, introspection. */
export class CurfewNode implements Curfew {
  readonly sessions: SessionsClient;
  readonly #options: CheckedOptions;
  readonly #service: ServiceClient;
  readonly #lease: Lease;
  readonly #time: ReferenceTime;
  readonly #keys: KeySet;
  readonly #cache: TokenCache;
  readonly #denied: DenyList;
  readonly #introspect: Introspect;
  readonly #source: RunningSource;
  readonly #diagnostics: Diagnostics;
  readonly #waiting = new Set<(error?: CurfewSdkError) => void>();
  readonly #counts = {
    hits: 0,
    misses: 0,
    refused: 0,
    dropped: 0,
    stale: 0,
    staleAccepted: 0,
    staleRefused: 0,
    staleUnavailable: 0,
    introspections: 0,
    connections: 0,
  };
  #renewal: Partial<SourceRenewal> = {};
  #maxAccessTtl = 0;
  #closed = false;

  constructor(options: CheckedOptions, outside: Outside) {
    const { clocks, dial, fetch } = outside;
    this.#options = options;
    this.#service = serviceClient(options.service, options.apiKey, fetch);
    this.sessions = lazySessionsClient(this.#service);
    this.#diagnostics = diagnostics(clocks, options.onDiagnostic);
    this.#lease = new Lease(clocks, options.bound);
    this.#time = new ReferenceTime(clocks);
    this.#cache = new TokenCache(options.maxSessions);
    this.#denied = new DenyList(options.maxRevocations, options.tenant);
    this.#keys = keySet(
      () => this.#service.call(JWKS_REQUEST),
      clocks,
      (failure) => {
        if (failure) this.#diagnostics.failed('jwks-failed', failure);
        else this.#settle();
      },
    );
    this.#introspect = introspector(options, {
      clocks,
      call: (token) => {
        this.#counts.introspections += 1;
        return this.#service.call({
          method: 'POST',
          path: '/v1/introspect',
          body: new URLSearchParams({ token }),
          timeoutMs: Math.min(options.bound, MAX_INTROSPECTION_MS),
        });
      },
      diagnostics: this.#diagnostics,
    });
    this.#source = options.open(options, {
      clocks,
      lease: this.#lease,
      dial: (...address) => {
        this.#counts.connections += 1;
        return dial(...address);
      },
      onRevocation: (revocation) => this.#revoked(revocation),
      onRenewed: (renewal) => this.#renewed(renewal),
      onFailure: (...failure) => this.#disconnected(...failure),
    });
    this.#source.connect();
    void this.#keys.load();
  }

  ready({ timeoutMs = READY_TIMEOUT_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: CurfewSdkError): void => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        if (!error) resolve();
        else reject(error);
      };
      // Not unref'd: nothing else keeps a process alive that waits for its first lease.
      const timer = setTimeout(() => settle(stale(this.#diagnostics.lastFailure())), timeoutMs);
      this.#waiting.add(settle);
      if (this.#closed) this.#wake(stale(CLOSED));
      else this.#settle();
    });
  }

  verify(token: string, options?: VerifyOptions): Promise<Session> {
    return options ? this.#verifyWithin(token, options) : this.#verify(token, 0);
  }

  async #verifyWithin(token: string, options: VerifyOptions): Promise<Session> {
    const { bound } = this.#options;
    return this.#verify(token, bound - count(options, 'maxStaleness', [MIN_BOUND_MS, bound], bound));
  }

  /** @param unused milliseconds of the lease that may not be used: what `maxStaleness` is below the bound. */
  #verify(token: string, unused: number): Promise<Session> {
    if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH) return Promise.reject(this.#refused());
    const digest = hash('sha256', token, 'binary');
    const table = this.#cache.tableOf(digest);
    const slot = table.find(digest);
    if (slot >= 0) {
      const session = table.session(slot, token);
      const now = this.#lease.reading();
      const { version } = this.#denied;
      // A mass revocation came since: looked at here, so that it costs the same however many are cached (G5).
      if (!table.isChecked(slot, version) && this.#denied.has(session)) {
        table.remove(slot);
        this.#counts.dropped += 1;
      } else {
        table.setChecked(slot, version);
        const alive = session.expiresAt * 1000 > this.#time.now(now.monotonic) && this.#trusts();
        if (alive && this.#lease.remaining(now) > unused) {
          this.#counts.hits += 1;
          return Promise.resolve(session);
        }
      }
    }
    return this.#decide(token, digest, unused, false);
  }

  lease(): { readonly fresh: boolean; readonly remainingMs: number } {
    const remainingMs = this.#trusts() ? Math.max(this.#lease.remaining(), 0) : 0;
    return { fresh: remainingMs > 0, remainingMs };
  }

  stats(): CurfewStats {
    return {
      cached: this.#cache.size,
      denied: this.#denied.size,
      leaseAgeMs: this.#options.bound - this.#lease.remaining(),
      source: this.#renewal.via,
      applied: this.#renewal.cursor,
      ...this.#counts,
    };
  }

  close(): Promise<void> {
    this.#closed = true;
    const closed = this.#source.close();
    this.#keys.close();
    this.#service.close();
    this.#wake(stale(CLOSED));
    return Promise.resolve(closed);
  }

  #refused(): CurfewSdkError {
    this.#counts.refused += 1;
    return refused();
  }

  /** Whether memory may decide, but for the lease, which is to be looked at last. */
  #trusts(): boolean {
    return !this.#closed && this.#keys.loaded() && this.#denied.trusted;
  }

  #fresh(unused = 0): boolean {
    return this.#trusts() && this.#lease.remaining() > unused;
  }

  /** What is not a hit. After each await everything is checked again. */
  async #decide(token: string, digest: string, unused: number, fetched: boolean): Promise<Session> {
    if (!this.#fresh(unused)) return this.#ask(token, digest, unused);
    const parsed = parseToken(token);
    const claims = parsed && checkClaims(parsed.payload, this.#options);
    const now = this.#time.now();
    if (!parsed || !claims || !isTimely(claims, now, this.#maxAccessTtl)) throw this.#refused();
    if (!this.#keys.has(parsed.kid)) {
      if (fetched) throw this.#refused();
      if (!(await this.#keys.refresh())) throw stale('no keys');
      return this.#decide(token, digest, unused, true);
    }
    const session = sessionOf(token, claims);
    if (this.#denied.has(session) || !this.#keys.verifies(parsed)) throw this.#refused();
    this.#cache.insert(digest, session, now / 1000, this.#denied.version);
    if (!this.#fresh(unused)) return this.#ask(token, digest, unused);
    this.#counts.misses += 1;
    return session;
  }

  /** The stale way: the service decides about this one token, and its answer is a lease for it alone. */
  async #ask(token: string, digest: string, unused: number): Promise<Session> {
    const counts = this.#counts;
    counts.stale += 1;
    // A lease that is only too old for this one call is nobody's concern.
    if (!this.#fresh()) this.#diagnostics.fresh(false);
    let outcome: 'staleAccepted' | 'staleRefused' | 'staleUnavailable' = 'staleUnavailable';
    try {
      if (this.#closed) throw stale(CLOSED);
      if (!this.#options.introspect) throw stale('onStale');
      const answer = await this.#introspect(token, digest, unused, () => this.#isPlausible(token));
      const session = answer?.claims && sessionOf(token, answer.claims);
      if (!session || session.expiresAt * 1000 <= this.#time.now() || this.#denied.has(session)) {
        outcome = 'staleRefused';
        throw this.#refused();
      }
      if (this.#closed || answer.lease.remaining() <= unused) throw stale('too old');
      outcome = 'staleAccepted';
      return session;
    } finally {
      counts[outcome] += 1;
    }
  }

  /** Spares the service what is no token of ours whatever its state. */
  #isPlausible(token: string): boolean {
    const parsed = parseToken(token);
    const ours = parsed && checkClaims(parsed.payload, this.#options);
    return !!ours && (!this.#keys.has(parsed.kid) || this.#keys.verifies(parsed));
  }

  #revoked(revocation: Revocation): void {
    const { scope, tenant, sid } = revocation;
    if (!this.#denied.add(revocation)) this.#diagnostics.failed('unknown-scope', `scope ${scope}`);
    if (scope === 'session') this.#counts.dropped += this.#cache.dropSession(tenant, sid);
  }

  #renewed(renewal: SourceRenewal): void {
    const { reading, referenceTimeMs, maxAccessTtlMs } = renewal;
    this.#renewal = renewal;
    this.#time.set(referenceTimeMs);
    // Only what is known to be young tells how long revocations are kept: another source may have brought later ones.
    if (reading && this.#lease.extend(reading, renewal.ageMs)) {
      this.#maxAccessTtl = maxAccessTtlMs;
      this.#denied.renewed(referenceTimeMs, maxAccessTtlMs);
      this.#diagnostics.trusted(this.#denied.trusted);
    }
    this.#settle();
  }

  /** A lease or the keys arrived. */
  #settle(): void {
    if (!this.#fresh()) return;
    this.#diagnostics.fresh(true);
    this.#wake();
  }

  #wake(error?: CurfewSdkError): void {
    for (const settle of this.#waiting) settle(error);
  }

  #disconnected(via: SourceName, where: string, { status, message }: StreamEnd): void {
    this.#diagnostics.failed(`${via}-failed`, `${where}: ${message}`);
    const refusal = KEY_REFUSED[status ?? 0];
    if (refusal) this.#wake(new CurfewSdkError(...refusal, message));
  }
}

import type { Revocation } from '../watch/protobuf.js';
import type { Session } from './curfew.types.js';

/** Added to `maxAccessTtl`: covers how far a node's reference time may be behind (DESIGN §6). */
const MARGIN_MS = 60_000;
/** In the order of the claim `ep`, and the session itself last. */
const SCOPES = ['user', 'client', 'tenant', 'global', 'session'];
const SESSION = 4;

/** What arrived between two renewals; `at` is the reference time of the later one. */
interface Batch {
  at: number;
}

/** What is revoked: all that has seen less than `epoch`, and is not excepted. */
interface Entry {
  readonly batch: Batch;
  readonly epoch: number;
  readonly excepted: ReadonlyMap<string, number>;
}

/** The end of a session that arrives now: nothing that it has seen spares it. One object for all of a batch. */
const endOfSession = (): Entry => ({ batch: { at: Infinity }, epoch: Infinity, excepted: new Map() });

/** The epoch that a session must have seen to survive. */
const needed = ({ epoch, excepted }: Pick<Entry, 'epoch' | 'excepted'>, sid: string): number =>
  Math.min(epoch, excepted.get(sid) ?? Infinity);

type ScopeIds = Pick<Session, 'tenant' | 'sub' | 'clientId' | 'sid'>;

/** One key for each of `SCOPES`. Injective: ids are other ones in another tenant. */
function keysOf({ tenant, sub, clientId, sid }: ScopeIds): readonly string[] {
  const inTenant = `${tenant.length}:${tenant}`;
  return [`u${inTenant}${sub}`, `c${inTenant}${clientId}`, `t${inTenant}`, 'g', `s${inTenant}${sid}`];
}

/**
 * What was revoked while tokens of it may live: sessions, and scopes with their epoch (DESIGN §5). An entry leaves
 * `maxAccessTtl` and a margin after the first renewal behind it, in reference time. None is evicted: what finds no room makes
 * the list untrusted until it, too, would have left.
 */
export class DenyList {
  readonly #max: number;
  readonly #tenant: string;
  /** In order of arrival. */
  readonly #entries = new Map<string, Entry>();
  #ended = endOfSession();
  #lost: Batch | undefined;
  #keepMs = MARGIN_MS;
  /** Raised by each mass revocation: what was accepted under another one is to be checked again. */
  version = 0;

  /** @param tenant whose revocations are remembered: of others no token is accepted anyway. `'*'` for all. */
  constructor(max: number, tenant: string) {
    this.#max = max;
    this.#tenant = tenant;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** False while a revocation is missing here: no decision may rest on the list then. */
  get trusted(): boolean {
    return !this.#lost;
  }

  /** Whether the session was ended. Its claims are read only if a scope of it was revoked lately. */
  has(session: Session): boolean {
    return keysOf(session).some((key, scope) => {
      const entry = this.#entries.get(key);
      return entry && (session.claims.ep?.[scope] ?? 0) < needed(entry, session.sid);
    });
  }

  /**
   * Applies a revocation; of one scope that of the highest epoch counts, whatever their order. A deposed primary may have shown
   * an epoch, or the end of a session, that the log then gave out again (ADR 11): so of two only whom both spare is spared, and
   * the later one says how long they are kept. The same work for one session and for a million.
   * @returns false if it is none that is understood here: the list is not trusted then.
   */
  add(revocation: Revocation): boolean {
    const { batch } = this.#ended;
    const scope = SCOPES.indexOf(revocation.scope);
    const key = keysOf(revocation)[scope];
    if (!key || (scope !== SESSION && !revocation.epoch)) {
      this.#lost = batch;
      return false;
    }
    if (![revocation.tenant, '*'].includes(this.#tenant) && revocation.scope !== 'global') return true;
    let entry = this.#ended;
    if (scope !== SESSION) {
      const { epoch } = revocation;
      const known = this.#entries.get(key) ?? revocation;
      if (epoch < known.epoch) return true;
      const excepted = new Map(revocation.excepted);
      for (const [sid, from] of excepted) excepted.set(sid, Math.max(from, needed(known, sid)));
      entry = { batch, epoch, excepted };
      this.version += 1;
    }
    // To the end of the map, since it stays for as long as what arrives now.
    this.#entries.delete(key);
    if (this.size >= this.#max) this.#lost = batch;
    else this.#entries.set(key, entry);
    return true;
  }

  /** A renewal was answered behind everything that was added so far. */
  renewed(referenceMs: number, maxAccessTtlMs: number): void {
    this.#ended.batch.at = referenceMs;
    this.#ended = endOfSession();
    // The longest ever heard of: tokens from before a change live by the old one.
    this.#keepMs = Math.max(this.#keepMs, maxAccessTtlMs + MARGIN_MS);
    const left = (batch: Batch): boolean => batch.at + this.#keepMs <= referenceMs;
    for (const [key, { batch }] of this.#entries) {
      if (!left(batch)) break;
      this.#entries.delete(key);
    }
    if (this.#lost && left(this.#lost) && this.size < this.#max) this.#lost = undefined;
  }
}

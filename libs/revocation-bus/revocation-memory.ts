import { revocationIdOf, type TokenSession } from '#application';
import type { RevocationMessage } from '#contracts';
import { ScopeEpochs } from './scope-epochs.js';
import type { RevocationWatchMessage } from './watch-message.js';

/** When a revocation came to be, and came here. */
export interface RecordedTimes {
  /** Reference time, milliseconds. */
  readonly at: number;
  /** This process's monotonic clock, milliseconds: it was committed before. */
  readonly readAt: number;
}

interface RememberedRevocation {
  readonly message: RevocationWatchMessage;
  /** For `RevocationLog.shows`. */
  readonly mark: string;
  readonly key: string;
  /** Absent: the source does not tell. */
  readonly recorded: RecordedTimes | undefined;
  /** Reference time, ms, at which it was visible here at the latest; undefined until a barrier has told. */
  visibleBy: number | undefined;
}

/** Injective: the length says where the tenant ends. */
const sessionKey = (tenant: string, sid: string): string => `${tenant.length}:${tenant}${sid}`;

/**
 * What a revocation is known by when it is read again. For a scope that is neither its epoch nor the mark: after a crash both
 * may be given out again, with other exceptions (ADR 11).
 */
const keyOf = (revocation: RevocationMessage): string =>
  revocation.scope === 'session'
    ? sessionKey(revocation.tenant, revocation.sid)
    : `revocation ${revocation.revocationId}`;

const COMPACT_ABOVE = 1024;

/**
 * The revocations that still matter, in the order read, each with a number that is never used again. It is the deny-list and
 * the epochs of the instance and the one queue of all its subscribers at once: a subscriber is a number in it, so that a slow
 * one costs nothing.
 */
export class RevocationMemory {
  private readonly entries: RememberedRevocation[] = [];
  private readonly latest = new Map<string, RememberedRevocation>();
  /** By sid or revocation id. */
  private readonly ids = new Map<string, RememberedRevocation>();
  private readonly epochs = new ScopeEpochs();
  /** Where the oldest entry is in `entries`. */
  private head = 0;
  /** Where the first entry without a time is in `entries`. */
  private unstamped = 0;
  /** Number of the entry at `entries[0]`. */
  private base = 0;

  /** @param keepMs how long after it became visible a revocation matters, in reference time */
  constructor(private keepMs: number) {}

  /** Revocations matter for so long from now on, if that is longer than before. */
  keepFor(ms: number): void {
    this.keepMs = Math.max(this.keepMs, ms);
  }

  /** Number of the oldest entry. */
  get begin(): number {
    return this.base + this.head;
  }

  /** Number that the next entry will get. */
  get end(): number {
    return this.base + this.entries.length;
  }

  /** Whether a revocation in here ended the session: its own, or one of a scope that it belongs to. */
  isRevoked(session: TokenSession): boolean {
    return this.latest.has(sessionKey(session.tenant, session.sid)) || this.epochs.haveEnded(session);
  }

  /** @param id a sid, or the id of a mass revocation */
  find(id: string): RememberedRevocation | undefined {
    return this.ids.get(id);
  }

  /** @param number from `begin` up to, not including, `end` */
  at(number: number): RememberedRevocation {
    const entry = this.entries[number - this.base];
    if (entry === undefined || number < this.begin) throw new RangeError(`no revocation number ${number}`);
    return entry;
  }

  /**
   * @param mark absent: the source has none. Then its position tells whether it is here already, and its number is its mark
   * @returns false if it is here already: a reader that failed or lost its connection reads some revocations again
   */
  add(revocation: RevocationMessage, mark?: string, recorded?: RecordedTimes): boolean {
    const key = keyOf(revocation);
    if (this.holds(key, revocation, mark)) return false;
    const message = Object.freeze({ revocation });
    const entry = { message, mark: mark ?? String(this.end), key, recorded, visibleBy: undefined };
    this.entries.push(entry);
    this.latest.set(key, entry);
    this.ids.set(revocationIdOf(revocation), entry);
    if (revocation.scope !== 'session') this.epochs.apply(revocation, entry);
    return true;
  }

  /**
   * A barrier that began after everything so far had been read was at `referenceTime`. Sets the time of what has none, and
   * forgets what is too old. A reading of this process's own clock would not do: if the store's clock jumps ahead, that
   * reading is old, and the entry would leave at once.
   * @param readBefore number of the first entry that may have become visible after the barrier began
   */
  barrier(referenceTime: number, readBefore = this.end): void {
    for (; this.unstamped < readBefore - this.base; this.unstamped++) {
      const entry = this.entries[this.unstamped];
      if (entry) entry.visibleBy = referenceTime;
    }
    for (; this.head < this.entries.length; this.head++) {
      const entry = this.entries[this.head];
      if (entry?.visibleBy === undefined || referenceTime - entry.visibleBy <= this.keepMs) break;
      this.forget(entry);
    }
    if (this.head > COMPACT_ABOVE && this.head * 2 > this.entries.length) this.compact();
  }

  private holds(key: string, { position }: RevocationMessage, mark: string | undefined): boolean {
    const known = this.latest.get(key);
    if (!known) return false;
    return mark === undefined ? known.message.revocation.position === position : known.mark === mark;
  }

  private forget(entry: RememberedRevocation): void {
    if (this.latest.get(entry.key) === entry) this.latest.delete(entry.key);
    const { revocation } = entry.message;
    const id = revocationIdOf(revocation);
    if (this.ids.get(id) === entry) this.ids.delete(id);
    if (revocation.scope !== 'session') this.epochs.forget(revocation, entry);
  }

  private compact(): void {
    this.entries.splice(0, this.head);
    this.base += this.head;
    this.unstamped -= this.head;
    this.head = 0;
  }
}

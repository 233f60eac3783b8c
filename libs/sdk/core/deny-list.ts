/** Added to `maxAccessTtl`: covers how far a node's reference time may be behind (DESIGN §6). */
const MARGIN_MS = 60_000;

/** What arrived between two renewals; `at` is the reference time of the later one. */
interface Batch {
  at: number;
}

const keyOf = (tenant: string, sid: string): string => `${tenant.length}:${tenant}${sid}`;

/**
 * Sessions that were revoked while tokens of theirs may live. An entry leaves `maxAccessTtl` and a margin after the first
 * renewal behind it, in reference time. None is evicted: what finds no room makes the list untrusted until it, too, would
 * have left.
 */
export class DenyList {
  readonly #max: number;
  readonly #entries = new Map<string, Batch>();
  #batch: Batch = { at: Infinity };
  #lost: Batch | undefined;
  #keepMs = MARGIN_MS;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** False while a revocation is missing here: no decision may rest on the list then. */
  get trusted(): boolean {
    return this.#lost === undefined;
  }

  has(tenant: string, sid: string): boolean {
    return this.#entries.has(keyOf(tenant, sid));
  }

  add(tenant: string, sid: string): void {
    const key = keyOf(tenant, sid);
    if (this.#entries.has(key)) return;
    if (this.#entries.size >= this.#max) this.lose();
    else this.#entries.set(key, this.#batch);
  }

  /** A revocation arrived that the list cannot hold. */
  lose(): void {
    this.#lost = this.#batch;
  }

  /** A renewal was answered behind everything that was added so far. */
  renewed(referenceMs: number, maxAccessTtlMs: number): void {
    this.#batch.at = referenceMs;
    this.#batch = { at: Infinity };
    // The longest ever heard of: tokens from before a change live by the old one.
    this.#keepMs = Math.max(this.#keepMs, maxAccessTtlMs + MARGIN_MS);
    const left = (batch: Batch): boolean => batch.at + this.#keepMs <= referenceMs;
    for (const [key, batch] of this.#entries) {
      if (!left(batch)) break;
      this.#entries.delete(key);
    }
    if (this.#lost !== undefined && left(this.#lost) && this.#entries.size < this.#max)
      this.#lost = undefined;
  }
}

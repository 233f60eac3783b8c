import type { TokenFacts } from './session.js';
import { TokenTable } from './token-table.js';

const TABLES = 64;
/** Below, one table will do. */
const FEW = 4096;
const MAX_NAMES = 4096;

/**
 * Tokens whose signature was checked, found by 128 bits of the SHA-256 over all of the token. An index by session only
 * drops entries. Many tables instead of one, so that none takes long when it grows: 1 ms at a million tokens.
 */
export class TokenCache {
  readonly #max: number;
  readonly #tables: readonly TokenTable[];
  /** Tenants and clients are few: one string each. */
  readonly #names = new Map<string, string>();

  constructor(max: number) {
    this.#max = max;
    this.#tables = Array.from({ length: max < FEW ? 1 : TABLES }, () => new TokenTable());
  }

  get size(): number {
    let sum = 0;
    for (const table of this.#tables) sum += table.size;
    return sum;
  }

  /** The table that has the token, if one has. @param digest of the token, `crypto.hash('sha256', token, 'binary')`. */
  tableOf(digest: string): TokenTable {
    return this.#tables[digest.charCodeAt(31) & (this.#tables.length - 1)]!;
  }

  /** @param now seconds since the epoch. */
  insert(digest: string, facts: TokenFacts, now: number): void {
    const table = this.tableOf(digest);
    if (table.find(digest) >= 0) return;
    const shared = { tenant: this.#name(facts.tenant), clientId: this.#name(facts.clientId) };
    table.insert(digest, { ...facts, ...shared }, now, this.size >= this.#max);
  }

  /** Drops every token of a session. */
  dropSession(tenant: string, sid: string): void {
    for (const table of this.#tables) table.dropSession(tenant, sid);
  }

  #name(text: string): string {
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    if (this.#names.size >= MAX_NAMES) this.#names.clear();
    this.#names.set(text, text);
    return text;
  }
}

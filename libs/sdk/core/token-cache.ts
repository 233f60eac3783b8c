import type { TokenFacts } from './session.js';
import { hashOf, TokenTable } from './token-table.js';

const TABLES = 64;
/** Below, one table will do. */
const FEW = 4096;

/**
 * Tokens whose signature was checked, found by 128 bits of the SHA-256 over all of the token. An index by session only
 * drops entries. Many tables instead of one, so that none takes long when it grows: 1 ms at a million tokens.
 */
export class TokenCache {
  readonly #max: number;
  readonly #tables: readonly TokenTable[];

  constructor(max: number) {
    this.#max = max;
    this.#tables = Array.from({ length: max < FEW ? 1 : TABLES }, () => new TokenTable());
  }

  get size(): number {
    return this.#tables.reduce((sum, { size }) => sum + size, 0);
  }

  /** The table that has the token, if one has. @param digest of the token, `crypto.hash('sha256', token, 'binary')`. */
  tableOf(digest: string): TokenTable {
    return this.#tables[digest.charCodeAt(31) & (this.#tables.length - 1)]!;
  }

  /**
   * @param now seconds since the epoch.
   * @param version of the deny-list under which the token was accepted.
   */
  insert(digest: string, facts: TokenFacts, now: number, version: number): void {
    this.tableOf(digest).insert(digest, facts, now, version, this.size >= this.#max);
  }

  /** Drops every token of a session; returns how many. */
  dropSession(tenant: string, sid: string): number {
    const { size } = this;
    const hash = hashOf(tenant, sid);
    for (const table of this.#tables) table.dropSession(hash);
    return size - this.size;
  }
}

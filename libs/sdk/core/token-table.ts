import { AcceptedSession, type TokenFacts } from './session.js';

/** 32-bit words per slot: four of the digest, then these. */
const WORDS = 9;
/** Seconds since the epoch; 0 marks a free slot. */
const EXPIRES = 4;
const SID_HASH = 5;
/** Slot + 1 of the next token in the same bucket of sessions. */
const NEXT = 6;
const GEN = 7;
/** The version of the deny-list under which the token was accepted last. */
const CHECKED = 8;
/** Strings per slot: sid, sub, tenant, client id. */
const TEXTS = 4;
/** Slots that an insertion looks at for a free or a dead one. */
const SWEEP = 4;
const MAX_NAMES = 4096;

const word = (digest: string, i: number): number =>
  digest.charCodeAt(i) |
  (digest.charCodeAt(i + 1) << 8) |
  (digest.charCodeAt(i + 2) << 16) |
  (digest.charCodeAt(i + 3) << 24);

/** By what a table finds the tokens of a session. */
export function hashOf(tenant: string, sid: string): number {
  const text = tenant + sid;
  let hash = 0;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  return hash ^ (hash >>> 15);
}

/** Tenants and clients are few: one string each. */
const names = new Map<string, string>();

function shared(name: string): string {
  if (names.size >= MAX_NAMES) names.clear();
  if (!names.has(name)) names.set(name, name);
  return names.get(name)!;
}

/**
 * One part of the cache: a map from the first word of the digest to a slot, and slots in arrays, which double when they are
 * full. About 110 B a token beside its strings. A digest is 32 characters of one byte each.
 */
export class TokenTable {
  #capacity = 32;
  #words = new Int32Array(this.#capacity * WORDS);
  #texts: string[] = [];
  /** By the first word of the digest. Of two tokens that share it (one in four billion) the later one takes the place. */
  readonly #slots = new Map<number, number>();
  /** By session: slot + 1 of the first token in the bucket. */
  #buckets = new Int32Array(this.#capacity);
  /** Slots ever used. */
  #top = 0;
  #hand = 0;

  get size(): number {
    return this.#slots.size;
  }

  /** The slot of a token, or -1. */
  find(digest: string): number {
    const slot = this.#slots.get(word(digest, 0));
    if (slot === undefined) return -1;
    const words = this.#words;
    const at = slot * WORDS;
    for (let i = 1; i < 4; i += 1) if (words[at + i] !== word(digest, i * 4)) return -1;
    return slot;
  }

  /** Seconds since the epoch. */
  expiresAt(slot: number): number {
    return this.#words[slot * WORDS + EXPIRES]! >>> 0;
  }

  /** Whether the token was accepted under this version of the deny-list. */
  isChecked(slot: number, version: number): boolean {
    return this.#words[slot * WORDS + CHECKED] === version;
  }

  setChecked(slot: number, version: number): void {
    this.#words[slot * WORDS + CHECKED] = version;
  }

  session(slot: number, token: string): AcceptedSession {
    const texts = this.#texts;
    const at = slot * TEXTS;
    return new AcceptedSession(
      token,
      texts[at]!,
      texts[at + 1]!,
      texts[at + 2]!,
      texts[at + 3]!,
      this.#words[slot * WORDS + GEN]!,
      this.expiresAt(slot),
    );
  }

  /**
   * @param now seconds since the epoch: what has expired by then makes room.
   * @param version of the deny-list under which the token was accepted.
   * @param full whether another one has to go for it.
   */
  insert(digest: string, facts: TokenFacts, now: number, version: number, full: boolean): void {
    const twin = this.#slots.get(word(digest, 0));
    if (twin !== undefined) this.remove(twin);
    const slot = this.#takeSlot(now, full);
    const words = this.#words;
    const at = slot * WORDS;
    for (let i = 0; i < 4; i += 1) words[at + i] = word(digest, i * 4);
    words[at + EXPIRES] = facts.expiresAt;
    words[at + SID_HASH] = hashOf(facts.tenant, facts.sid);
    words[at + GEN] = facts.gen;
    words[at + CHECKED] = version;
    [facts.sid, facts.sub, shared(facts.tenant), shared(facts.clientId)].forEach((text, i) => {
      this.#texts[slot * TEXTS + i] = text;
    });
    this.#link(slot);
    this.#slots.set(words[at]!, slot);
  }

  /** Drops every token of a session. What only shares the hash is dropped as well: it costs a signature check. */
  dropSession(hash: number): void {
    let next = this.#buckets[this.#bucketOf(hash)]!;
    while (next !== 0) {
      const slot = next - 1;
      next = this.#words[slot * WORDS + NEXT]!;
      if (this.#words[slot * WORDS + SID_HASH] === hash) this.remove(slot);
    }
  }

  remove(slot: number): void {
    const words = this.#words;
    const at = slot * WORDS;
    this.#slots.delete(words[at]!);
    // What points at the slot: the bucket, or the token before it.
    let pointers = this.#buckets;
    let i = this.#bucketOf(words[at + SID_HASH]!);
    while (pointers[i] !== slot + 1) {
      i = (pointers[i]! - 1) * WORDS + NEXT;
      pointers = words;
    }
    pointers[i] = words[at + NEXT]!;
    words[at + EXPIRES] = 0;
    this.#texts.fill('', slot * TEXTS, slot * TEXTS + TEXTS);
  }

  #bucketOf(sidHash: number): number {
    return sidHash & (this.#capacity - 1);
  }

  #link(slot: number): void {
    const at = slot * WORDS;
    const bucket = this.#bucketOf(this.#words[at + SID_HASH]!);
    this.#words[at + NEXT] = this.#buckets[bucket]!;
    this.#buckets[bucket] = slot + 1;
  }

  /**
   * The hand goes round: what it finds free or dead is taken, and what is alive only if something has to go. Tokens live for
   * minutes, so the one that was there for longest is about to expire anyway.
   */
  #takeSlot(now: number, full: boolean): number {
    for (let i = Math.min(SWEEP, this.#top); i > 0; i -= 1) {
      this.#hand = (this.#hand + 1) % this.#top;
      const expires = this.expiresAt(this.#hand);
      if (expires <= now || (full && i === 1)) {
        if (expires !== 0) this.remove(this.#hand);
        return this.#hand;
      }
    }
    if (this.#top === this.#capacity) this.#grow();
    this.#top += 1;
    return this.#top - 1;
  }

  #grow(): void {
    const words = this.#words;
    this.#capacity *= 2;
    this.#words = new Int32Array(this.#capacity * WORDS);
    this.#words.set(words);
    this.#buckets = new Int32Array(this.#capacity);
    for (let slot = 0; slot < this.#top; slot += 1) {
      if (this.expiresAt(slot) !== 0) this.#link(slot);
    }
  }
}

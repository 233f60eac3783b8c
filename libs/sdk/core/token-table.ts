import { AcceptedSession, type TokenFacts } from './session.js';

/** 32-bit words per slot: four of the digest, then these. One slot is half a cache line. */
const WORDS = 8;
/** Seconds since the epoch; 0 marks a free slot. */
const EXPIRES = 4;
const SID_HASH = 5;
/** Slot + 1 of the next token in the same bucket of sessions. */
const NEXT = 6;
const GEN = 7;
/** Strings per slot: sid, sub, tenant, client id. */
const TEXTS = 4;
/** Slots that an insertion looks at for a free or a dead one. */
const SWEEP = 4;

const word = (digest: string, i: number): number =>
  digest.charCodeAt(i) |
  (digest.charCodeAt(i + 1) << 8) |
  (digest.charCodeAt(i + 2) << 16) |
  (digest.charCodeAt(i + 3) << 24);

function hashOf(tenant: string, sid: string): number {
  const text = tenant + sid;
  let hash = 0;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x0100_0193);
  return hash ^ (hash >>> 15);
}

/**
 * One part of the cache: open addressing over typed arrays, which double when they are full. About 110 B a token beside its
 * strings. A digest is 32 characters of one byte each.
 */
export class TokenTable {
  #capacity = 32;
  #words = new Int32Array(this.#capacity * WORDS);
  #texts: string[] = [];
  /** By digest: slot + 1, linear probing, at most half full. */
  #index = new Int32Array(this.#capacity * 2);
  /** By session: slot + 1 of the first token in the bucket. */
  #buckets = new Int32Array(this.#capacity);
  #size = 0;
  /** Slots ever used. */
  #top = 0;
  #hand = 0;

  get size(): number {
    return this.#size;
  }

  /** The slot of a token, or -1. */
  find(digest: string): number {
    return this.#index[this.#locate(digest)]! - 1;
  }

  /** Seconds since the epoch. */
  expiresAt(slot: number): number {
    return this.#words[slot * WORDS + EXPIRES]! >>> 0;
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
   * Adds a token that is not there.
   * @param now seconds since the epoch: what has expired by then makes room.
   * @param full whether another one has to go for it.
   */
  insert(digest: string, facts: TokenFacts, now: number, full: boolean): void {
    const slot = this.#takeSlot(now, full);
    const words = this.#words;
    const at = slot * WORDS;
    for (let i = 0; i < 4; i += 1) words[at + i] = word(digest, i * 4);
    words[at + EXPIRES] = facts.expiresAt;
    words[at + SID_HASH] = hashOf(facts.tenant, facts.sid);
    words[at + GEN] = facts.gen;
    [facts.sid, facts.sub, facts.tenant, facts.clientId].forEach((text, i) => {
      this.#texts[slot * TEXTS + i] = text;
    });
    this.#link(slot);
    this.#index[this.#locate(digest)] = slot + 1;
    this.#size += 1;
  }

  /** Drops every token of a session. */
  dropSession(tenant: string, sid: string): void {
    let next = this.#buckets[this.#bucketOf(hashOf(tenant, sid))]!;
    while (next !== 0) {
      const slot = next - 1;
      next = this.#words[slot * WORDS + NEXT]!;
      if (this.#texts[slot * TEXTS] === sid && this.#texts[slot * TEXTS + 2] === tenant) this.remove(slot);
    }
  }

  remove(slot: number): void {
    const words = this.#words;
    const at = slot * WORDS;
    this.#unindex(slot);
    const bucket = this.#bucketOf(words[at + SID_HASH]!);
    if (this.#buckets[bucket] === slot + 1) this.#buckets[bucket] = words[at + NEXT]!;
    else {
      let before = (this.#buckets[bucket]! - 1) * WORDS + NEXT;
      while (words[before] !== slot + 1) before = (words[before]! - 1) * WORDS + NEXT;
      words[before] = words[at + NEXT]!;
    }
    words[at + EXPIRES] = 0;
    this.#texts.fill('', slot * TEXTS, slot * TEXTS + TEXTS);
    this.#size -= 1;
  }

  /** Where in the index the digest is, or would be put. */
  #locate(digest: string): number {
    const a = word(digest, 0);
    const b = word(digest, 4);
    const c = word(digest, 8);
    const d = word(digest, 12);
    const index = this.#index;
    const words = this.#words;
    const mask = index.length - 1;
    let position = a & mask;
    for (;;) {
      const at = (index[position]! - 1) * WORDS;
      if (at < 0) return position;
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d)
        return position;
      position = (position + 1) & mask;
    }
  }

  /** Takes a slot out of the index and moves up those that were pushed past it. */
  #unindex(slot: number): void {
    const index = this.#index;
    const mask = index.length - 1;
    let hole = this.#words[slot * WORDS]! & mask;
    while (index[hole] !== slot + 1) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; index[at] !== 0; at = (at + 1) & mask) {
      const home = this.#words[(index[at]! - 1) * WORDS]! & mask;
      if (((at - home) & mask) >= ((at - hole) & mask)) {
        index[hole] = index[at]!;
        hole = at;
      }
    }
    index[hole] = 0;
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
      const last = full && i === 1;
      if (expires !== 0 && (expires <= now || last)) this.remove(this.#hand);
      if (expires <= now || last) return this.#hand;
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
    this.#index = new Int32Array(this.#capacity * 2);
    this.#buckets = new Int32Array(this.#capacity);
    const mask = this.#index.length - 1;
    for (let slot = 0; slot < this.#top; slot += 1) {
      if (this.expiresAt(slot) === 0) continue;
      let position = words[slot * WORDS]! & mask;
      while (this.#index[position] !== 0) position = (position + 1) & mask;
      this.#index[position] = slot + 1;
      this.#link(slot);
    }
  }
}

import { hash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { TokenFacts } from './session.js';
import { TokenCache } from './token-cache.js';

const digestOf = (token: string): string => hash('sha256', token, 'binary');
const facts = (sid: string, changes: Partial<TokenFacts> = {}): TokenFacts => ({
  sid,
  sub: `sub of ${sid}`,
  tenant: 't',
  clientId: 'web',
  gen: 1,
  expiresAt: 1000,
  ...changes,
});

function found(cache: TokenCache, token: string): TokenFacts | undefined {
  const table = cache.tableOf(digestOf(token));
  const slot = table.find(digestOf(token));
  if (slot < 0) return undefined;
  const { sid, sub, tenant, clientId, gen, expiresAt } = table.session(slot, token);
  return { sid, sub, tenant, clientId, gen, expiresAt };
}

describe('the token cache', () => {
  it('gives back what was remembered of a token, at the limits of each number', () => {
    const cache = new TokenCache(10);
    const extreme = facts('s', { gen: 0x7fff_ffff, expiresAt: 0xffff_ffff });
    cache.insert(digestOf('token'), extreme, 0);
    expect(found(cache, 'token')).toEqual(extreme);
    expect(found(cache, 'token')).toEqual(extreme);
    expect(found(cache, 'other')).toBeUndefined();
  });

  it.each([100, 100_000])('agrees with a plain map under any sequence of calls (room for %i)', (max) => {
    const step = fc.record({
      kind: fc.constantFrom('insert', 'drop', 'remove'),
      token: fc.integer({ min: 0, max: 400 }),
      tenant: fc.constantFrom('a', 'b'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const cache = new TokenCache(max);
        const model = new Map<string, TokenFacts>();
        for (const { kind, token, tenant } of steps) {
          const name = `${tenant} ${token}`;
          // Few sessions, so that several tokens share one.
          const entry = facts(`s${token % 7}`, { tenant });
          const table = cache.tableOf(digestOf(name));
          if (kind === 'insert' && model.size < 100) {
            cache.insert(digestOf(name), entry, 0);
            model.set(name, entry);
          } else if (kind === 'remove' && model.delete(name)) {
            table.remove(table.find(digestOf(name)));
          } else if (kind === 'drop') {
            cache.dropSession(tenant, entry.sid);
            for (const [key, { sid }] of model) {
              if (key.startsWith(`${tenant} `) && sid === entry.sid) model.delete(key);
            }
          }
        }
        expect(cache.size).toBe(model.size);
        for (let token = 0; token <= 400; token += 1) {
          for (const name of [`a ${token}`, `b ${token}`])
            expect(found(cache, name)).toEqual(model.get(name));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('grows, and finds and drops everything afterwards', () => {
    const cache = new TokenCache(100_000);
    for (let i = 0; i < 12_000; i += 1) cache.insert(digestOf(`token ${i}`), facts(`s${i >> 1}`), 0);
    expect(cache.size).toBe(12_000);
    for (let i = 0; i < 12_000; i += 997) expect(found(cache, `token ${i}`)?.sid).toBe(`s${i >> 1}`);
    for (let i = 0; i < 6_000; i += 1) cache.dropSession('t', `s${i}`);
    expect(cache.size).toBe(0);
  });

  it.each([1, 3, 5000])('holds %i tokens and not one more, the youngest among them', (max) => {
    const cache = new TokenCache(max);
    for (let i = 0; i < 3 * max; i += 1) {
      cache.insert(digestOf(`token ${i}`), facts(`s${i}`), 0);
      if (found(cache, `token ${i}`) === undefined) throw new Error(`lost at ${i}`);
      if (cache.size > max) throw new Error(`too many at ${i}`);
    }
    expect(cache.size).toBe(max);
  });

  it('lets dead entries make room before it grows or evicts', () => {
    const cache = new TokenCache(1000);
    for (let i = 0; i < 1000; i += 1)
      cache.insert(digestOf(`old ${i}`), facts(`s${i}`, { expiresAt: 10 }), 0);
    for (let i = 0; i < 1000; i += 1) cache.insert(digestOf(`new ${i}`), facts(`n${i}`), 10);
    const lost = Array.from({ length: 1000 }, (_, i) => i).filter(
      (i) => found(cache, `new ${i}`) === undefined,
    );
    expect(lost).toEqual([]);
    expect(cache.size).toBe(1000);
  });
});

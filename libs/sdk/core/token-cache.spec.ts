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
    cache.insert(digestOf('token'), extreme, 0, 1);
    expect(found(cache, 'token')).toEqual(extreme);
    expect(found(cache, 'token')).toEqual(extreme);
    expect(found(cache, 'other')).toBeUndefined();
  });

  const NAMES = Array.from({ length: 401 }, (_, token) => [`a ${token}`, `b ${token}`]).flat();
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
            cache.insert(digestOf(name), entry, 0, 1);
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
        // One comparison: 80,000 would take the suite ten seconds.
        const remembered = NAMES.flatMap((name) => {
          const entry = found(cache, name);
          return entry === undefined ? [] : [[name, entry] as const];
        });
        expect(new Map(remembered)).toEqual(model);
      }),
      { numRuns: 100 },
    );
  });

  it('G2: takes no token for another one that shares the first bits of the digest; the later one takes the place', () => {
    const cache = new TokenCache(10);
    const [first, second] = ['a', 'b'].map((rest) => 'same'.padEnd(32, rest)) as [string, string];
    const table = cache.tableOf(first);
    cache.insert(first, facts('s1'), 0, 1);
    expect([table.find(first), table.find(second)]).toEqual([0, -1]);
    cache.insert(second, facts('s2'), 0, 1);
    expect(table.find(first)).toBe(-1);
    expect(table.session(table.find(second), '').sid).toBe('s2');
    expect(cache.size).toBe(1);
    cache.dropSession('t', 's1');
    cache.dropSession('t', 's2');
    expect(cache.size).toBe(0);
  });

  it('remembers under which version of the deny-list a token was accepted, also where another one was before', () => {
    const cache = new TokenCache(1);
    cache.insert(digestOf('a'), facts('a'), 0, 7);
    cache.insert(digestOf('b'), facts('b'), 0, 8);
    const table = cache.tableOf(digestOf('b'));
    const slot = table.find(digestOf('b'));
    expect([7, 8].map((version) => table.isChecked(slot, version))).toEqual([false, true]);
    table.setChecked(slot, 9);
    expect([8, 9].map((version) => table.isChecked(slot, version))).toEqual([false, true]);
  });

  it('grows, and finds and drops everything afterwards', () => {
    const cache = new TokenCache(100_000);
    for (let i = 0; i < 12_000; i += 1) cache.insert(digestOf(`token ${i}`), facts(`s${i >> 1}`), 0, 1);
    expect(cache.size).toBe(12_000);
    for (let i = 0; i < 12_000; i += 997) expect(found(cache, `token ${i}`)?.sid).toBe(`s${i >> 1}`);
    for (let i = 0; i < 6_000; i += 1) cache.dropSession('t', `s${i}`);
    expect(cache.size).toBe(0);
  });

  it.each([1, 3, 5000])('holds %i tokens and not one more, the youngest among them', (max) => {
    const cache = new TokenCache(max);
    for (let i = 0; i < 3 * max; i += 1) {
      cache.insert(digestOf(`token ${i}`), facts(`s${i}`), 0, 1);
      if (found(cache, `token ${i}`) === undefined) throw new Error(`lost at ${i}`);
      if (cache.size > max) throw new Error(`too many at ${i}`);
    }
    expect(cache.size).toBe(max);
  });

  it('lets dead entries make room before it grows or evicts', () => {
    const cache = new TokenCache(1000);
    for (let i = 0; i < 1000; i += 1)
      cache.insert(digestOf(`old ${i}`), facts(`s${i}`, { expiresAt: 10 }), 0, 1);
    for (let i = 0; i < 1000; i += 1) cache.insert(digestOf(`new ${i}`), facts(`n${i}`), 10, 1);
    const lost = Array.from({ length: 1000 }, (_, i) => i).filter(
      (i) => found(cache, `new ${i}`) === undefined,
    );
    expect(lost).toEqual([]);
    expect(cache.size).toBe(1000);
  });
});

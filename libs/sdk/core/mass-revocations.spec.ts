import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DenyList } from './deny-list.js';
import { massRevocation, sessionEnd, sessionOf } from './deny-list.double.js';
import { delivered, history } from './mass-revocation-history.double.js';

const TTL = 900_000;
const KEEP = TTL + 60_000;
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

const newList = (max = 10, tenant = '*'): DenyList => new DenyList(max, tenant);

describe('G2 G5: mass revocations on the deny-list', () => {
  it.each([
    ['user', [0, 9, 9, 9], { sub: 'other' }],
    ['client', [9, 0, 9, 9], { clientId: 'other' }],
    ['tenant', [9, 9, 0, 9], { tenant: 'other' }],
    ['global', [9, 9, 9, 0], undefined],
  ])('end what has seen less of the %s, and nothing else', (scope, ep, elsewhere) => {
    const list = newList();
    expect(list.add(massRevocation(scope, 1))).toBe(true);
    expect(list.has(sessionOf({ ep }))).toBe(true);
    expect(list.has(sessionOf())).toBe(true);
    expect(list.has(sessionOf({ ep: [1, 1, 1, 1] }))).toBe(false);
    if (elsewhere !== undefined) expect(list.has(sessionOf({ ep, ...elsewhere }))).toBe(false);
  });

  it('know a scope by all of its ids: what another tenant calls the same lives on', () => {
    const list = newList();
    list.add(massRevocation('user', 1, {}, { tenant: 'a', sub: 'bc' }));
    list.add(massRevocation('client', 1, {}, { tenant: 'x', clientId: 'yz' }));
    expect(list.has(sessionOf({ tenant: 'a', sub: 'bc' }))).toBe(true);
    for (const other of [
      sessionOf({ tenant: 'ab', sub: 'c' }),
      sessionOf({ tenant: 'a', sub: 'c', clientId: 'bc', sid: 'bc' }),
      sessionOf({ tenant: 'x', sub: 'yz', clientId: 'z' }),
      sessionOf({ tenant: 'xy', clientId: 'z' }),
    ])
      expect(list.has(other)).toBe(false);
  });

  it('spare the excepted that have seen enough', () => {
    const list = newList();
    list.add(massRevocation('user', 5, { s: 3 }));
    const alive = [2, 3, 4, 5].filter((epoch) => !list.has(sessionOf({ ep: [epoch, 0, 0, 0] })));
    expect(alive).toEqual([3, 4, 5]);
    expect(list.has(sessionOf({ sid: 'other', ep: [4, 0, 0, 0] }))).toBe(true);
  });

  it('spare by names that objects have anyway only who is named', () => {
    const list = newList();
    list.add(massRevocation('user', 1));
    for (const sid of ['__proto__', 'constructor', 'size']) expect(list.has(sessionOf({ sid }))).toBe(true);
  });

  it('G1: revive nothing by an exception: neither one of a later revocation, nor one of an earlier one', () => {
    const messages = [massRevocation('user', 1), massRevocation('user', 2, { s: 1 })];
    for (const order of [messages, messages.toReversed()]) {
      const list = newList();
      for (const message of order) list.add(message);
      expect(list.has(sessionOf())).toBe(true);
      expect(list.has(sessionOf({ ep: [1, 0, 0, 0] }))).toBe(false);
    }
    const list = newList();
    list.add(massRevocation('user', 2));
    list.add(massRevocation('user', 1, { s: 0 }));
    expect(list.has(sessionOf())).toBe(true);
  });

  it('G1: end no session that ended by its own any less', () => {
    const list = newList();
    list.add({ ...sessionEnd('t', 's'), excepted: new Map([['s', 0]]), epoch: 1 });
    list.add(massRevocation('user', 1, { s: 0 }));
    expect(list.has(sessionOf({ ep: [9, 9, 9, 9] }))).toBe(true);
  });

  it('ask for a check of what was accepted before, but a lower one and the end of a session do not', () => {
    const list = newList();
    const versions = [
      massRevocation('user', 2),
      massRevocation('user', 2),
      massRevocation('user', 1),
      sessionEnd('t', 's'),
      massRevocation('user', 3),
      massRevocation('tenant', 1),
    ].map((message) => {
      list.add(message);
      return list.version;
    });
    expect(versions).toEqual([1, 2, 2, 2, 3, 4]);
  });

  it('leave maxAccessTtl and 60 s after the first renewal behind the last one of their scope', () => {
    const list = newList();
    list.add(massRevocation('user', 1));
    list.add(sessionEnd('t', 'x'));
    list.renewed(0, TTL);
    list.add(massRevocation('user', 2));
    list.add(massRevocation('user', 1));
    list.renewed(1_000, TTL);
    list.renewed(KEEP, TTL);
    expect(list.size).toBe(1);
    expect(list.has(sessionOf({ ep: [1, 0, 0, 0] }))).toBe(true);
    list.renewed(KEEP + 1_000, TTL);
    expect(list.size).toBe(0);
  });

  it('are held for as long as what arrives now by one of their scope: it may be another one with the same epoch', () => {
    const list = newList();
    list.add(massRevocation('user', 1));
    list.renewed(0, TTL);
    list.add(massRevocation('user', 1));
    list.renewed(1_000, TTL);
    list.renewed(KEEP, TTL);
    expect(list.size).toBe(1);
    list.renewed(KEEP + 1_000, TTL);
    expect(list.size).toBe(0);
  });

  it('take room as any revocation does, a later one of the same scope the same; without room there is no trust', () => {
    const list = newList(2);
    list.add(sessionEnd('t', 'x'));
    list.add(massRevocation('user', 1));
    list.add(massRevocation('user', 2));
    expect([list.size, list.trusted]).toEqual([2, true]);
    list.add(massRevocation('tenant', 1));
    expect([list.size, list.trusted]).toEqual([2, false]);
    expect(list.has(sessionOf({ ep: [1, 9, 9, 9] }))).toBe(true);
  });

  it('of other tenants are not remembered, unless they are everyone’s', () => {
    const list = newList(10, 't');
    for (const scope of ['session', 'user', 'client', 'tenant'])
      expect(list.add(massRevocation(scope, 1, {}, { tenant: 'other' }))).toBe(true);
    expect([list.size, list.version, list.trusted]).toEqual([0, 0, true]);
    list.add(massRevocation('global', 1));
    expect(list.has(sessionOf())).toBe(true);
  });

  it.each([
    ['an unknown scope', massRevocation('key', 1)],
    ['an unknown scope of another tenant', massRevocation('key', 1, {}, { tenant: 'other' })],
    ['a scope that only looks like one', massRevocation('constructor', 1)],
    ['no scope', massRevocation('', 1)],
    ['no epoch', massRevocation('tenant', 0)],
  ])('that are not understood end the trust: %s', (_, message) => {
    const list = newList(10, 't');
    expect(list.add(message)).toBe(false);
    expect(list.trusted).toBe(false);
    list.renewed(0, TTL);
    list.renewed(KEEP, TTL);
    expect(list.trusted).toBe(true);
  });

  it(`G1: what lives is what each mass revocation since has excepted, in any order of delivery (seed ${seed})`, () => {
    const judged = { lives: 0, ended: 0 };
    fc.assert(
      fc.property(
        history.chain((made) => fc.tuple(fc.constant(made), delivered(made))),
        ([{ tokens }, messages]) => {
          const list = newList(1000);
          for (const message of messages) list.add(message);
          for (const { lives, ...token } of tokens) {
            judged[lives ? 'lives' : 'ended'] += 1;
            expect({ ...token, lives: !list.has(sessionOf(token)) }).toEqual({ ...token, lives });
          }
        },
      ),
      { seed, numRuns: 500 },
    );
    // Else the property would say little.
    expect(Math.min(judged.lives, judged.ended)).toBeGreaterThan(100);
  });
});

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decideCreate,
  decideExpire,
  decideRefresh,
  decideRevoke,
  decideRevokeScope,
  epochsOf,
  evolve,
  evolveScope,
  evolveUser,
  initialScopeState,
  initialState,
  initialUserState,
  scopesOf,
  type PerScope,
  type ScopeRevoked,
  type ScopeState,
  type Sealed,
  type SessionCreated,
  type SessionEvent,
  type SessionState,
  type UserSessionAdmitted,
  type UserState,
} from '#domain';
import { INITIATORS, REASONS } from '../vocabulary.js';
import { assertEvent } from './assert-event.js';
import {
  CURRENT_VERSION,
  EVENT_TYPES,
  eventSchema,
  type EventData,
  type EventType,
} from './event-catalogue.js';
import { upcast, type VersionedEvent } from './upcast.js';

type DomainEvent = SessionEvent | UserSessionAdmitted | ScopeRevoked;

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Must<T extends true> = T;

/**
 * Does not compile when a domain event and its current schema differ: in a member, in whether it is optional, or in its type.
 * Then add a new version of the event (docs/adr/0014).
 */
export type TypesAgree = [
  Must<Same<EventType, DomainEvent['type']>>,
  Must<Same<EventData<'session.created'>, DataOfDomain<'session.created'>>>,
  Must<Same<EventData<'session.rotated'>, DataOfDomain<'session.rotated'>>>,
  Must<Same<EventData<'session.rotation-replayed'>, DataOfDomain<'session.rotation-replayed'>>>,
  Must<Same<EventData<'session.theft-detected'>, DataOfDomain<'session.theft-detected'>>>,
  Must<Same<EventData<'session.revoked'>, DataOfDomain<'session.revoked'>>>,
  Must<Same<EventData<'session.expired'>, DataOfDomain<'session.expired'>>>,
  Must<Same<EventData<'user.session-admitted'>, DataOfDomain<'user.session-admitted'>>>,
  Must<Same<EventData<'scope.revoked'>, DataOfDomain<'scope.revoked'>>>,
];
type DataOfDomain<T extends EventType> = Extract<DomainEvent, { readonly type: T }>['data'];

const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const ROUNDS = Number(process.env['ROUNDS'] ?? 200);
const START = 1_800_000_000_000;

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
const secretOf = (gen: number): string => hashOf(`secret ${gen}`);
const sidOf = (n: number): string => createHash('sha256').update(`sid ${n}`).digest('hex').slice(0, 32);
const OWN = sidOf(0);

const hash = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('base64url'));
const perhaps = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const sealed: fc.Arbitrary<Sealed> = fc.record({
  keyId: hash.map((text) => text.slice(0, 22)),
  box: fc
    .uint8Array({ minLength: 31, maxLength: 300 })
    .map((bytes) => Buffer.from(bytes).toString('base64url')),
});
const lineOf = (maxLength: number) =>
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength })
    .map((text) => text.slice(0, maxLength))
    .filter((text) => text.length > 0 && !/[\p{Cc}\p{Cs}]/u.test(text));
const name = fc.stringMatching(/^[A-Za-z0-9._~-]{1,64}$/);

const created: fc.Arbitrary<SessionCreated['data']> = fc.record(
  {
    sub: lineOf(255),
    tenant: name,
    client: name,
    roles: fc.array(lineOf(64), { maxLength: 5 }),
    authTime: fc.nat(2 ** 31 - 1),
    policy: fc.record({
      accessTtl: fc.integer({ min: 1_000, max: 900_000 }),
      idleTimeout: fc.integer({ min: 1_000_000, max: 2 ** 31 - 1 }),
      absoluteTimeout: fc.integer({ min: 1_000_000, max: 2 ** 31 - 1 }),
      reuseGrace: fc.constantFrom(0, 10_000),
    }),
    macKeyId: fc.integer({ min: 1, max: 65_535 }),
    secretHash: fc.constant(secretOf(0)),
    at: fc.constant(START),
    accessExp: fc.integer({ min: START / 1_000, max: START / 1_000 + 900 }),
    ep: fc.constant([0, 0, 0, 0] as const),
    acr: lineOf(128),
    amr: fc.array(lineOf(64), { maxLength: 3 }),
    device: sealed,
    claims: sealed,
  },
  {
    noNullPrototype: true,
    requiredKeys: [
      'sub',
      'tenant',
      'client',
      'roles',
      'authTime',
      'policy',
      'macKeyId',
      'secretHash',
      'at',
      'accessExp',
      'ep',
    ],
  },
);

const step = fc.record({
  kind: fc.constantFrom(
    'refresh',
    'refresh',
    'refresh',
    'refresh-old',
    'revoke-scope',
    'revoke-scope',
    'revoke',
    'wait',
    'expire',
  ),
  n: fc.nat(3),
  later: fc.constantFrom(0, 7, 5_000, 60_000),
  spare: fc.boolean(),
  key: perhaps(fc.constantFrom(hashOf('key 1'), hashOf('key 2'))),
  device: perhaps(sealed),
  note: perhaps(sealed),
  salt: hash,
  reason: fc.constantFrom(...REASONS),
  initiator: fc.constantFrom(...INITIATORS),
  revocationId: fc.uuid(),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

const optional = <K extends string, V>(key: K, value: V | undefined) =>
  (value === undefined ? {} : { [key]: value }) as { readonly [_ in K]?: V };

/** One user's session and its scopes, as decisions change them. Keeps every event that was decided. */
class History {
  readonly events: DomainEvent[] = [];
  session: SessionState = initialState;
  private user: UserState = initialUserState;
  private scopes: PerScope<ScopeState> = [
    initialScopeState,
    initialScopeState,
    initialScopeState,
    initialScopeState,
  ];
  private now = START;

  constructor(private readonly facts: SessionCreated['data']) {
    this.create(0, undefined);
  }

  take(step: Step): void {
    this.now += step.later;
    if (step.kind === 'refresh') this.refresh(step, 0);
    else if (step.kind === 'refresh-old') this.refresh(step, 1 + (step.n % 2));
    else if (step.kind === 'revoke-scope') this.revokeScope(step);
    else if (step.kind === 'revoke') {
      const { reason, initiator, note } = step;
      this.append(
        ...decideRevoke(this.session, { now: this.now, reason, initiator, ...optional('note', note) }),
      );
    } else if (step.kind === 'expire') {
      this.append(...decideExpire(this.session, START + 2 ** 31 + this.now));
    } else this.now += 300_000;
  }

  create(n: number, key: string | undefined): void {
    const decision = decideCreate(this.user, new Map(n === 0 ? [] : [[OWN, this.session]]), {
      now: this.now,
      sid: sidOf(n),
      created: { ...this.facts, ep: epochsOf(this.scopes), at: this.now },
      firstLoadRevision: 99,
      epochPassed: new Set(),
      replaces: OWN,
      ...optional('idempotencyKeyHash', key),
    });
    if (decision.outcome !== 'created') throw new Error('created');
    this.user = evolveUser(this.user, decision.admitted, n);
    this.events.push(decision.admitted);
    this.append(...(decision.ends.get(OWN) ?? []));
    if (n === 0) this.append(decision.created);
    else this.events.push(decision.created);
  }

  private refresh({ key, device, salt }: Step, back: number): void {
    const current = this.session.status === 'none' ? 0 : this.session.gen;
    const gen = Math.max(0, current - back);
    const decision = decideRefresh(this.session, {
      now: this.now,
      sentAt: this.now + 3,
      sid: OWN,
      scopes: this.scopes,
      presented: { gen, secretHash: secretOf(gen) },
      firstLoadGen: -1,
      successor: { secretHash: secretOf(gen + 1), salt, pepperId: 1, macKeyId: 1 },
      ...optional('idempotencyKeyHash', key),
      ...optional('device', device),
    });
    this.append(...decision.events);
  }

  private revokeScope({ n, spare, key, reason, initiator, revocationId }: Step): void {
    const { scopes, session, now } = this;
    const decision = decideRevokeScope(scopes[n]!, {
      scope: scopesOf(this.facts)[n]!,
      revocationId,
      now,
      reason,
      initiator,
      exceptions: spare ? [{ sid: OWN, session, scopes }] : [],
      ...optional('idempotencyKeyHash', key),
    });
    if (decision.outcome !== 'revoked') return;
    this.events.push(decision.event);
    this.scopes = scopes.map((scope, i) =>
      i === n ? evolveScope(scope, decision.event) : scope,
    ) as unknown as PerScope<ScopeState>;
  }

  private append(...events: readonly SessionEvent[]): void {
    this.events.push(...events);
    this.session = events.reduce(evolve, this.session);
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const membersOf = (type: EventType): string[] =>
  Object.keys((eventSchema(type, CURRENT_VERSION[type]) as { properties?: object }).properties ?? {});

describe('a stored session of version 1', () => {
  const golden = (file: string) =>
    upcast(
      (
        JSON.parse(readFileSync(new URL(`golden/${file}`, import.meta.url), 'utf8')) as {
          stored: VersionedEvent;
        }
      ).stored,
    ) as unknown as SessionEvent;

  it('has seen no mass revocation, and its rotation changes nothing about that', () => {
    const first = evolve(initialState, golden('session.created.v1.json'));
    expect(first).toMatchObject({ status: 'open', gen: 0, ep: [0, 0, 0, 0] });
    const rotated = evolve(first, golden('session.rotated.v1.json'));
    expect(rotated).toMatchObject({ status: 'open', gen: 1, ep: [0, 0, 0, 0] });
  });
});

describe('what the deciders decide', () => {
  const seen = new Set<string>();

  it(`fits the current schema, and with one member more it does not (seed ${SEED})`, () => {
    fc.assert(
      fc.property(
        created,
        fc.array(step, { maxLength: 12 }),
        perhaps(hash),
        fc.nat(),
        (facts, steps, key, place) => {
          const history = new History(facts);
          for (const each of steps) history.take(each);
          history.create(1, key);
          for (const { type, data } of history.events) {
            for (const name of ['', ...Object.keys(data)]) seen.add(`${type} ${name}`);
            // As it comes back from a log.
            const stored = JSON.parse(JSON.stringify(data)) as Record<string, unknown>;
            expect(stored).toEqual(data);
            expect(() => assertEvent(type, CURRENT_VERSION[type], data)).not.toThrow();
            const places = [stored, ...Object.values(stored).filter(isObject)];
            places[place % places.length]!['more'] = 1;
            expect(() => assertEvent(type, CURRENT_VERSION[type], stored)).toThrow(/additionalProperties/);
          }
        },
      ),
      { seed: SEED, numRuns: ROUNDS },
    );
  });

  it('was every event there is, with every member', () => {
    const all = EVENT_TYPES.flatMap((type) => [
      `${type} `,
      ...membersOf(type).map((member) => `${type} ${member}`),
    ]);
    expect([...seen].sort()).toEqual(all.sort());
  });
});

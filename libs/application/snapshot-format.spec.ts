import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { foldTail, SCOPE, SESSION, SNAPSHOT_FORMAT, snapshotOf, USER } from './folded-streams.js';
import type { RecordedEvent } from './ports/event-log.port.js';

/** By format. A fold that gives something else needs a new format, or snapshots made by the old one would be used. */
const DIGESTS: Readonly<Record<string, string>> = {
  '1': 'c7d721d31e0ab0b20cd536bc376edc178c735fe10bbff560abacf7ff332fde07',
};

const recordedAll = (stream: string, ...events: readonly (readonly [string, object])[]): RecordedEvent[] =>
  events.map(([type, data], revision) => ({
    id: `event-${revision}`,
    type,
    schemaVersion: 1,
    data: data as Record<string, unknown>,
    metadata: {
      recordedAt: revision,
      actor: { kind: 'system', id: 'test' },
      initiator: 'user',
      tenant: 't',
      correlationId: 'c',
    },
    stream,
    revision,
    position: `position-${revision}`,
  }));

const sealed = { keyId: 'k', box: 'b' };
const policy = { accessTtl: 1, idleTimeout: 1e9, absoluteTimeout: 2e9, reuseGrace: 10_000 };
const created = {
  sub: 's',
  tenant: 't',
  client: 'c',
  roles: ['r'],
  acr: 'a',
  amr: ['m'],
  authTime: 1,
  policy,
  macKeyId: 1,
  secretHash: 'h0',
  at: 1,
  accessExp: 2,
  ep: [0, 1, 2, 3],
  device: sealed,
  claims: sealed,
};
const rotation = (gen: number, at: number, more: object = {}) => ({
  gen,
  secretHash: `h${gen}`,
  salt: `s${gen}`,
  pepperId: 1,
  macKeyId: 1,
  at,
  supersededAt: at,
  accessExp: at,
  ...more,
});
const session = recordedAll(
  'session-x',
  ['session.created', created],
  ['session.rotated', rotation(1, 1_000, { idempotencyKeyHash: 'k' })],
  ['session.rotation-replayed', { gen: 1, presentedGen: 0, rule: 'grace' }],
  ['session.rotated', rotation(2, 60_000, { ep: [4, 4, 4, 4], device: sealed })],
);
const ended = recordedAll(
  'session-y',
  ['session.created', created],
  ['session.revoked', { sub: 's', tenant: 't', reason: 'logout', initiator: 'user', at: 9 }],
);
const user = recordedAll(
  'user-x',
  ['user.session-admitted', { sub: 's', tenant: 't', sid: 'a', left: [], idempotencyKeyHash: 'k' }],
  ['user.session-admitted', { sub: 's', tenant: 't', sid: 'b', left: ['a'] }],
);
const scope = recordedAll('epoch-global', [
  'scope.revoked',
  {
    revocationId: 'r',
    kind: 'global',
    epoch: 1,
    excepted: { a: 0 },
    reason: 'admin',
    initiator: 'admin',
    at: 9,
    idempotencyKeyHash: 'k',
  },
]);

/** Generations that leave the state, and one that just stays: superseded 16 s before the last rotation and a little more. */
const rotatedOften = recordedAll(
  'session-z',
  ['session.created', created],
  ...[1_000, 20_000, 20_001, 30_000, 36_000, 36_001, 36_002].map((at, i): readonly [string, object] => [
    'session.rotated',
    rotation(i + 1, at),
  ]),
);
const expired = recordedAll(
  'session-e',
  ['session.created', created],
  ['session.expired', { sub: 's', tenant: 't', reason: 'idle', at: 9 }],
);
/** More than any bound of the state. */
const busyUser = recordedAll(
  'user-y',
  ...Array.from({ length: 600 }, (_, i): readonly [string, object] => [
    'user.session-admitted',
    {
      sub: 's',
      tenant: 't',
      sid: `s${i}`,
      left: [],
      ...(i % 2 === 0 ? { idempotencyKeyHash: `k${i}` } : {}),
    },
  ]),
);
const busyScope = recordedAll(
  'epoch-tenant-t',
  ...Array.from({ length: 100 }, (_, i): readonly [string, object] => [
    'scope.revoked',
    {
      revocationId: `r${i}`,
      kind: 'tenant',
      tenant: 't',
      epoch: i + 1,
      excepted: {},
      reason: 'admin',
      initiator: 'admin',
      at: i,
    },
  ]),
);

describe('snapshot format', () => {
  it('is a new one whenever a fold gives something else', () => {
    const tail = (events: RecordedEvent[]) => ({ events, revision: events.length - 1 });
    const snapshots = [
      ...[session, ended, rotatedOften, expired].map((events) =>
        snapshotOf(SESSION, 's', foldTail(SESSION, tail(events))),
      ),
      ...[user, busyUser].map((events) => snapshotOf(USER, 'u', foldTail(USER, tail(events)))),
      ...[scope, busyScope].map((events) => snapshotOf(SCOPE, 'c', foldTail(SCOPE, tail(events)))),
    ];
    const digest = createHash('sha256').update(JSON.stringify(snapshots)).digest('hex');
    expect({ [SNAPSHOT_FORMAT]: digest }).toEqual({ [SNAPSHOT_FORMAT]: DIGESTS[SNAPSHOT_FORMAT] });
  });
});

import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { foldTail, SCOPE, SESSION, SNAPSHOT_FORMAT, snapshotOf, USER } from './folded-streams.js';
import type { RecordedEvent } from './ports/event-log.port.js';

/** By format. A fold that gives something else needs a new format, or snapshots made by the old one would be used. */
const DIGESTS: Readonly<Record<string, string>> = {
  '1': '5e224ba557ac41c80cabd84ae35af60483dc2c200ca710a97838f6c6ed93ce21',
};

const recordedAll = (stream: string, ...events: readonly [string, object][]): RecordedEvent[] =>
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

describe('snapshot format', () => {
  it('is a new one whenever a fold gives something else', () => {
    const tail = (events: RecordedEvent[]) => ({ events, revision: events.length - 1 });
    const snapshots = [
      ...[session, ended].map((events) => snapshotOf(SESSION, 's', foldTail(SESSION, tail(events)))),
      snapshotOf(USER, 'u', foldTail(USER, tail(user))),
      snapshotOf(SCOPE, 'c', foldTail(SCOPE, tail(scope))),
    ];
    const digest = createHash('sha256').update(JSON.stringify(snapshots)).digest('hex');
    expect({ [SNAPSHOT_FORMAT]: digest }).toEqual({ [SNAPSHOT_FORMAT]: DIGESTS[SNAPSHOT_FORMAT] });
  });
});

import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import type { Ajv2020 } from 'ajv/dist/2020.js';
import { CURRENT_VERSION, EVENT_TYPES, eventSchema, type EventType } from './event-catalogue.js';
import { encodeSessionEvent, publishedSchema, secrecyOf } from './published-event.js';

const { Ajv2020: Compiler } = createRequire(import.meta.url)('ajv/dist/2020.js') as {
  Ajv2020: typeof Ajv2020;
};

interface Member {
  readonly pattern?: string;
  readonly description: string;
  readonly properties?: Readonly<Record<string, Member>>;
}

const members = (type: EventType): [string, Member][] =>
  Object.entries((eventSchema(type, CURRENT_VERSION[type]) as unknown as Member).properties ?? {});

const METADATA = {
  recordedAt: 1_700_000_000_000,
  actor: { kind: 'api-key', id: 'key-1' },
  initiator: 'user',
  tenant: 'default',
  correlationId: 'call-1',
  keyId: 'user-key-1',
} as const;

const CREATED = {
  id: 'e1',
  type: 'session.created',
  schemaVersion: 2,
  data: {
    sub: 'u1',
    tenant: 'default',
    client: 'web',
    roles: [],
    authTime: 1,
    policy: { accessTtl: 1_000, idleTimeout: 1_000, absoluteTimeout: 1_000, reuseGrace: 0 },
    macKeyId: 'mac-1',
    secretHash: 'A'.repeat(43),
    at: 1,
    accessExp: 2,
    ep: [0, 0, 0, 0],
    device: { keyId: 'user-key-1', box: 'sealed' },
    claims: { keyId: 'user-key-1', box: 'sealed' },
  },
  metadata: METADATA,
  stream: 'session-s1',
  revision: 0,
  position: '7',
};

describe('what is published of an event', () => {
  it.each([...EVENT_TYPES])('G6: %s: no hash, no salt, no key id, nothing sealed', (type) => {
    for (const [name, { description, properties }] of members(type)) {
      if (properties && 'box' in properties) expect([name, secrecyOf(name)]).toEqual([name, 'sealed']);
      const isSecret = /SHA-256|derived with|key that/.test(description);
      if (isSecret) expect([name, secrecyOf(name)]).toEqual([name, 'withheld']);
    }
    const kept = JSON.stringify(publishedSchema(type));
    expect(kept).not.toMatch(/SHA-256|keyId|"box"|salt/i);
  });

  it('G6: a record holds neither secrets nor sealed boxes, also not in its headers', () => {
    const record = encodeSessionEvent(CREATED, '/curfew');
    expect(JSON.stringify(record)).not.toMatch(/AAAA|mac-1|user-key-1|sealed/);
    expect(record).toMatchObject({
      key: 's1',
      headers: { ce_id: 'e1', ce_type: 'curfew.session.created', ce_tenant: 'default', ce_revision: '0' },
      timestamp: '1700000000000',
    });
  });

  it('agrees with its schema', () => {
    const compiler = new Compiler({ strict: false });
    const validate = compiler.compile(publishedSchema('session.created'));
    const { value } = encodeSessionEvent(CREATED, '/curfew');
    expect([validate(JSON.parse(value)), validate.errors]).toEqual([true, null]);
  });

  it('comes as the current version, whatever was stored', () => {
    const data = Object.fromEntries(Object.entries(CREATED.data).filter(([name]) => name !== 'ep'));
    const { value, headers } = encodeSessionEvent({ ...CREATED, schemaVersion: 1, data }, '/curfew');
    expect(JSON.parse(value)).toMatchObject({ ep: [0, 0, 0, 0] });
    expect(headers['ce_schemaversion']).toBe('2');
  });

  it('is keyed by the stream where that is no session’s', () => {
    const { key } = encodeSessionEvent({ ...CREATED, stream: 'scope-user-default:u1' }, '/curfew');
    expect(key).toBe('scope-user-default:u1');
  });
});

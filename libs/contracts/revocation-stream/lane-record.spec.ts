import { describe, expect, it } from '@jest/globals';
import { decodeLaneRecord, encodeLaneRecord, laneKey, type LaneContent } from './lane-record.js';

const place = { streamId: 's-1', lanes: 4, incarnation: 1_790_000_000_000, sequence: 7 };
const at = { lane: 2, source: '/curfew/issuer', timestamp: 1_790_000_000_123 };
const heartbeat: LaneContent = {
  kind: 'heartbeat',
  heartbeat: { barrier: '42', cursor: '7:9:8', referenceTimeMs: 1_790_000_000_123, maxAccessTtlMs: 900_000 },
};
const revocation: LaneContent = {
  kind: 'revocation',
  published: {
    revocation: {
      scope: 'session',
      tenant: 'default',
      sub: 'user-1',
      sid: 'a'.repeat(32),
      reason: 'logout',
      initiator: 'user',
      position: '17',
    },
    revocationId: 'a'.repeat(32),
    appliesUntil: 1_790_000_960_123,
  },
};

describe('a record of the revocation stream', () => {
  it.each([heartbeat, revocation])('comes back as it was written: $kind', (content) => {
    const { headers, value } = encodeLaneRecord(place, content, at);
    const asBuffers = Object.fromEntries(
      Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]),
    );
    expect(decodeLaneRecord(asBuffers, Buffer.from(value))).toEqual({ place, content });
  });

  it('is a CloudEvent in binary mode, stamped with reference time', () => {
    const { headers, timestamp, key } = encodeLaneRecord(place, heartbeat, at);
    expect(headers).toMatchObject({
      ce_specversion: '1.0',
      ce_id: '1790000000000-2-7',
      ce_type: 'curfew.heartbeat',
      ce_time: new Date(at.timestamp).toISOString(),
    });
    expect([timestamp, key]).toEqual([String(at.timestamp), null]);
  });

  it('of a type that is not known keeps its place', () => {
    const { headers } = encodeLaneRecord(place, heartbeat, at);
    expect(decodeLaneRecord({ ...headers, ce_type: 'curfew.new' }, '{}')).toEqual({
      place,
      content: { kind: 'unknown', type: 'curfew.new' },
    });
  });

  it.each([
    ['no headers', {}, '{}'],
    ['a sequence that is no number', { ce_sequence: 'x' }, '{}'],
    ['a heartbeat without a barrier', {}, '{"cursor":""}'],
    ['no JSON', {}, 'no JSON'],
    ['no value', {}, null],
  ])('is refused: %s', (what, changes, value) => {
    const { headers } = encodeLaneRecord(place, heartbeat, at);
    const given = what === 'no headers' ? {} : { ...headers, ...changes };
    expect(() => decodeLaneRecord(given, value)).toThrow(what === 'no JSON' ? SyntaxError : Error);
  });

  it('has a key that no other tenant and user share', () => {
    const key = (tenant: string, sub: string) => laneKey({ tenant, sub } as never);
    expect(key('a', 'bc')).not.toBe(key('ab', 'c'));
  });
});

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { RevocationMessage } from '../vocabulary.js';
import { decodeLaneRecord, encodeLaneRecord, HEARTBEAT_TYPE, type LaneContent } from './lane-record.js';

const PAGE = resolve(import.meta.dirname, '../../../docs/reference/revocation-stream');
const SAMPLE = resolve(PAGE, 'sample.jsonl');

const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true });
const validator = (name: string) =>
  ajv.compile(JSON.parse(readFileSync(resolve(PAGE, `${name}.schema.json`), 'utf8')) as object);
const validate = { heartbeat: validator('heartbeat'), revocation: validator('revocation') };

const facts = { tenant: 'default', sub: '', reason: 'admin', initiator: 'admin', position: '1' } as const;
const messages: readonly RevocationMessage[] = [
  { ...facts, scope: 'session', sub: 'u', sid: 'a'.repeat(32) },
  ...(['user', 'client', 'tenant', 'global'] as const).map((scope) => ({
    ...facts,
    scope,
    client: '',
    revocationId: 'r-1',
    epoch: 2,
    excepted: { ['b'.repeat(32)]: 1 },
  })),
];

const valueOf = (content: Exclude<LaneContent, { kind: 'unknown' }>): unknown =>
  JSON.parse(
    encodeLaneRecord({ streamId: 's', lanes: 1, incarnation: 1, sequence: 1 }, content, {
      lane: 0,
      source: '/curfew/i',
      timestamp: 1,
    }).value,
  );

/** One line of the recorded sample, as `kcat -C -J` prints it. */
interface SampleLine {
  readonly partition: number;
  readonly offset: number;
  readonly ts: number;
  readonly headers: readonly string[];
  readonly key: string | null;
  readonly payload: string;
}

describe('the JSON Schemas of the contract page', () => {
  it.each(messages)('accept what is published: scope $scope', (revocation) => {
    const value = valueOf({
      kind: 'revocation',
      published: { revocation, revocationId: 'r-1', appliesUntil: 1_790_000_000_000 },
    });
    expect(validate.revocation(value)).toBe(true);
  });

  it('accept a heartbeat', () => {
    const heartbeat = { barrier: '1', cursor: '1:1:', referenceTimeMs: 1, maxAccessTtlMs: 1 };
    expect(validate.heartbeat(valueOf({ kind: 'heartbeat', heartbeat }))).toBe(true);
  });

  it('refuse a revocation without what its scope needs', () => {
    const value = valueOf({
      kind: 'revocation',
      published: { revocation: messages[1]!, revocationId: 'r-1', appliesUntil: 1 },
    });
    expect(validate.revocation({ ...(value as object), epoch: undefined })).toBe(false);
    expect(validate.revocation({ ...(value as object), scope: 'session' })).toBe(false);
  });
});

describe('the recorded sample', () => {
  const lines = existsSync(SAMPLE)
    ? readFileSync(SAMPLE, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as SampleLine)
    : [];

  it('holds heartbeats of every lane, and revocations of a session and of a scope', () => {
    const types = lines.map(({ headers }) => headers[headers.indexOf('ce_type') + 1]);
    const lanes = new Set(lines.map(({ partition }) => partition));
    expect(types).toContain(HEARTBEAT_TYPE);
    expect(lanes.size).toBe(4);
    const scopes = lines
      .filter((_, index) => types[index] !== HEARTBEAT_TYPE)
      .map(({ payload }) => (JSON.parse(payload) as RevocationMessage).scope);
    expect(new Set(scopes)).toEqual(new Set(['session', 'user']));
  });

  it('is what the schemas say, contiguous in each lane, stamped with reference time', () => {
    const last = new Map<number, number>();
    for (const { partition, headers, payload, ts } of lines) {
      const named = Object.fromEntries(
        headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1]!]] : [])),
      );
      const { place, content } = decodeLaneRecord(named, payload);
      const check = content.kind === 'heartbeat' ? validate.heartbeat : validate.revocation;
      expect(check(JSON.parse(payload))).toBe(true);
      expect(place.sequence).toBe((last.get(partition) ?? place.sequence - 1) + 1);
      expect(new Date(named['ce_time'] ?? '').getTime()).toBe(ts);
      last.set(partition, place.sequence);
    }
  });
});

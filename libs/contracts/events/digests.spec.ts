import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import type { Ajv2020 } from 'ajv/dist/2020.js';
import { EVENT_CATALOGUE, EVENT_TYPES, eventSchema } from './event-catalogue.js';
import { EVENT_METADATA_SCHEMA } from './metadata-schema.js';

const { Ajv2020: Compiler } = createRequire(import.meta.url)('ajv/dist/2020.js') as {
  Ajv2020: typeof Ajv2020;
};
const FROZEN = JSON.parse(readFileSync(new URL('digests.json', import.meta.url), 'utf8')) as Record<
  string,
  string
>;

const SCHEMAS = new Map<string, unknown>(
  EVENT_TYPES.flatMap((type) =>
    Object.keys(EVENT_CATALOGUE[type].versions).map((version) => [
      `${type} v${version}`,
      eventSchema(type, Number(version)),
    ]),
  ),
);

/** What a schema admits, in one spelling: texts for people and the order of names do not count. */
function canonical(value: unknown, isNames = false): unknown {
  if (Array.isArray(value)) return value.map((item) => canonical(item));
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([name]) => isNames || name !== 'description');
  return Object.fromEntries(
    members
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [
        name,
        !isNames && (name === 'required' || name === 'enum')
          ? [...(member as string[])].sort()
          : canonical(member, !isNames && (name === 'properties' || name === 'patternProperties')),
      ]),
  );
}

const digestOf = (schema: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(canonical(schema)))
    .digest('hex');

const ADVICE =
  'Events of this version are in logs already, and every reader relies on its shape. Leave the schema as it was and add a new ' +
  'version instead: its schema in event-catalogue.ts, CURRENT_VERSION, an upcaster, a golden file, a digest (docs/adr/0014).';

describe('frozen schemas', () => {
  it.each([...SCHEMAS.keys()])('%s has not changed since it was released', (name) => {
    const found = digestOf(SCHEMAS.get(name));
    const frozen = FROZEN[name];
    if (frozen === undefined) throw new Error(`${name} is new: add "${name}": "${found}" to digests.json`);
    if (frozen !== found) throw new Error(`The schema of ${name} has changed. ${ADVICE}`);
  });

  it('the metadata has not changed', () => {
    const found = digestOf(EVENT_METADATA_SCHEMA);
    if (FROZEN['metadata'] !== found) {
      throw new Error(
        `The schema of the metadata has changed. It has no version, so what is stored must stay valid: only optional members ` +
          `may be added. If that is so, put "metadata": "${found}" into digests.json`,
      );
    }
  });

  it('no version was taken away', () => {
    expect(Object.keys(FROZEN).sort()).toEqual([...SCHEMAS.keys(), 'metadata'].sort());
  });

  it('a digest tells any change of what is admitted, and no change of a description', () => {
    const schema = structuredClone(EVENT_METADATA_SCHEMA) as unknown as Record<
      string,
      Record<string, object>
    >;
    const before = digestOf(schema);
    Object.assign(schema['properties']!['keyId']!, { description: 'said differently' });
    expect(digestOf(schema)).toBe(before);
    Object.assign(schema['properties']!, { description: { type: 'string' } });
    expect(digestOf(schema)).not.toBe(before);
  });

  it.each([...SCHEMAS, ['metadata', EVENT_METADATA_SCHEMA] as const])(
    '%s is a JSON Schema (2020-12)',
    (_name, schema) => {
      const ajv = new Compiler({ strict: true });
      expect(ajv.validateSchema(schema as object)).toBe(true);
    },
  );
});

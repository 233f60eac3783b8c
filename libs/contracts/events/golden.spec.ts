import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { assertEvent, assertEventMetadata } from './assert-event.js';
import {
  CURRENT_VERSION,
  EVENT_CATALOGUE,
  EVENT_TYPES,
  eventSchema,
  type EventType,
} from './event-catalogue.js';
import { EVENT_METADATA_SCHEMA } from './metadata-schema.js';
import type { JsonSchema } from './schema-parts.js';
import { upcast, type VersionedEvent } from './upcast.js';

const FOLDER = fileURLToPath(new URL('golden', import.meta.url));

interface Golden {
  /** As it was appended, with every member that its version has. Never edited. */
  readonly stored: VersionedEvent & { readonly metadata: Record<string, unknown> };
  /** As it must be read today. */
  readonly upcast: Golden['stored'];
}

const versionsOf = (type: EventType): number[] => Object.keys(EVENT_CATALOGUE[type].versions).map(Number);
const fileOf = (type: string, version: number): string => `${type}.v${version}.json`;
const ALL = EVENT_TYPES.flatMap((type) => versionsOf(type).map((version) => [type, version] as const));
const goldenOf = (type: string, version: number): Golden =>
  JSON.parse(readFileSync(`${FOLDER}/${fileOf(type, version)}`, 'utf8')) as Golden;

interface Schema extends JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

/** Every object in a value with the schema it is under. */
function objectsIn(value: unknown, schema: JsonSchema, path: readonly string[] = []): [string[], Schema][] {
  const { properties }: Schema = schema;
  if (properties === undefined) return [];
  const members = Object.entries(properties).flatMap(([name, member]) =>
    objectsIn((value as Record<string, unknown>)[name], member, [...path, name]),
  );
  return [[[...path], schema], ...members];
}

/** A deep copy of the value in which one object was changed. */
function changed<T>(value: T, path: readonly string[], change: (object: Record<string, unknown>) => void): T {
  const copy = structuredClone(value);
  change(path.reduce((at, name) => at[name] as Record<string, unknown>, copy as Record<string, unknown>));
  return copy;
}

const without =
  (name: string) =>
  (object: Record<string, unknown>): void =>
    void Reflect.deleteProperty(object, name);

describe('golden events', () => {
  it('there is one for every type and version, and no other', () => {
    expect(readdirSync(FOLDER).sort()).toEqual(ALL.map(([type, version]) => fileOf(type, version)).sort());
  });

  it.each(EVENT_TYPES)('the versions of %s go from 1 to the current one', (type) => {
    expect(versionsOf(type)).toEqual(Array.from({ length: CURRENT_VERSION[type] }, (_, i) => i + 1));
  });

  it.each(ALL)('%s v%i: stored, checked, and read as the current version', (type, version) => {
    const golden = goldenOf(type, version);
    expect([golden.stored.type, golden.stored.schemaVersion]).toEqual([type, version]);
    expect(golden.upcast.schemaVersion).toBe(CURRENT_VERSION[type]);
    assertEvent(type, version, golden.stored.data);
    assertEventMetadata(type, golden.stored.metadata);

    const before = structuredClone(golden.stored);
    expect(upcast(golden.stored)).toEqual(golden.upcast);
    expect(golden.stored).toEqual(before);
    assertEvent(type, CURRENT_VERSION[type], golden.upcast.data);
  });

  it.each(ALL)('%s v%i has every member that its schema knows', (type, version) => {
    const { data } = goldenOf(type, version).stored;
    // A scope is named by some of its members, see below.
    const elsewhere = type === 'scope.revoked' ? ['client'] : [];
    for (const [path, { properties = {} }] of objectsIn(data, eventSchema(type, version))) {
      changed(data, path, (object) =>
        expect([...Object.keys(object), ...elsewhere].sort()).toEqual(Object.keys(properties).sort()),
      );
    }
  });

  it.each(ALL)('%s v%i: nothing may be added or missing, at any depth', (type, version) => {
    const { data } = goldenOf(type, version).stored;
    const check = (value: unknown) => () => assertEvent(type, version, value);
    for (const [path, { properties = {}, required = [] }] of objectsIn(data, eventSchema(type, version))) {
      expect(check(changed(data, path, (object) => void (object['more'] = 1)))).toThrow(/additionalProp/);
      for (const name of required) expect(check(changed(data, path, without(name)))).toThrow(/required/);
      const named = type === 'scope.revoked' ? ['tenant', 'sub'] : [];
      for (const name of Object.keys(properties)) {
        if (required.includes(name) || named.includes(name)) continue;
        expect(check(changed(data, path, without(name)))).not.toThrow();
      }
    }
  });

  it('nothing may be added to the metadata or missing from it', () => {
    const { metadata } = goldenOf('session.rotated', 1).stored;
    const check = (value: unknown) => () => assertEventMetadata('session.rotated', value);
    expect(Object.keys(metadata).sort()).toEqual(Object.keys(EVENT_METADATA_SCHEMA.properties).sort());
    for (const [path, { required = [] }] of objectsIn(metadata, EVENT_METADATA_SCHEMA)) {
      expect(check(changed(metadata, path, (object) => void (object['more'] = 1)))).toThrow(/additionalProp/);
      for (const name of required) expect(check(changed(metadata, path, without(name)))).toThrow(/required/);
    }
    for (const name of ['causationId', 'keyId'])
      expect(check(changed(metadata, [], without(name)))).not.toThrow();
  });

  it.each([
    ['user', ['tenant', 'sub']],
    ['client', ['tenant', 'client']],
    ['tenant', ['tenant']],
    ['global', []],
  ])('scope.revoked of %s is named by exactly %j', (kind, members) => {
    const golden = goldenOf('scope.revoked', 1).stored.data;
    const unnamed = Object.entries(golden).filter(([name]) => name !== 'tenant' && name !== 'sub');
    const named = members.map((name) => [name, 'acme'] as const);
    const data = { ...Object.fromEntries([...unnamed, ...named]), kind };
    const check = (value: unknown) => () => assertEvent('scope.revoked', 1, value);
    expect(check(data)).not.toThrow();
    for (const name of ['tenant', 'sub', 'client']) {
      const wrong = changed(
        data,
        [],
        members.includes(name) ? without(name) : (object) => void (object[name] = 'x'),
      );
      expect(check(wrong)).toThrow();
    }
  });
});

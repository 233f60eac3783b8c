import { CURRENT_VERSION, eventSchema, type EventType } from './event-catalogue.js';
import type { JsonSchema } from './schema-parts.js';
import { upcast } from './upcast.js';

/** Hashes, salts and key ids appear in no topic, no history and no answer (DESIGN §5). */
const WITHHELD: ReadonlySet<string> = new Set([
  'secretHash',
  'salt',
  'pepperId',
  'macKeyId',
  'idempotencyKeyHash',
]);
/** Personal data, sealed under the user's key: opened for who may read it, published to nobody. */
const SEALED: ReadonlySet<string> = new Set(['device', 'claims', 'note']);

/** What may be done with a member of an event's data. */
export function secrecyOf(member: string): 'open' | 'sealed' | 'withheld' {
  if (WITHHELD.has(member)) return 'withheld';
  return SEALED.has(member) ? 'sealed' : 'open';
}

const openMembers = <T>(members: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(members).filter(([name]) => secrecyOf(name) === 'open'));

/** JSON Schema (draft 2020-12) of an event's data as it is published: of the current version, without what is kept back. */
export function publishedSchema(type: EventType): JsonSchema {
  const schema = eventSchema(type, CURRENT_VERSION[type]) as JsonSchema & {
    readonly properties: Readonly<Record<string, JsonSchema>>;
    readonly required: readonly string[];
  };
  return {
    ...schema,
    properties: openMembers(schema.properties),
    required: schema.required.filter((name) => secrecyOf(name) === 'open'),
  } as JsonSchema;
}

/** As much of a stored event as is published. */
interface StoredEvent {
  readonly id: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: {
    readonly recordedAt: number;
    readonly actor: { readonly kind: string; readonly id: string };
    readonly initiator: string;
    readonly tenant: string;
    readonly correlationId: string;
    readonly causationId?: string;
  };
  readonly stream: string;
  readonly revision: number;
  readonly position: string;
}

export interface PublishedEventRecord {
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
  /** CreateTime, milliseconds as text: recorded-at. */
  readonly timestamp: string;
}

const SESSION_PREFIX = 'session-';

/**
 * A lifecycle event as a record of the session-events topic: CloudEvents 1.0, Kafka binary mode
 * (docs/reference/session-events.md). Keyed by sid; what belongs to another stream by that stream's name.
 * @throws Error for an event that this version cannot read: whoever publishes stops there
 */
export function encodeSessionEvent(stored: StoredEvent, source: string): PublishedEventRecord {
  const { id, type, schemaVersion, data, metadata, stream, revision, position } = upcast(stored);
  const { recordedAt, actor, initiator, tenant, correlationId, causationId } = metadata;
  const key = stream.startsWith(SESSION_PREFIX) ? stream.slice(SESSION_PREFIX.length) : stream;
  return {
    key,
    value: JSON.stringify(openMembers(data)),
    headers: {
      'content-type': 'application/json',
      ce_specversion: '1.0',
      ce_id: id,
      ce_source: source,
      ce_type: `curfew.${type}`,
      ce_time: new Date(recordedAt).toISOString(),
      ce_subject: key,
      ce_schemaversion: String(schemaVersion),
      ce_tenant: tenant,
      ce_revision: String(revision),
      ce_position: position,
      ce_initiator: initiator,
      ce_actorkind: actor.kind,
      ce_actorid: actor.id,
      ce_correlationid: correlationId,
      ...(causationId === undefined ? {} : { ce_causationid: causationId }),
    },
    timestamp: String(recordedAt),
  };
}

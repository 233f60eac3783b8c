import { scopeRevokedV1, userSessionAdmittedV1 } from './scope-schemas.js';
import {
  sessionCreatedV1,
  sessionCreatedV2,
  sessionExpiredV1,
  sessionRevokedV1,
  sessionRotatedV1,
  sessionRotatedV2,
  sessionRotationReplayedV1,
  sessionTheftDetectedV1,
} from './session-schemas.js';
import type { DataOf, JsonSchema } from './schema-parts.js';

export interface EventEntry {
  /** What the event says, in a sentence. */
  readonly says: string;
  readonly stream: string;
  /** The schema of the data, by version. Contiguous from 1; a version that was ever appended stays, unchanged. */
  readonly versions: Readonly<Record<number, JsonSchema>>;
}

const SESSION = '`session-<sid>`';

/** The one list of events. What may be appended, what can be read and `docs/reference/events.md` come from it. */
export const EVENT_CATALOGUE = {
  'session.created': {
    says: 'A session began.',
    stream: `${SESSION}, the first event`,
    versions: { 1: sessionCreatedV1, 2: sessionCreatedV2 },
  },
  'session.rotated': {
    says: 'The refresh token was exchanged for its successor.',
    stream: SESSION,
    versions: { 1: sessionRotatedV1, 2: sessionRotatedV2 },
  },
  'session.rotation-replayed': {
    says: 'The same successor was given out again. Once per rotation and rule.',
    stream: SESSION,
    versions: { 1: sessionRotationReplayedV1 },
  },
  'session.theft-detected': {
    says: 'A superseded refresh token was presented outside the grace. `session.revoked` follows in the same append.',
    stream: SESSION,
    versions: { 1: sessionTheftDetectedV1 },
  },
  'session.revoked': {
    says: 'The session was ended.',
    stream: `${SESSION}, the last event`,
    versions: { 1: sessionRevokedV1 },
  },
  'session.expired': {
    says: 'The session ran out. For the record: expiry itself is checked at use.',
    stream: `${SESSION}, the last event`,
    versions: { 1: sessionExpiredV1 },
  },
  'user.session-admitted': {
    says: 'A session took a slot of its user; sessions that were found dead gave theirs back. In the same append as `session.created`.',
    stream: '`scope-user-<tenant>:<sub>`',
    versions: { 1: userSessionAdmittedV1 },
  },
  'scope.revoked': {
    says: 'Every session of a scope whose epoch is lower was ended, but for the spared ones.',
    stream:
      '`epoch-user-<tenant>:<sub>`, `epoch-client-<tenant>:<client>`, `epoch-tenant-<tenant>` or `epoch-global`',
    versions: { 1: scopeRevokedV1 },
  },
} as const satisfies Readonly<Record<string, EventEntry>>;

export type EventType = keyof typeof EVENT_CATALOGUE;

export const EVENT_TYPES = Object.keys(EVENT_CATALOGUE) as readonly EventType[];

/** The version that is appended; what is read comes as this one. */
export const CURRENT_VERSION = {
  'session.created': 2,
  'session.rotated': 2,
  'session.rotation-replayed': 1,
  'session.theft-detected': 1,
  'session.revoked': 1,
  'session.expired': 1,
  'user.session-admitted': 1,
  'scope.revoked': 1,
} as const satisfies Record<EventType, number>;

/** The data of an event of the current version, as its schema has it. */
export type EventData<T extends EventType> = DataOf<CurrentSchema<T>>;

type CurrentSchema<T extends EventType> = (typeof EVENT_CATALOGUE)[T]['versions'] extends infer Versions
  ? Versions[(typeof CURRENT_VERSION)[T] & keyof Versions]
  : never;

export const isEventType = (type: string): type is EventType => Object.hasOwn(EVENT_CATALOGUE, type);

/** @throws Error for an unknown type or version */
export function eventSchema(type: string, version: number): JsonSchema {
  const entry: EventEntry | undefined = isEventType(type) ? EVENT_CATALOGUE[type] : undefined;
  const schema = entry?.versions[version];
  if (schema === undefined) throw new Error(`there is no event ${type} v${version}`);
  return schema;
}

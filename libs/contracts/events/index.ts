export { assertEvent, assertEventMetadata, prepareEventChecks } from './assert-event.js';
export {
  CURRENT_VERSION,
  EVENT_CATALOGUE,
  EVENT_TYPES,
  isEventType,
  type EventData,
  type EventEntry,
  type EventType,
} from './event-catalogue.js';
export { EVENT_METADATA_SCHEMA } from './metadata-schema.js';
export type { JsonSchema } from './schema-parts.js';
export { upcast, type VersionedEvent } from './upcast.js';
export {
  encodeSessionEvent,
  publishedSchema,
  secrecyOf,
  type PublishedEventRecord,
} from './published-event.js';

import { INITIATOR, KEY_ID_PATTERN, milliseconds } from './fields.js';
import { choice, object, text } from './schema-parts.js';

/** What doors take for a correlation id. */
const CORRELATION_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,127}$';

/**
 * What every event carries beside its data. It has no version: events of all versions have it, so it may gain optional members
 * and nothing else.
 */
export const EVENT_METADATA_SCHEMA = object(
  'What every event carries beside its data.',
  {
    recordedAt: milliseconds('Reference time, for the record: nothing is ordered by it.'),
    actor: object('Who caused it.', {
      kind: choice('An API key, or a part of the service.', ['api-key', 'system']),
      id: text('Id of the API key, or name of the part.', '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$'),
    }),
    initiator: INITIATOR,
    tenant: text('The tenant; empty for what belongs to none.', '^[A-Za-z0-9._~-]{0,64}$'),
    correlationId: text('Id of the call, as its caller may have named it.', CORRELATION_PATTERN),
  },
  {
    causationId: text('Id of what led to it.', CORRELATION_PATTERN),
    keyId: text('Id of the user’s key that seals the event’s personal data.', KEY_ID_PATTERN),
  },
);

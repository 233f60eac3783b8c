import {
  EVENT_CATALOGUE,
  EVENT_TYPES,
  publishedSchema,
  SESSION_EVENTS_TOPIC,
  type EventType,
} from '#contracts';
import { generatedFrom } from './generated-from.js';

const section = (type: EventType): string =>
  `## curfew.${type}\n\n${EVENT_CATALOGUE[type].says}\n\n\`\`\`json\n${JSON.stringify(publishedSchema(type), null, 2)}\n\`\`\`\n`;

/** `docs/reference/session-events.md` */
export const sessionEventsPage = (): string => `${generatedFrom('libs/contracts/events/published-event.ts')}

# Session events on Kafka

Topic \`${SESSION_EVENTS_TOPIC}\` unless set otherwise: every lifecycle event of the log, in the log's order within a partition, at least once. It begins
with the first event of the log. Records are CloudEvents 1.0 in the binary mode of the Kafka binding. What is kept back: hashes, salts, key ids, and all that is sealed.

- Key: the session id; of an event that belongs to no session, the name of its stream. Partitions are chosen as Kafka's Java clients choose them.
- Timestamp (CreateTime): when the event was recorded. Nothing is ordered by it.
- A consumer drops duplicates by \`ce_id\`, or by \`ce_revision\` within a key.

| header | meaning |
| --- | --- |
| \`content-type\` | \`application/json\` |
| \`ce_specversion\` | \`1.0\` |
| \`ce_id\` | the event's id, a UUID |
| \`ce_source\` | names the installation, by its \`CURFEW_ISSUER\` |
| \`ce_type\` | \`curfew.\` and the type of the event |
| \`ce_time\` | when it was recorded, RFC 3339 |
| \`ce_subject\` | as the key |
| \`ce_schemaversion\` | version of the data below; old events come as the current one |
| \`ce_tenant\` | the tenant; empty for what belongs to none |
| \`ce_revision\` | place in its stream, from 0 |
| \`ce_position\` | place in the log; opaque |
| \`ce_initiator\`, \`ce_actorkind\`, \`ce_actorid\` | who wanted it, and who called |
| \`ce_correlationid\`, \`ce_causationid\` | of the call, and of what led to it (if anything did) |

The JSON Schema (draft 2020-12) of the data, by type:

${EVENT_TYPES.map(section).join('\n')}`;

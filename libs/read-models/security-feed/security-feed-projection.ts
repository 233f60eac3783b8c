import type { RecordedEvent } from '#application';
import type { ProjectionClient, ProjectionDefinition } from '../projections/projection.js';
import { securityFeedChanges } from './security-feed-changes.js';
import { createSecurityFeed } from './security-feed-schema.js';

/**
 * Thefts, replays and mass revocations, one row an event. A theft's row gets its `sub` with the revocation that stands behind
 * the theft in the log, also where a batch ends between the two. An event applied again changes nothing.
 */
export const securityFeedProjection: ProjectionDefinition = {
  name: 'security-feed',
  tables: ['security_feed'],
  inline: false,
  createTables: createSecurityFeed,
  async apply(client: ProjectionClient, version: number, events: readonly RecordedEvent[]): Promise<void> {
    const { rows, victims } = securityFeedChanges(events);
    if (rows.length > 0) {
      await client.query({
        text: `insert into curfew.security_feed_${version} (event_id, position, tenant, kind, sid, sub, at, detail)
          select event_id, position, tenant, kind, sid, sub, at, detail
          from jsonb_to_recordset($1::jsonb) as r(event_id text, position text, tenant text, kind text, sid text,
            sub text, at bigint, detail jsonb)
          on conflict (event_id) do nothing`,
        values: [JSON.stringify(rows)],
      });
    }
    if (victims.length > 0) {
      await client.query({
        text: `update curfew.security_feed_${version} f set sub = v.sub
          from jsonb_to_recordset($1::jsonb) as v(sid text, sub text)
          where f.sid = v.sid and f.kind = 'session.theft-detected' and f.sub is null`,
        values: [JSON.stringify(victims)],
      });
    }
  },
};

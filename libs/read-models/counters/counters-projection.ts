import type { RecordedEvent } from '#application';
import type { ProjectionClient, ProjectionDefinition } from '../projections/projection.js';
import { createHourlyCounts } from './counters-schema.js';
import { hourlyCounts } from './hourly-counts.js';

/**
 * Counters over time, by the hour of recorded-at. An event applied again counts again: the checkpoint, in the same
 * transaction, is what keeps it to once. Cost: one statement, one row per tenant, hour and name of the batch.
 */
export const countersProjection: ProjectionDefinition = {
  name: 'counters',
  tables: ['hourly_counts'],
  inline: false,
  createTables: createHourlyCounts,
  async apply(client: ProjectionClient, version: number, events: readonly RecordedEvent[]): Promise<void> {
    const counts = hourlyCounts(events);
    if (counts.length === 0) return;
    await client.query({
      text: `insert into curfew.hourly_counts_${version} as h (tenant, hour, name, count)
        select tenant, hour, name, count
        from jsonb_to_recordset($1::jsonb) as c(tenant text, hour bigint, name text, count bigint)
        on conflict (tenant, hour, name) do update set count = h.count + excluded.count`,
      values: [JSON.stringify(counts)],
    });
  },
};

import type { RecordedEvent } from '#application';
import type { ProjectionClient, ProjectionDefinition } from '../projections/projection.js';
import { foldSessionViewChanges } from './session-view-changes.js';
import { createSessionViews } from './session-views-schema.js';

/**
 * Sessions per user and per tenant. `PostgresEventLog` keeps them in the append's own statement (`sessionViewChanges`); `apply`
 * does the same where the log cannot, and in a rebuild. An event applied again changes nothing, and streams may come in any
 * order among each other. Cost: one statement, one change per session of the batch.
 */
export const sessionsProjection: ProjectionDefinition = {
  name: 'sessions',
  tables: ['session_views'],
  inline: true,
  createTables: createSessionViews,
  async apply(client: ProjectionClient, version: number, events: readonly RecordedEvent[]): Promise<void> {
    const changes = foldSessionViewChanges(events);
    if (changes.length === 0) return;
    await client.query({ text: applyChanges(version), values: [JSON.stringify(changes)] });
  },
};

/** Never named: a plan made while the table was empty would scan it when it is large. */
const applyChanges = (version: number): string => `
with c as materialized (
  select * from jsonb_to_recordset($1::jsonb) as c(sid text, tenant text, sub text, client text, roles jsonb, gen int,
    created_at bigint, last_seen_at bigint, idle_timeout bigint, absolute_timeout bigint, device jsonb,
    ended_at bigint, ended_reason text, ended_initiator text, revision int,
    ep_user int, ep_client int, ep_tenant int, ep_global int)
), made as (
  insert into curfew.session_views_${version} as v (sid, tenant, sub, client, roles, gen, created_at, last_seen_at,
    idle_timeout, absolute_timeout, device, ended_at, ended_reason, ended_initiator, revision,
    ep_user, ep_client, ep_tenant, ep_global)
  select sid, tenant, sub, client, roles, gen, created_at, last_seen_at,
    idle_timeout, absolute_timeout, device, ended_at, ended_reason, ended_initiator, revision,
    ep_user, ep_client, ep_tenant, ep_global
  from c where tenant is not null
  on conflict (sid) do update set ${merge('excluded')} where excluded.revision > v.revision
)
update curfew.session_views_${version} v set ${merge('c')}
from c where v.sid = c.sid and c.tenant is null and c.revision > v.revision`;

/** As `curfew.apply_inline_views` does it. */
const merge = (change: 'c' | 'excluded'): string => `
    revision = ${change}.revision,
    gen = coalesce(${change}.gen, v.gen),
    last_seen_at = greatest(${change}.last_seen_at, v.last_seen_at),
    device = coalesce(${change}.device, v.device),
    ended_at = coalesce(v.ended_at, ${change}.ended_at),
    ended_reason = coalesce(v.ended_reason, ${change}.ended_reason),
    ended_initiator = coalesce(v.ended_initiator, ${change}.ended_initiator),
    ep_user = greatest(${change}.ep_user, v.ep_user),
    ep_client = greatest(${change}.ep_client, v.ep_client),
    ep_tenant = greatest(${change}.ep_tenant, v.ep_tenant),
    ep_global = greatest(${change}.ep_global, v.ep_global)`;

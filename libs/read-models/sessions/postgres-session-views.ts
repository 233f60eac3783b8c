import type pg from 'pg';
import type { SessionView, SessionViewPage, SessionViews, ViewPageRequest } from '#application';
import type { Initiator, Reason } from '#contracts';
import type { Sealed } from '#domain';
import { isStorableText, unavailableIfConnection } from '#platform';
import { pageCursor, parsePageCursor } from '../page-cursor.js';
import { parseSweepCursor, sweepCursor, type SweepEnd } from './sweep-cursor.js';

interface ViewRow {
  readonly tenant: string;
  readonly sub: string;
  readonly sid: string;
  readonly client: string;
  readonly roles: string[];
  readonly gen: number;
  readonly ep_user: number;
  readonly ep_client: number;
  readonly ep_tenant: number;
  readonly ep_global: number;
  readonly created_at: string;
  readonly last_seen_at: string;
  readonly idle_timeout: string;
  readonly absolute_timeout: string;
  readonly device: Sealed | null;
  readonly ended_at: string | null;
  readonly ended_reason: Reason | null;
  readonly ended_initiator: Initiator | null;
}

interface SweepRow extends Pick<ViewRow, 'tenant' | 'created_at' | 'sid'> {
  readonly sids: string[];
  readonly examined: number;
}

/** @param by what the index that is to be used has in the place of the time */
const part = (filter: string, by: string, ended: boolean): string => `
  select tenant, sub, sid, client, roles, gen, ep_user, ep_client, ep_tenant, ep_global, created_at, last_seen_at,
    idle_timeout, absolute_timeout, device, ended_at, ended_reason, ended_initiator
  from curfew.session_views
  where tenant = $1 and (${by}, sid) < ($2, $3) ${filter} and ended_at is ${ended ? 'not ' : ''}null
  order by ${by} desc, sid desc limit $4`;
/** Open and ended ones are in indexes of their own: each gives a page, and the newest of both are the page. */
const parts = (filter: string, by: string): string => `
  select * from ((${part(filter, by, false)}) union all (${part(filter, by, true)})) s
  order by created_at desc, sid desc limit $4`;

const OF_USER = ['and sub = $5', 'created_at'] as const;
/** Not `created_at`: see the indexes. */
const OF_TENANT = ['', 'created_at + 0'] as const;
const LISTS = {
  user: {
    open: { name: 'session-views-of-user-open', text: part(...OF_USER, false) },
    all: { name: 'session-views-of-user', text: parts(...OF_USER) },
  },
  tenant: {
    open: { name: 'session-views-of-tenant-open', text: part(...OF_TENANT, false) },
    all: { name: 'session-views-of-tenant', text: parts(...OF_TENANT) },
  },
} as const;

/** In the order of the index of a tenant's open sessions: nothing in it changes while a session lives. */
const OVERDUE = {
  name: 'session-views-overdue',
  text: `
    with examined as materialized (
      select tenant, created_at, sid,
        least(last_seen_at + idle_timeout, created_at + absolute_timeout) <= $4 as overdue
      from curfew.session_views
      where ended_at is null and (tenant, created_at + 0, sid) > ($1, $2, $3)
      order by tenant, created_at + 0, sid limit $5
    )
    select (select coalesce(array_agg(sid order by tenant, created_at, sid), '{}') from examined where overdue) as sids,
      (select count(*)::int from examined) as examined, last.tenant, last.created_at, last.sid
    from examined last order by tenant desc, created_at desc, sid desc limit 1`,
};

/**
 * The session views on PostgreSQL. `PostgresEventLog` keeps them, with `sessionViewChanges` as its inline projection, or
 * `sessionsProjection` does. Cost of a page: index range scans that end with the page, however many sessions there are.
 */
export class PostgresSessionViews implements SessionViews {
  /** @param pool of the primary; stays the caller's */
  constructor(private readonly pool: pg.Pool) {}

  listByUser(tenant: string, sub: string, page: ViewPageRequest): Promise<SessionViewPage> {
    return this.list(LISTS.user, tenant, page, [sub]);
  }

  listByTenant(tenant: string, page: ViewPageRequest): Promise<SessionViewPage> {
    return this.list(LISTS.tenant, tenant, page, []);
  }

  async listOverdue(
    now: number,
    after: string,
    examine: number,
  ): Promise<{ readonly sids: readonly string[]; readonly next: string }> {
    const begin = parseSweepCursor(after);
    const [step] = await this.rows<SweepRow>(OVERDUE, [
      begin.tenant,
      begin.createdAt,
      begin.sid,
      now,
      examine,
    ]);
    if (step === undefined) return { sids: [], next: '' };
    if (step.examined < examine) return { sids: step.sids, next: '' };
    const end: SweepEnd = { tenant: step.tenant, createdAt: Number(step.created_at), sid: step.sid };
    return { sids: step.sids, next: sweepCursor(end) };
  }

  private async list(
    lists: (typeof LISTS)[keyof typeof LISTS],
    tenant: string,
    page: ViewPageRequest,
    filters: readonly string[],
  ): Promise<SessionViewPage> {
    const end = parsePageCursor(page.cursor);
    // No such text can be stored; the driver would send another one in its place.
    if (![tenant, ...filters].every(isStorableText)) return { sessions: [] };
    const rows = await this.rows<ViewRow>(page.includeEnded ? lists.all : lists.open, [
      tenant,
      end.at,
      end.id,
      page.limit + 1,
      ...filters,
    ]);
    const sessions = rows.slice(0, page.limit).map(toView);
    const last = sessions.at(-1);
    return rows.length > page.limit && last
      ? { sessions, nextCursor: pageCursor({ at: last.createdAt, id: last.sid }) }
      : { sessions };
  }

  private async rows<R extends pg.QueryResultRow>(
    statement: { readonly name: string; readonly text: string },
    values: unknown[],
  ): Promise<R[]> {
    try {
      return (await this.pool.query<R>({ ...statement, values })).rows;
    } catch (error) {
      throw unavailableIfConnection(error);
    }
  }
}

function toView(row: ViewRow): SessionView {
  const createdAt = Number(row.created_at);
  const lastSeenAt = Number(row.last_seen_at);
  const absoluteExpiresAt = createdAt + Number(row.absolute_timeout);
  return {
    tenant: row.tenant,
    sub: row.sub,
    sid: row.sid,
    client: row.client,
    gen: row.gen,
    ep: [row.ep_user, row.ep_client, row.ep_tenant, row.ep_global],
    roles: row.roles,
    createdAt,
    lastSeenAt,
    idleExpiresAt: Math.min(lastSeenAt + Number(row.idle_timeout), absoluteExpiresAt),
    absoluteExpiresAt,
    ...(row.device && { device: row.device }),
    ...(row.ended_at !== null &&
      row.ended_reason !== null &&
      row.ended_initiator !== null && {
        ended: { at: Number(row.ended_at), reason: row.ended_reason, initiator: row.ended_initiator },
      }),
  };
}

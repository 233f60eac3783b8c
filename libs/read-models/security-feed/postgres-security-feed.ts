import type pg from 'pg';
import type { SecurityFeed, SecurityFeedEntry } from '#application';
import { isStorableText, unavailableIfConnection } from '#platform';
import { EVERY_TENANT } from '../every-tenant.js';
import { pageCursor, parsePageCursor } from '../page-cursor.js';

interface FeedRow {
  readonly event_id: string;
  readonly position: string;
  readonly tenant: string;
  readonly kind: string;
  readonly sid: string | null;
  readonly sub: string | null;
  readonly at: string;
  readonly detail: Record<string, unknown>;
}

const NEWEST_FIRST = 'order by at desc, event_id desc limit $4';
const part = (tenant: string): string => `
  select event_id, position, tenant, kind, sid, sub, at, detail from curfew.security_feed
  where tenant = ${tenant} and (at, event_id) < ($2, $3) ${NEWEST_FIRST}`;
const PAGE = {
  name: 'security-feed',
  text: `select * from ((${part('$1')}) union all (${part(`'${EVERY_TENANT}'`)})) f ${NEWEST_FIRST}`,
};

/**
 * The security feed on PostgreSQL, kept by `securityFeedProjection`. Ordered by recorded-at, and by event id within one
 * millisecond. Cost of a page: two index range scans that end with it.
 */
export class PostgresSecurityFeed implements SecurityFeed {
  /** @param pool of the primary; stays the caller's */
  constructor(private readonly pool: pg.Pool) {}

  async list(
    tenant: string,
    page: { limit: number; cursor?: string },
  ): Promise<{ readonly entries: readonly SecurityFeedEntry[]; readonly nextCursor?: string }> {
    const end = parsePageCursor(page.cursor);
    // What no tenant can be called. `EVERY_TENANT` would show its rows twice.
    if (!isStorableText(tenant) || tenant === EVERY_TENANT) return { entries: [] };
    const rows = await this.rows([tenant, end.at, end.id, page.limit + 1]);
    const entries = rows.slice(0, page.limit).map(toEntry);
    const last = entries.at(-1);
    return rows.length > page.limit && last
      ? { entries, nextCursor: pageCursor({ at: last.at, id: last.eventId }) }
      : { entries };
  }

  private async rows(values: unknown[]): Promise<FeedRow[]> {
    try {
      return (await this.pool.query<FeedRow>({ ...PAGE, values })).rows;
    } catch (error) {
      throw unavailableIfConnection(error);
    }
  }
}

const toEntry = ({ sid, sub, ...row }: FeedRow): SecurityFeedEntry => ({
  eventId: row.event_id,
  kind: row.kind,
  at: Number(row.at),
  position: row.position,
  tenant: row.tenant,
  ...(sid === null ? {} : { sid }),
  ...(sub === null ? {} : { sub }),
  detail: row.detail,
});

import type pg from 'pg';
import type { SessionView, SessionViewPage, SessionViews } from '#application';
import type { Initiator, Reason } from '#contracts';
import type { Sealed } from '#domain';
import { isStorableText, unavailableIfConnection } from '#platform';
import { pageCursor, parsePageCursor } from './page-cursor.js';

interface ViewRow {
  readonly sid: string;
  readonly client: string;
  readonly roles: string[];
  readonly gen: number;
  readonly created_at: string;
  readonly last_seen_at: string;
  readonly idle_timeout: string;
  readonly absolute_timeout: string;
  readonly device: Sealed | null;
  readonly ended_at: string | null;
  readonly ended_reason: Reason | null;
  readonly ended_initiator: Initiator | null;
}

const query = (filter: string): string => `
  select sid, client, roles, gen, created_at, last_seen_at, idle_timeout, absolute_timeout, device,
    ended_at, ended_reason, ended_initiator
  from curfew.session_views
  where tenant = $1 and sub = $2 and (created_at, sid) < ($3, $4) ${filter}
  order by created_at desc, sid desc limit $5`;

const ALL = { name: 'session-views-all', text: query('') };
const OPEN = { name: 'session-views-open', text: query('and ended_at is null') };
const BEFORE_FIRST_PAGE = { createdAt: Number.MAX_SAFE_INTEGER, sid: '' };

/**
 * The per-user session view on PostgreSQL. `PostgresEventLog` keeps it, with `sessionViewChanges` as its projection and
 * `sessionViewsMigrations` run. Cost of a page: one index range scan, however many sessions the user has.
 */
export class PostgresSessionViews implements SessionViews {
  /** @param pool of the primary; stays the caller's */
  constructor(private readonly pool: pg.Pool) {}

  async listByUser(
    tenant: string,
    sub: string,
    page: { limit: number; cursor?: string; includeEnded: boolean },
  ): Promise<SessionViewPage> {
    const end = page.cursor === undefined ? BEFORE_FIRST_PAGE : parsePageCursor(page.cursor);
    // No such text can be stored; the driver would send another one in its place.
    if (![tenant, sub].every(isStorableText)) return { sessions: [] };
    const rows = await this.rows(page.includeEnded ? ALL : OPEN, [
      tenant,
      sub,
      end.createdAt,
      end.sid,
      page.limit + 1,
    ]);
    const sessions = rows.slice(0, page.limit).map((row) => toView(tenant, sub, row));
    const last = sessions.at(-1);
    return rows.length > page.limit && last ? { sessions, nextCursor: pageCursor(last) } : { sessions };
  }

  private async rows(statement: { name: string; text: string }, values: unknown[]): Promise<ViewRow[]> {
    try {
      return (await this.pool.query<ViewRow>({ ...statement, values })).rows;
    } catch (error) {
      throw unavailableIfConnection(error);
    }
  }
}

function toView(tenant: string, sub: string, row: ViewRow): SessionView {
  const createdAt = Number(row.created_at);
  const lastSeenAt = Number(row.last_seen_at);
  const absoluteExpiresAt = createdAt + Number(row.absolute_timeout);
  return {
    tenant,
    sub,
    sid: row.sid,
    client: row.client,
    gen: row.gen,
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

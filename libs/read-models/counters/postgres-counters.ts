import type pg from 'pg';
import type { Counters, HourlyCount } from '#application';
import { isStorableText, unavailableIfConnection } from '#platform';
import { EVERY_TENANT } from '../every-tenant.js';

const COUNTS = {
  name: 'hourly-counts',
  // What is of no tenant concerns every one.
  text: `select hour, name, sum(count) as count from curfew.hourly_counts
    where tenant in ($1, '${EVERY_TENANT}') and hour >= $2 and hour < $3 group by hour, name order by hour, name`,
};

/**
 * Counters over time on PostgreSQL, kept by `countersProjection`. A `global` mass revocation counts for each tenant. Cost: an
 * index range scan of at most two dozen rows an hour.
 */
export class PostgresCounters implements Counters {
  /** @param pool of the primary; stays the caller's */
  constructor(private readonly pool: pg.Pool) {}

  async list(tenant: string, from: number, to: number): Promise<readonly HourlyCount[]> {
    if (!isStorableText(tenant)) return [];
    const rows = await this.rows([tenant, from, to]);
    return rows.map(({ hour, name, count }) => ({ hour: Number(hour), name, count: Number(count) }));
  }

  private async rows(values: unknown[]): Promise<{ hour: string; name: string; count: string }[]> {
    try {
      return (await this.pool.query<{ hour: string; name: string; count: string }>({ ...COUNTS, values }))
        .rows;
    } catch (error) {
      throw unavailableIfConnection(error);
    }
  }
}

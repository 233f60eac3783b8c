import type pg from 'pg';
import type { NodeReport, NodeReportStore } from '#application';
import type { NodeWay } from '#contracts';
import { unavailableIfConnection } from '#platform';

/**
 * The commit is not waited for: a report that a crash takes comes again within seconds, and until then its node looks older
 * than it is, which is the safe error. The setting is read in the statement, so it holds for its commit.
 */
const WRITE = {
  name: 'write-node-reports',
  text: `with not_waited_for as materialized (select set_config('synchronous_commit', 'off', true))
    insert into curfew.node_reports as r (tenants, node_id, via, bound_ms, cursor, reported_at)
    select u.* from not_waited_for,
      unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::bigint[]) as u
    on conflict (tenants, node_id) do update set
      via = excluded.via, bound_ms = excluded.bound_ms, cursor = excluded.cursor, reported_at = excluded.reported_at
    where excluded.reported_at >= r.reported_at`,
};
const READ = {
  name: 'read-node-reports',
  text: `select tenants, node_id, via, bound_ms::float8 as bound_ms, cursor, reported_at::float8 as reported_at
    from curfew.node_reports where reported_at >= $1`,
};
const PRUNE = { name: 'prune-node-reports', text: 'delete from curfew.node_reports where reported_at < $1' };

interface Row {
  readonly tenants: string;
  readonly node_id: string;
  readonly via: NodeWay;
  readonly bound_ms: number;
  readonly cursor: string;
  readonly reported_at: number;
}

/** Reports of nodes on PostgreSQL, a row a node. Cost: one statement a call, whatever the number of nodes. */
export class PostgresNodeReports implements NodeReportStore {
  /** @param pool of the primary; stays the caller's */
  constructor(private readonly pool: pg.Pool) {}

  async write(reports: readonly NodeReport[]): Promise<void> {
    // In one order everywhere: two instances that write the same rows must not wait for each other crosswise.
    const named = reports.map((report) => ({ ...report, tenants: JSON.stringify(report.tenants) }));
    named.sort((a, b) => (a.tenants + a.nodeId < b.tenants + b.nodeId ? -1 : 1));
    await this.query(WRITE, [
      named.map(({ tenants }) => tenants),
      named.map(({ nodeId }) => nodeId),
      named.map(({ via }) => via),
      named.map(({ boundMs }) => boundMs),
      named.map(({ cursor }) => cursor),
      named.map(({ reportedAt }) => Math.floor(reportedAt)),
    ]);
  }

  async read(since: number): Promise<readonly NodeReport[]> {
    const rows = await this.query<Row>(READ, [Math.floor(since)]);
    // Most nodes have keys of the same tenants.
    const parsed = new Map<string, readonly string[]>();
    const tenantsOf = (text: string): readonly string[] => {
      let tenants = parsed.get(text);
      if (!tenants) parsed.set(text, (tenants = JSON.parse(text) as readonly string[]));
      return tenants;
    };
    return rows.map((row) => ({
      nodeId: row.node_id,
      tenants: tenantsOf(row.tenants),
      via: row.via,
      boundMs: row.bound_ms,
      cursor: row.cursor,
      reportedAt: row.reported_at,
    }));
  }

  async prune(before: number): Promise<void> {
    await this.query(PRUNE, [Math.floor(before)]);
  }

  private async query<T extends pg.QueryResultRow>(
    statement: { name: string; text: string },
    values: unknown[],
  ): Promise<T[]> {
    try {
      return (await this.pool.query<T>({ ...statement, values })).rows;
    } catch (error) {
      throw unavailableIfConnection(error);
    }
  }
}

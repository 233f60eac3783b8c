import type { Pool, QueryResult, QueryResultRow } from 'pg';
import type { ApiKeyRecord, ApiKeys } from '#application';
import type { ApiKeyScope } from '#contracts';
import { isStorableText, unavailableIfConnection } from '#platform';

interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  readonly scopes: ApiKeyScope[];
  readonly tenants: string[];
  readonly audiences: string[];
  /** bigint, which node-postgres gives as text. */
  readonly created_at: string;
  readonly created_by: string;
  readonly revoked_at: string | null;
}

const COLUMNS = 'id, name, scopes, tenants, audiences, created_at, created_by, revoked_at';

/** Errors: CurfewError ERR_UNAVAILABLE. Each call is one statement. */
export class PostgresApiKeys implements ApiKeys {
  constructor(private readonly pool: Pool) {}

  async insert(record: ApiKeyRecord, sha256: Uint8Array): Promise<void> {
    await this.query(
      `insert into curfew.api_keys (${COLUMNS}, sha256) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        record.id,
        record.name,
        record.scopes,
        record.tenants,
        record.audiences,
        record.createdAt,
        record.createdBy,
        record.revokedAt ?? null,
        sha256,
      ],
    );
  }

  async findByHash(sha256: Uint8Array): Promise<ApiKeyRecord | undefined> {
    const { rows } = await this.query<ApiKeyRow>(`select ${COLUMNS} from curfew.api_keys where sha256 = $1`, [
      sha256,
    ]);
    return rows[0] && toRecord(rows[0]);
  }

  /** Oldest first. */
  async list(): Promise<readonly ApiKeyRecord[]> {
    const { rows } = await this.query<ApiKeyRow>(
      `select ${COLUMNS} from curfew.api_keys order by created_at, id`,
    );
    return rows.map(toRecord);
  }

  async revoke(id: string, at: number): Promise<boolean> {
    if (!isStorableText(id)) return false;
    const { rowCount } = await this.query(
      'update curfew.api_keys set revoked_at = coalesce(revoked_at, $2) where id = $1',
      [id, at],
    );
    return rowCount === 1;
  }

  async any(): Promise<boolean> {
    const { rows } = await this.query<{ any: boolean }>(
      'select exists (select from curfew.api_keys) as "any"',
    );
    return rows[0]?.any === true;
  }

  private async query<R extends QueryResultRow>(
    text: string,
    values: unknown[] = [],
  ): Promise<QueryResult<R>> {
    try {
      return await this.pool.query<R>(text, values);
    } catch (error) {
      throw unavailableIfConnection(error);
    }
  }
}

const toRecord = (row: ApiKeyRow): ApiKeyRecord => ({
  id: row.id,
  name: row.name,
  scopes: row.scopes,
  tenants: row.tenants,
  audiences: row.audiences,
  createdAt: Number(row.created_at),
  createdBy: row.created_by,
  ...(row.revoked_at === null ? {} : { revokedAt: Number(row.revoked_at) }),
});

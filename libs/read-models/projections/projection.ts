import type pg from 'pg';
import type { ProjectionName, RecordedEvent } from '#application';

/** A read model in PostgreSQL that follows the log. Its tables are a pure function of the events. */
export interface ProjectionDefinition {
  readonly name: ProjectionName;
  /** Each is read through the view `curfew.<table>`, which shows `curfew.<table>_<version>`: a flip replaces the views. */
  readonly tables: readonly string[];
  /** Kept by the append's own statement where the log can do that; then it is followed by nobody, only rebuilt. */
  readonly inline: boolean;
  /** SQL that makes the tables and indexes of a version (names end in `_<version>`). */
  createTables(version: number): string;
  /**
   * Applies events of the current versions in log order, in the given transaction. Throws for an event that it cannot apply.
   */
  apply(client: ProjectionClient, version: number, events: readonly RecordedEvent[]): Promise<void>;
}

/** What a projection may do in the transaction of its batch. */
export interface ProjectionClient {
  query<R extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<{ rows: R[]; rowCount: number | null }>;
}

import type pg from 'pg';
import type { StreamSnapshot } from '#application';
import { isStorableText, unavailableIfConnection } from '#platform';
import { storableJson } from '../storable-append.js';

export interface PostgresSnapshotsOptions {
  /** Streams that may wait to be written; what comes on top is dropped. 4,096 unless set. */
  readonly maxWaiting?: number;
  /** Milliseconds for which snapshots gather before they are written. 50 unless set. */
  readonly gatherMs?: number;
}

export interface SnapshotStats {
  readonly waiting: number;
  readonly written: number;
  /** Lost without harm: the store did not take them, or too many waited. */
  readonly dropped: number;
}

interface Encoded {
  readonly snapshot: StreamSnapshot;
  readonly json: string;
}

interface SnapshotRow {
  readonly stream: string;
  readonly revision: number;
  readonly state: Record<string, unknown>;
}

const MAX_BATCH = 256;
const MAX_BATCH_CHARS = 4_000_000;

/**
 * In the order of the streams, so that two instances never wait for each other in a circle. The commit waits for no disk and
 * no standby: a lost snapshot costs a longer read, and its events are durable before it in any case.
 */
const KEEP = {
  name: 'keep-snapshots',
  text: `with quick as materialized (select set_config('synchronous_commit', 'off', true))
    insert into curfew.snapshots as kept (stream, revision, format, state)
    select s.stream, s.revision, s.format, s.state
    from quick, jsonb_to_recordset($1::jsonb) as s(stream text, revision int, format text, state jsonb)
    order by s.stream collate "C"
    on conflict (stream, format) do update set revision = excluded.revision, state = excluded.state
      where kept.revision < excluded.revision`,
};

/**
 * Snapshots in `curfew.snapshots`, one per stream and format: of the PostgreSQL log, and of a log elsewhere. Needs `eventLogMigrations`.
 * Keeping is best effort and never fails; whoever loads compares with the stream, and discards what is ahead of it.
 */
export class PostgresSnapshots {
  private readonly waiting = new Map<string, Encoded>();
  private readonly maxWaiting: number;
  private readonly gatherMs: number;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;
  private closed = false;
  private written = 0;
  private dropped = 0;

  constructor(
    private readonly pool: pg.Pool,
    options: PostgresSnapshotsOptions = {},
  ) {
    this.maxWaiting = options.maxWaiting ?? 4_096;
    this.gatherMs = options.gatherMs ?? 50;
  }

  /**
   * The kept snapshots of that format; a stream without one is missing in the answer. One round trip.
   * @throws CurfewError ERR_UNAVAILABLE
   */
  async load(streams: readonly string[], format: string): Promise<ReadonlyMap<string, StreamSnapshot>> {
    const known = [...new Set(streams)].filter(isStorableText);
    if (known.length === 0 || !isStorableText(format)) return new Map();
    try {
      const { rows } = await this.pool.query<SnapshotRow>({
        name: 'load-snapshots',
        text: `select stream, revision, state from curfew.snapshots where stream = any ($1::text[]) and format = $2`,
        values: [known, format],
      });
      return new Map(rows.map((row) => [row.stream, { ...row, format }]));
    } catch (error) {
      throw unavailableIfConnection(error);
    }
  }

  /** Keeps it in the background. The newest of a stream replaces one that still waits; another format always does. */
  keep(snapshot: StreamSnapshot): void {
    const before = this.waiting.get(snapshot.stream)?.snapshot;
    if (before?.format === snapshot.format && before.revision >= snapshot.revision) return;
    if (this.closed || (before === undefined && this.waiting.size >= this.maxWaiting)) {
      this.dropped += 1;
      return;
    }
    const json = encoded(snapshot);
    if (json === undefined) this.dropped += 1;
    else this.waiting.set(snapshot.stream, { snapshot, json });
    this.schedule();
  }

  /**
   * Deletes a snapshot that is ahead of its stream. To be awaited before the stream is used: once the stream had grown past
   * it, it would be taken for a true one.
   * @throws CurfewError ERR_UNAVAILABLE
   */
  async discard({ stream, revision, format }: Omit<StreamSnapshot, 'state'>): Promise<void> {
    const waits = this.waiting.get(stream)?.snapshot;
    if (waits?.format === format && waits.revision >= revision) this.waiting.delete(stream);
    try {
      await this.pool.query({
        name: 'discard-snapshot',
        text: 'delete from curfew.snapshots where stream = $1 and format = $2 and revision >= $3',
        values: [stream, format, revision],
      });
    } catch (error) {
      throw unavailableIfConnection(error);
    }
  }

  stats(): SnapshotStats {
    return { waiting: this.waiting.size, written: this.written, dropped: this.dropped };
  }

  /** Writes what still waits, as far as the store takes it. Takes no more. */
  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.writing;
    await this.write();
  }

  private schedule(): void {
    if (this.timer !== undefined || this.writing !== undefined || this.closed || this.waiting.size === 0)
      return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.writing = this.write().finally(() => {
        this.writing = undefined;
        this.schedule();
      });
    }, this.gatherMs);
    this.timer.unref();
  }

  /** All that waits now. Never rejects. */
  private async write(): Promise<void> {
    for (let batches = Math.ceil(this.waiting.size / MAX_BATCH); batches > 0; batches -= 1) {
      const batch = this.take();
      if (batch.length === 0) return;
      try {
        await this.pool.query({ ...KEEP, values: [`[${batch.join()}]`] });
        this.written += batch.length;
      } catch {
        this.dropped += batch.length;
        if (this.closed) this.dropAll();
      }
    }
  }

  /** A close does not knock at a door that is shut again and again. */
  private dropAll(): void {
    this.dropped += this.waiting.size;
    this.waiting.clear();
  }

  private take(): string[] {
    const batch: string[] = [];
    let chars = 0;
    for (const [stream, { json }] of this.waiting) {
      chars += json.length;
      if (batch.length > 0 && (batch.length >= MAX_BATCH || chars > MAX_BATCH_CHARS)) break;
      batch.push(json);
      this.waiting.delete(stream);
    }
    return batch;
  }
}

/** Undefined for what PostgreSQL cannot hold. */
function encoded({ stream, revision, format, state }: StreamSnapshot): string | undefined {
  try {
    return storableJson({ stream, revision, format, state });
  } catch {
    return undefined;
  }
}

import type pg from 'pg';
import type { RevocationStream, RevocationStreamInfo } from '#application';
import { unavailableIfConnection } from '#platform';
import type { Timers } from '../timers.js';

const CACHED_MS = 1_000;

/** The stream as the relay put it on record, read at most once a second. */
export class PostgresRevocationStream implements RevocationStream {
  private read: { readonly info: Promise<RevocationStreamInfo | undefined>; readonly at: number } | undefined;

  constructor(
    private readonly pool: Pick<pg.Pool, 'query'>,
    private readonly timers: Pick<Timers, 'monotonic'>,
  ) {}

  current(): Promise<RevocationStreamInfo | undefined> {
    const now = this.timers.monotonic();
    if (this.read === undefined || now - this.read.at >= CACHED_MS) {
      const info = this.fetch();
      this.read = { info, at: now };
      // What could not be read is asked for again.
      info.catch(() => (this.read = undefined));
    }
    return this.read.info;
  }

  private async fetch(): Promise<RevocationStreamInfo | undefined> {
    try {
      const { rows } = await this.pool.query<{ stream_id: string; lanes: number }>({
        name: 'relay-stream',
        text: 'select stream_id, lanes from curfew.relay',
      });
      return rows[0] && { streamId: rows[0].stream_id, lanes: rows[0].lanes };
    } catch (error) {
      throw unavailableIfConnection(error);
    }
  }
}

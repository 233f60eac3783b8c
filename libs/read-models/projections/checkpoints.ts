import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Position, ProjectionName, RecordedEvent } from '#application';
import { OwnershipLost, type ProjectionFailure } from './failure.js';
import type { ProjectionClient } from './projection.js';

/** The newest event taken in, to see whether the log still has it. */
export interface LastEvent {
  readonly stream: string;
  readonly revision: number;
  readonly id: string;
  readonly position: Position;
  readonly recordedAt: number;
}

export interface Checkpoint {
  readonly position: Position;
  readonly last: LastEvent | null;
}

/** A version of a projection that this run owns, and its checkpoint as this run left it. */
export interface Claim {
  readonly name: ProjectionName;
  readonly version: number;
  readonly state: 'live' | 'building';
  readonly owner: string;
  readonly hasTables: boolean;
  checkpoint: Checkpoint;
}

interface ClaimRow {
  readonly version: number;
  readonly has_tables: boolean;
  readonly position: Position;
  readonly last: LastEvent | null;
}

/** Version 1 is made by migrations. Idempotent, also when two instances start at once: each unique index may meet the other. */
export async function registerProjections(pool: pg.Pool, names: readonly ProjectionName[]): Promise<void> {
  await pool.query(
    `insert into curfew.projections (name, version, state, has_tables)
      select name, 1, 'live', true from unnest($1::text[]) as n(name) on conflict do nothing`,
    [names],
  );
}

/**
 * Takes ownership of the projection's version in that state if nobody has it, or its owner is silent. Never waits for a lock.
 * @param before the owner id that the same run had last, which need not be silent
 */
export async function claim(
  pool: pg.Pool,
  { name, state, takeoverMs, before }: ClaimRequest,
): Promise<Claim | undefined> {
  const owner = randomUUID();
  const { rows } = await pool.query<ClaimRow>({
    name: 'projection-claim',
    // A heartbeat of the future is from before a step of the clock.
    text: `update curfew.projections set owner = $3, heartbeat = clock_timestamp()
      where (name, version) = (
        select name, version from curfew.projections
        where name = $1 and state = $2 and (owner is null or owner = $5
          or abs(extract(epoch from clock_timestamp() - heartbeat)) * 1000 > $4)
        for update skip locked)
      returning version, has_tables, position, last`,
    values: [name, state, owner, takeoverMs, before ?? null],
  });
  const row = rows[0];
  if (row === undefined) return undefined;
  const { version, has_tables: hasTables, position, last } = row;
  return { name, version, state, owner, hasTables, checkpoint: { position, last } };
}

export interface ClaimRequest {
  readonly name: ProjectionName;
  readonly state: 'live' | 'building';
  readonly takeoverMs: number;
  readonly before?: string | undefined;
}

/** @returns false when it belongs to somebody else, or is no longer in that state */
export async function beat(pool: pg.Pool, { name, version, state, owner }: Claim): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: 'projection-beat',
    text: `update curfew.projections set heartbeat = clock_timestamp()
      where name = $1 and version = $2 and state = $3 and owner = $4`,
    values: [name, version, state, owner],
  });
  return rowCount === 1;
}

export async function release(pool: pg.Pool, { name, version, owner }: Claim): Promise<void> {
  await pool.query(
    `update curfew.projections set owner = null where name = $1 and version = $2 and owner = $3`,
    [name, version, owner],
  );
}

export const checkpointAt = (event: RecordedEvent, position: Position = event.position): Checkpoint => ({
  position,
  last: {
    stream: event.stream,
    revision: event.revision,
    id: event.id,
    position: event.position,
    recordedAt: event.metadata.recordedAt,
  },
});

/**
 * Compare and set, in the transaction of the effect and before it: whoever comes second waits here, then fails.
 * @throws OwnershipLost
 */
export async function advance(
  client: ProjectionClient,
  { name, version, state, owner, checkpoint }: Claim,
  next: Checkpoint,
  events: number,
): Promise<void> {
  const { rowCount } = await client.query({
    name: 'projection-advance',
    text: `update curfew.projections set position = $6, last = $7, events_done = events_done + $8,
        heartbeat = clock_timestamp(), updated_at = clock_timestamp()
      where name = $1 and version = $2 and state = $3 and owner = $4 and position = $5 and position <= $6`,
    values: [
      name,
      version,
      state,
      owner,
      checkpoint.position,
      next.position,
      next.last === null ? null : JSON.stringify(next.last),
      events,
    ],
  });
  if (rowCount !== 1) throw new OwnershipLost(`${name} ${version} at ${checkpoint.position}`);
}

/**
 * Ends the run: a live version is paused, a building one has failed.
 * @returns false when it belongs to somebody else: nothing was written
 */
export async function giveUp(
  pool: pg.Pool,
  { name, version, state, owner, checkpoint }: Claim,
  failure: ProjectionFailure,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update curfew.projections set state = $6, failure = $7, owner = null, updated_at = clock_timestamp()
      where name = $1 and version = $2 and state = $3 and owner = $4 and position = $5`,
    [name, version, state, owner, checkpoint.position, GIVEN_UP[state], JSON.stringify(failure)],
  );
  return rowCount === 1;
}

const GIVEN_UP = { live: 'paused', building: 'failed' } as const;

import pg from 'pg';
import { transactionTimeout } from '#platform';
import { upcast } from '#contracts';
import type { RecordedEvent } from '#application';
import { advance, checkpointAt, type Checkpoint, type Claim } from './checkpoints.js';
import type { ProjectionClient, ProjectionDefinition } from './projection.js';
import { isKeptInline, type InlineLog, type ProjectionLog, type ProjectionRuntime } from './runtime.js';
import { inTransaction } from './transaction.js';

const LOCK_NOT_AVAILABLE = '55P03';
const QUERY_CANCELED = '57014';
/** Longest statement, and longest silence of ours, while appends wait. */
const HOLD_MS = 1_000;
/** Appends wait for 2 s at most. The whole transaction; servers before PostgreSQL 17 know only the bound on each statement. */
const MOST_HELD_MS = 1_500;

class TooMuchLeft extends Error {
  override readonly name = 'TooMuchLeft';
}

/**
 * Makes a version that has nearly caught up the one that queries see: applies the rest, replaces the views and retires the
 * version before it, in one transaction.
 *
 * A followed projection: its active row is locked, so that the live version stands still while the new one passes it. An
 * inline one: replacing the view takes it exclusively, and every append that changes it holds it shared until it has
 * committed. So no append is under way then: the rest that is read after it is complete, and appends that wait write to the
 * new version, since the server plans them anew.
 * @returns false when locks were not free in time or too much was left: nothing was changed, try again
 */
export async function flip(
  runtime: ProjectionRuntime,
  definition: ProjectionDefinition,
  claim: Claim,
  mostRest: number,
): Promise<boolean> {
  const { pool, timing, inline } = runtime;
  const steps =
    isKeptInline(definition, runtime) && inline ? new InlineFlip(inline) : new FollowedFlip(runtime.log);
  try {
    const taken = await inTransaction(
      pool,
      async (client) => {
        await steps.standStill(client, definition, claim);
        const rest = await steps.rest(client, claim, mostRest);
        const last = rest.at(-1);
        const checkpoint = last === undefined ? claim.checkpoint : checkpointAt(last);
        await advance(client, claim, checkpoint, rest.length);
        if (rest.length > 0) await definition.apply(client, claim.version, rest.map(upcast));
        await steps.show(client, definition, claim);
        await activate(client, claim, checkpoint);
        return rest.length;
      },
      {
        lock_timeout: `${timing.lockMs}ms`,
        statement_timeout: `${HOLD_MS}ms`,
        idle_in_transaction_session_timeout: `${HOLD_MS}ms`,
      },
    );
    runtime.committed(claim.name, claim.version, taken);
    return true;
  } catch (error) {
    if (error instanceof TooMuchLeft || isLockTimeout(error)) return false;
    throw error;
  }
}

interface FlipSteps {
  standStill(client: ProjectionClient, definition: ProjectionDefinition, claim: Claim): Promise<void>;
  rest(client: ProjectionClient, claim: Claim, most: number): Promise<readonly RecordedEvent[]>;
  show(client: ProjectionClient, definition: ProjectionDefinition, claim: Claim): Promise<void>;
}

class InlineFlip implements FlipSteps {
  constructor(private readonly log: InlineLog) {}

  /** The view alone is locked, not its table: an autovacuum there would hold us up. */
  async standStill(client: ProjectionClient, definition: ProjectionDefinition, claim: Claim): Promise<void> {
    await client.query({ text: `select ${transactionTimeout(MOST_HELD_MS, 'local')}` });
    await replaceViews(client, definition, claim);
  }

  async rest(client: ProjectionClient, claim: Claim, most: number): Promise<readonly RecordedEvent[]> {
    const rest = await this.log.readRest(client, claim.checkpoint.position);
    if (rest.length > 2 * most) throw new TooMuchLeft();
    return rest;
  }

  show(): Promise<void> {
    return Promise.resolve();
  }
}

class FollowedFlip implements FlipSteps {
  constructor(private readonly log: ProjectionLog) {}

  async standStill(client: ProjectionClient, _: ProjectionDefinition, { name }: Claim): Promise<void> {
    await client.query({
      text: `select 1 from curfew.projections where name = $1 and state in ('live', 'paused') for update`,
      values: [name],
    });
  }

  /** Up to the end of the log as it is now: nothing that the live version shows is missing in the new one (G8). */
  async rest(_: ProjectionClient, { checkpoint }: Claim, most: number): Promise<readonly RecordedEvent[]> {
    const page = await this.log.readAll(checkpoint.position, most);
    if (!page.caughtUp) throw new TooMuchLeft();
    return page.events;
  }

  async show(client: ProjectionClient, definition: ProjectionDefinition, claim: Claim): Promise<void> {
    await replaceViews(client, definition, claim);
  }
}

async function replaceViews(
  client: ProjectionClient,
  { tables }: ProjectionDefinition,
  { version }: Claim,
): Promise<void> {
  for (const table of tables) {
    await client.query({
      text: `create or replace view curfew.${table} as select * from curfew.${table}_${version}`,
    });
  }
}

async function activate(
  client: ProjectionClient,
  { name, version }: Claim,
  { position }: Checkpoint,
): Promise<void> {
  await client.query({
    text: `update curfew.projections set state = 'retired', owner = null, updated_at = clock_timestamp()
      where name = $1 and state in ('live', 'paused')`,
    values: [name],
  });
  await client.query({
    text: `update curfew.projections set state = 'live', owner = null, events_total = events_done,
        updated_at = clock_timestamp()
      where name = $1 and version = $2 and position = $3`,
    values: [name, version, position],
  });
}

const isLockTimeout = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && (error.code === LOCK_NOT_AVAILABLE || error.code === QUERY_CANCELED);

import type { LogPage, Position } from '#application';
import { applyUpToPoison, requireInLog } from './apply-batch.js';
import { checkpointAt, type Claim } from './checkpoints.js';
import { OwnershipLost } from './failure.js';
import { flip } from './flip.js';
import type { ProjectionDefinition } from './projection.js';
import { isKeptInline, type ProjectionRuntime } from './runtime.js';
import { inTransaction } from './transaction.js';
import { Wake } from './wake.js';

/** Large pages: what a batch costs once, its round trips and its checkpoint, is nothing beside its events. */
const PAGE_EVENTS = 5_000;
/** What the flip may have left to apply while it holds locks. */
const MOST_REST = 2_000;
const LONGEST_FLIP_RETRY_MS = 2_000;
const ALARM_EVERY_ATTEMPTS = 10;

/** A building transaction that a crash of the server takes back is done again: its checkpoint went with it. */
const BUILD_SETTINGS = { synchronous_commit: 'off' };

/**
 * Brings the claimed new version to the end of the log and makes it the one that queries see. Returns true then, or false when
 * `signal` aborts. Goes on from the version's checkpoint, whoever began it.
 * Cost: two pages of events in memory; one connection for the log, one for the tables.
 */
export async function rebuild(
  runtime: ProjectionRuntime,
  definition: ProjectionDefinition,
  claim: Claim,
  signal: AbortSignal,
): Promise<boolean> {
  if (!claim.hasTables) await makeTables(runtime, definition, claim);
  await requireInLog(runtime.log, claim.checkpoint.last);
  const pause = new Wake();
  let retryMs = runtime.timing.firstRetryMs;
  await catchUp(runtime, definition, claim, signal);
  if (!signal.aborted) await analyze(runtime, definition, claim);
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    await catchUp(runtime, definition, claim, signal);
    if (signal.aborted) break;
    if (
      (await restIsSmall(runtime, definition, claim)) &&
      (await flip(runtime, definition, claim, MOST_REST))
    )
      return true;
    if (attempt % ALARM_EVERY_ATTEMPTS === 0) {
      const { name, version } = claim;
      runtime.alarm({
        kind: 'flip-delayed',
        name,
        version,
        error: 'locks or old transactions',
        failures: attempt,
      });
    }
    await pause.wait(retryMs, signal);
    retryMs = Math.min(2 * retryMs, LONGEST_FLIP_RETRY_MS);
  }
  return false;
}

async function makeTables(
  { pool }: ProjectionRuntime,
  definition: ProjectionDefinition,
  { name, version, owner }: Claim,
): Promise<void> {
  await inTransaction(pool, async (client) => {
    const { rowCount } = await client.query({
      text: `update curfew.projections set has_tables = true, heartbeat = clock_timestamp()
        where name = $1 and version = $2 and owner = $3 and state = 'building' and not has_tables`,
      values: [name, version, owner],
    });
    if (rowCount !== 1) throw new OwnershipLost(`${name} ${version}`);
    await client.query({ text: definition.createTables(version) });
  });
}

/** Reads a page while the one before it is applied. */
async function catchUp(
  runtime: ProjectionRuntime,
  definition: ProjectionDefinition,
  claim: Claim,
  signal: AbortSignal,
): Promise<void> {
  const read = (after: Position): Promise<LogPage> => {
    const page = runtime.log.readAll(after, PAGE_EVENTS);
    // It is awaited later, or not at all if the page before it fails.
    page.catch(() => undefined);
    return page;
  };
  let next: Promise<LogPage> | undefined = read(claim.checkpoint.position);
  while (next !== undefined && !signal.aborted) {
    const page: LogPage = await next;
    next = page.caughtUp ? undefined : read(page.position);
    const last = page.events.at(-1);
    if (last === undefined) continue;
    const batch = { events: page.events, checkpoint: checkpointAt(last, page.position) };
    await applyUpToPoison(runtime, definition, claim, batch, BUILD_SETTINGS);
  }
}

/** So that the first queries of the new version are planned for its size. */
async function analyze(
  { pool }: ProjectionRuntime,
  { tables }: ProjectionDefinition,
  { version }: Claim,
): Promise<void> {
  for (const table of tables) await pool.query(`analyze curfew.${table}_${version}`);
}

async function restIsSmall(
  runtime: ProjectionRuntime,
  definition: ProjectionDefinition,
  { checkpoint }: Claim,
): Promise<boolean> {
  if (!isKeptInline(definition, runtime)) return true;
  return (await runtime.measure.countAfter(checkpoint.position, MOST_REST + 1)) <= MOST_REST;
}

import type { ProjectionName } from '#application';
import { beat, claim, giveUp, release, type Claim } from './checkpoints.js';
import { errorClass, isTransient, OwnershipLost, PoisonEvent, type ProjectionFailure } from './failure.js';
import type { ProjectionRuntime } from './runtime.js';
import type { Wake } from './wake.js';

const RETRY_DOUBLINGS = 5;

export interface OwnedWork {
  readonly name: ProjectionName;
  readonly state: Claim['state'];
  readonly wake: Wake;
  /** Runs while the claim holds. True when it has ended the claim itself, false when `signal` aborted. */
  readonly work: (claim: Claim, signal: AbortSignal) => Promise<boolean>;
}

/**
 * Waits for ownership, works, and goes back to waiting, until `signal` aborts. Every instance runs it; one of them works. Work
 * that fails with its connections is begun again from the checkpoint; what else it throws ends the version's run (`giveUp`).
 */
export async function workWhileOwned(
  runtime: ProjectionRuntime,
  { name, state, wake, work }: OwnedWork,
  signal: AbortSignal,
): Promise<void> {
  const { pool, timing } = runtime;
  let before: string | undefined;
  let failures = 0;
  while (!signal.aborted) {
    let claimed: Claim | undefined;
    let begin = '';
    // Also when a subscription ended by itself: it is not begun again at once.
    let waitMs = timing.heartbeatMs;
    try {
      claimed = await claim(pool, { name, state, takeoverMs: timing.takeoverMs, before });
      if (claimed !== undefined) {
        before = claimed.owner;
        begin = claimed.checkpoint.position;
        if (await keptAlive(runtime, claimed, signal, work)) waitMs = 0;
      }
      failures = 0;
    } catch (error) {
      failures = claimed !== undefined && claimed.checkpoint.position !== begin ? 1 : failures + 1;
      waitMs = timing.firstRetryMs * 2 ** Math.min(failures - 1, RETRY_DOUBLINGS);
      await ended(runtime, claimed ?? { name, version: 0, state }, error, failures);
    }
    // If it cannot be told, the others wait until the owner counts as silent.
    if (claimed !== undefined) await release(pool, claimed).catch(() => undefined);
    await wake.wait(waitMs, signal);
  }
}

/** Heartbeats while the work runs; stops the work when they say that somebody else owns it. */
async function keptAlive(
  { pool, timing }: ProjectionRuntime,
  claimed: Claim,
  signal: AbortSignal,
  work: OwnedWork['work'],
): Promise<boolean> {
  const lost = new AbortController();
  let asking = false;
  const timer = setInterval(() => {
    if (asking) return;
    asking = true;
    beat(pool, claimed)
      .then((owned) => {
        if (!owned) lost.abort();
      })
      .catch(() => undefined)
      .finally(() => (asking = false));
  }, timing.heartbeatMs);
  let done: boolean;
  try {
    done = await work(claimed, AbortSignal.any([signal, lost.signal]));
  } finally {
    clearInterval(timer);
  }
  if (!done && lost.signal.aborted) throw new OwnershipLost(`${claimed.name} ${claimed.version}`);
  return done;
}

async function ended(
  runtime: ProjectionRuntime,
  of: Claim | Pick<Claim, 'name' | 'version' | 'state'>,
  error: unknown,
  failures: number,
): Promise<void> {
  const alarm = { name: of.name, version: of.version, error: errorClass(error), failures };
  if (error instanceof OwnershipLost) {
    if (!(await wasReplaced(runtime, of))) runtime.alarm({ ...alarm, kind: 'ownership-lost' });
  } else if (isTransient(error) || !('owner' in of)) {
    runtime.alarm({ ...alarm, kind: 'unavailable' });
  } else {
    const failure = failureOf(of, error);
    // Where that cannot be written, the next run comes upon the same.
    const written = await giveUp(runtime.pool, of, failure).catch(() => false);
    const kind = of.state === 'live' ? 'paused' : 'rebuild-failed';
    if (written) runtime.alarm({ ...alarm, kind, error: failure.error });
  }
}

/** A version that a rebuild replaced was not lost to another owner. */
async function wasReplaced(
  { pool }: ProjectionRuntime,
  { name, version }: Pick<Claim, 'name' | 'version'>,
): Promise<boolean> {
  try {
    const { rows } = await pool.query<{ state: string }>(
      'select state from curfew.projections where name = $1 and version = $2',
      [name, version],
    );
    return rows[0] !== undefined && ['retired', 'dropped'].includes(rows[0].state);
  } catch {
    return false;
  }
}

function failureOf({ checkpoint }: Claim, error: unknown): ProjectionFailure {
  if (error instanceof PoisonEvent) {
    const { position, id, type } = error.event;
    return { position, eventId: id, eventType: type, error: errorClass(error.cause) };
  }
  const { position, last } = checkpoint;
  return { position, eventId: last?.id ?? '', eventType: '', error: errorClass(error) };
}

import { setTimeout as pause } from 'node:timers/promises';
import type { ProjectionRebuild, ProjectionStatus } from '#application';
import { CliError, NoAnswer, Refused } from './cli-error.js';
import type { Surroundings } from './surroundings.js';

const POLL_MS = 500;
/** An instance that restarts is back by then; a rebuild outlives it. */
const PATIENCE_MS = 60_000;
/** A rebuild that was accepted shows at once; one that still does not will not. */
const LOOKS_UNSEEN = 10;
const BAR_WIDTH = 30;

const count = (events: number): string => events.toLocaleString('en-US');
const shareOf = ({ eventsDone, eventsTotal }: ProjectionRebuild): number =>
  eventsTotal > 0 ? Math.min(eventsDone / eventsTotal, 1) : 0;

/** `version 3: 45 % (450,000 of 1,000,000 events)` */
export function describeRebuild(rebuild: ProjectionRebuild): string {
  const { version, state, eventsDone, eventsTotal, error } = rebuild;
  if (state === 'failed') return `version ${version} failed: ${error ?? 'no reason given'}`;
  const percent = Math.floor(shareOf(rebuild) * 100);
  return `version ${version}: ${percent} % (${count(eventsDone)} of ${count(eventsTotal)} events)`;
}

function bar(name: string, rebuild: ProjectionRebuild): string {
  const filled = Math.floor(shareOf(rebuild) * BAR_WIDTH);
  return `${name} [${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${describeRebuild(rebuild)}`;
}

/** A bar on a terminal; else a line for each tenth. */
function progressOf(name: string, silent: boolean, { draw, print }: Surroundings) {
  let tenth = -1;
  return {
    show(rebuild: ProjectionRebuild): void {
      const now = Math.floor(shareOf(rebuild) * 10);
      if (silent) return;
      if (draw) draw(bar(name, rebuild));
      else if (now !== tenth) print(`${name} ${describeRebuild(rebuild)}`);
      tenth = now;
    },
    end(): void {
      if (!silent) draw?.('');
    },
  };
}

interface Watched {
  readonly name: string;
  /** The version that was live before. */
  readonly before: number;
  readonly find: (signal?: AbortSignal) => Promise<ProjectionStatus | undefined>;
  /** Shows no progress. */
  readonly silent: boolean;
}

const isPassing = (error: unknown): boolean =>
  error instanceof NoAnswer || (error instanceof Refused && error.status === 503);

/** Looks until `done` answers something; goes on looking while the service is away for a moment. */
async function lookUntil<T>(
  look: () => Promise<T | undefined>,
  pollMs: number,
  signal: AbortSignal,
): Promise<T> {
  let answeredAt = performance.now();
  while (!signal.aborted) {
    try {
      const found = await look();
      if (found !== undefined) return found;
      answeredAt = performance.now();
    } catch (error) {
      if (signal.aborted) break;
      if (!isPassing(error) || performance.now() - answeredAt > PATIENCE_MS) throw error;
    }
    await pause(pollMs, undefined, { signal }).catch(() => undefined);
  }
  throw new CliError('interrupted', 'stopped');
}

/**
 * Shows how a rebuild goes on until the new version is live.
 * @throws CliError `refused` when it failed; `interrupted` at Ctrl-C, which leaves it running
 */
export async function watchRebuild(watched: Watched, surroundings: Surroundings): Promise<ProjectionStatus> {
  const { name, before, find, silent } = watched;
  const { onInterrupt, pollMs = POLL_MS } = surroundings;
  const interrupt = new AbortController();
  const release = onInterrupt?.(() => interrupt.abort());
  const progress = progressOf(name, silent, surroundings);
  let unseen = 0;
  const look = async (): Promise<ProjectionStatus | undefined> => {
    const status = await find(interrupt.signal);
    if (status && status.version > before) return status;
    if (status?.rebuild?.state === 'failed')
      throw new CliError('refused', `the rebuild of ${name} failed: ${describeRebuild(status.rebuild)}`);
    if (status?.rebuild) progress.show(status.rebuild);
    else if (++unseen > LOOKS_UNSEEN) throw new CliError('refused', `no rebuild of ${name} is under way`);
    return undefined;
  };
  try {
    return await lookUntil(look, pollMs, interrupt.signal);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    throw new CliError(
      'interrupted',
      `the rebuild of ${name} goes on in the service: curfew projections list`,
    );
  } finally {
    progress.end();
    release?.();
  }
}

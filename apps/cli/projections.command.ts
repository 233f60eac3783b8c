import type { Command } from 'commander';
import type { ProjectionStatus } from '#application';
import { findConnection, type Connection } from './connection.js';
import { describeRebuild, watchRebuild } from './rebuild-watch.js';
import { callService } from './rest.js';
import { show, type GlobalOptions, type Surroundings } from './surroundings.js';
import { table } from './table.js';

interface RebuildOptions extends GlobalOptions {
  readonly wait: boolean;
}

async function statusOf(connection: Connection, signal?: AbortSignal): Promise<readonly ProjectionStatus[]> {
  const answer = await callService(connection, 'GET', '/v1/projections', signal ? { signal } : {});
  return (answer as { readonly projections: readonly ProjectionStatus[] }).projections;
}

const lagOf = ({ inline, lagEvents, lagMs }: ProjectionStatus): string =>
  inline || lagEvents === 0 ? 'none' : `${lagEvents} events, ${(lagMs / 1000).toFixed(1)} s`;

function listProjections(projections: readonly ProjectionStatus[]): string {
  const rows = projections.map((projection) => [
    projection.name,
    projection.state,
    String(projection.version),
    projection.position,
    lagOf(projection),
    projection.rebuild ? describeRebuild(projection.rebuild) : '',
  ]);
  const failures = projections.flatMap(({ name, failure }) =>
    failure
      ? [
          `${name} is paused at ${failure.eventType} ${failure.eventId} (${failure.position}): ${failure.error}`,
        ]
      : [],
  );
  const list = table(['NAME', 'STATE', 'VERSION', 'POSITION', 'LAG', 'REBUILD'], rows);
  return failures.length === 0 ? list : `${list}\n\n${failures.join('\n')}`;
}

async function rebuild(name: string, options: RebuildOptions, surroundings: Surroundings): Promise<void> {
  const connection = await findConnection(options, surroundings.env);
  const find = async (signal?: AbortSignal) =>
    (await statusOf(connection, signal)).find((projection) => projection.name === name);
  const before = options.wait ? await find() : undefined;
  await callService(connection, 'POST', `/v1/projections/${encodeURIComponent(name)}/rebuild`);
  if (!options.wait) {
    const text = () => `the rebuild of ${name} has begun; see curfew projections list`;
    show(surroundings, options, { name, accepted: true }, text);
    return;
  }
  const silent = options.json === true;
  const after = await watchRebuild({ name, before: before?.version ?? 0, find, silent }, surroundings);
  show(surroundings, options, after, () => `${name} is rebuilt: version ${after.version} is live`);
}

/** Adds `projections list | rebuild | resume` to the program. */
export function addProjectionCommands(program: Command, surroundings: Surroundings): void {
  const projections = program.command('projections').description('watch, rebuild and resume the read models');

  projections
    .command('list')
    .description('every projection with its state, its lag and its rebuild')
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const list = await statusOf(await findConnection(options, surroundings.env));
      show(surroundings, options, { projections: list }, () => listProjections(list));
    });

  projections
    .command('rebuild')
    .argument('<name>', 'from the list')
    .description(
      'build a projection anew from the log, beside the live one, and flip; Ctrl-C leaves it running',
    )
    .option('--no-wait', 'do not wait until it is done')
    .action(async (name: string, _options: unknown, command: Command) => {
      await rebuild(name, command.optsWithGlobals<RebuildOptions>(), surroundings);
    });

  projections
    .command('resume')
    .argument('<name>', 'from the list')
    .description('let a paused projection try its event again')
    .action(async (name: string, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      const connection = await findConnection(options, surroundings.env);
      await callService(connection, 'POST', `/v1/projections/${encodeURIComponent(name)}/resume`);
      show(surroundings, options, { name, accepted: true }, () => `${name} tries again`);
    });
}

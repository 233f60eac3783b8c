import 'reflect-metadata';
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { Logger } from '@nestjs/common';
import { isCurfewError } from '#contracts';
import { createLogger, type LoggerOptions } from '#platform';
import type { Environment } from './config/environment.js';
import { readEnvironment } from './config/read-environment.js';
import { ServiceLogger } from './service-logger.js';
import { startService, type RunningService } from './start.js';

/** A stop that takes longer has met something that does not answer; the data is safe either way (G9). */
const STOPPING_PATIENCE_MS = 12_000;

/** One error for a person to read, without a stack: it says which setting, folder or server to look at. */
function explain(error: unknown): string {
  if (!isCurfewError(error))
    return `The start failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  const cause = error.cause instanceof Error ? [causeLine(error.cause)] : [];
  return [`${error.code}: ${error.entry.title}`, ...(error.detail?.split('\n') ?? []), ...cause].join('\n  ');
}

const causeLine = (cause: Error): string => {
  const { code, message } = cause as NodeJS.ErrnoException;
  return `caused by ${[code, message].filter(Boolean).join(': ')}`;
};

function announce(service: RunningService, pretty: boolean): void {
  const { endpoints, firstApiKey, dataFolder } = service;
  const logger = new Logger('service');
  if (!pretty) {
    logger.log(`ready: REST ${endpoints.http}, gRPC ${endpoints.grpc}`);
    return;
  }
  const lines = ['Curfew is ready.', `  REST  ${endpoints.http}`, `  gRPC  ${endpoints.grpc}`];
  if (dataFolder !== undefined) lines.push(`  Data  ${dataFolder}`);
  if (firstApiKey) {
    lines.push(`  The first API key is in ${firstApiKey.file}`);
    if (process.stdout.isTTY) lines.push(`  It is ${firstApiKey.key}`);
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function run(env: Environment): Promise<void> {
  const pretty = (env.CURFEW_LOG_FORMAT ?? (process.stdout.isTTY ? 'pretty' : 'json')) === 'pretty';
  const level = env.CURFEW_LOG_LEVEL as LoggerOptions['level'];
  const logger = new ServiceLogger(createLogger({ level, format: pretty ? 'pretty' : 'json' }));
  Logger.overrideLogger(logger);
  // It writes to standard error past our log, of errors that we get to know anyway.
  setLogVerbosity(logVerbosity.NONE);

  let stopping: Promise<void> | undefined;
  const stop = (code: number): void => {
    if (stopping) return;
    setTimeout(() => process.exit(1), STOPPING_PATIENCE_MS).unref();
    stopping = started.then((service) => service.stop()).finally(() => process.exit(code));
  };
  const started = startService(env, {
    logger,
    onLost: () => {
      stop(1);
    },
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    let received = 0;
    process.on(signal, () => {
      // The same signal again does not wait. Ctrl-C reaches the whole group, so one of each is no impatience.
      if ((received += 1) > 1) process.exit(1);
      stop(0);
    });
  }
  // Whoever started this as a child is gone: nobody else would stop it and its database.
  process.on('disconnect', () => {
    stop(0);
  });
  for (const event of ['uncaughtException', 'unhandledRejection'])
    process.on(event, (error: unknown) => {
      logger.fatal(error instanceof Error ? error : 'something was thrown that is no error', 'service');
      stop(1);
    });
  const service = await started;
  announce(service, pretty);
  // For whoever started this as a child.
  process.send?.({ ready: service.endpoints });
}

try {
  await run(readEnvironment(process.env));
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
}

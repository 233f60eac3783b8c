import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Logger, type LoggerService } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import type { SessionSettings } from '#application';
import { CurfewError, prepareEventChecks } from '#contracts';
import { startStopwatch } from '#platform';
import { PostgresRevocationStream, systemTimers } from '#revocation-bus';
import type { Tls } from '#watch-door';
import type { Environment } from './config/environment.js';
import { makeFirstApiKey } from './first-api-key.js';
import { followRevocations } from './follow-revocations.js';
import { openDoors, type Endpoints } from './open-doors.js';
import { openRelay } from './open-relay.js';
import { Metrics } from './metrics/metrics.js';
import { revocationMetrics } from './metrics/revocation-metrics.js';
import { LoggedSecuritySignals } from './security-signals.js';
import { openStorage } from './storage.js';
import { Sweeper } from './sweeper.js';
import { UndoList } from './undo-list.js';

export interface RunningService {
  readonly endpoints: Endpoints;
  /** Made at this start. */
  readonly firstApiKey?: { readonly key: string; readonly file: string };
  /** Of the embedded default. */
  readonly dataFolder?: string;
  /** Takes nothing new, cuts the streams, and closes everything down to the embedded server. */
  stop(): Promise<void>;
}

export interface Surroundings {
  readonly logger: LoggerService;
  /** The embedded server is gone: this process cannot go on. */
  readonly onLost: () => void;
}

const settingsOf = (env: Environment): SessionSettings => ({
  issuer: env.CURFEW_ISSUER,
  audience: env.CURFEW_AUDIENCE,
  accessTtl: env.CURFEW_ACCESS_TTL,
  maxAccessTtl: env.CURFEW_MAX_ACCESS_TTL,
  idleTimeout: env.CURFEW_IDLE_TIMEOUT,
  absoluteTimeout: env.CURFEW_ABSOLUTE_TIMEOUT,
  reuseGrace: env.CURFEW_REUSE_GRACE,
  allowEmailSub: env.CURFEW_ALLOW_EMAIL_SUB,
});

async function readTls(env: Environment): Promise<Tls | undefined> {
  const { CURFEW_TLS_CERT_FILE: cert, CURFEW_TLS_KEY_FILE: key } = env;
  if (cert === undefined || key === undefined) return undefined;
  const read = (name: string, file: string) =>
    readFile(file).catch((cause: unknown) => {
      throw new CurfewError('ERR_CONFIG', { detail: `${name}: cannot be read`, cause });
    });
  return { cert: await read('CURFEW_TLS_CERT_FILE', cert), key: await read('CURFEW_TLS_KEY_FILE', key) };
}

async function open(env: Environment, { logger, onLost }: Surroundings, undo: UndoList) {
  prepareEventChecks();
  const tls = await readTls(env);
  const settings = settingsOf(env);
  const storage = await openStorage(env, undo, onLost);
  const { clock, follower, hub, desk, live, nodes, recent } = await followRevocations(
    storage,
    settings.maxAccessTtl,
    undo,
  );
  const { log, readModels, apiKeys, keyRing, personalDataVault } = storage;
  const { sessionViews, securityFeed, counters, projections, viewFreshness } = readModels;
  const relayMetrics = await openRelay(env, storage, undo);
  const sweeper = new Sweeper(env.CURFEW_SWEEP_INTERVAL);
  const doors = await openDoors({
    parts: {
      settings,
      eventLog: log.eventLog,
      sessionViews,
      securityFeed,
      counters,
      projections,
      viewFreshness,
      apiKeys,
      personalDataVault,
      startStopwatch,
      accessTokenSigner: keyRing,
      refreshTokenKeys: keyRing,
      referenceClock: clock,
      liveRevocations: live,
      securitySignals: new LoggedSecuritySignals(),
      watchHub: hub,
      renewalDesk: desk,
      nodeRegistry: nodes,
      recentRevocations: recent,
      revocationStream: new PostgresRevocationStream(storage.pool, systemTimers),
      metrics: new Metrics([
        ...log.metrics,
        ...readModels.metrics,
        ...revocationMetrics(follower, hub, nodes, clock),
        ...relayMetrics,
        sweeper.metric,
      ]),
    },
    http: { host: env.CURFEW_HTTP_HOST, port: env.CURFEW_HTTP_PORT },
    grpc: { host: env.CURFEW_GRPC_HOST, port: env.CURFEW_GRPC_PORT },
    ...(tls ? { tls } : {}),
    logger,
    beforeListening: async (app) => {
      sweeper.start(app.get(CommandBus));
      undo.add(() => sweeper.stop());
      const embedded = env.DATABASE_URL === undefined;
      const file =
        env.CURFEW_FIRST_API_KEY_FILE ?? (embedded ? join(env.CURFEW_DATA_DIR, 'first-api-key') : undefined);
      if (file === undefined) return undefined;
      const key = await makeFirstApiKey(file, apiKeys, app.get(CommandBus));
      return key === undefined ? undefined : { key, file: resolve(file) };
    },
  });
  // The streams are cut while the doors close, so that nodes go elsewhere at once and no stream holds a door open.
  undo.add(() => {
    const closed = doors.close();
    hub.stop();
    desk.stop();
    live.stop();
    return closed;
  });
  return doors;
}

/**
 * Starts the service: storage, keys, the revocation follower with its first barrier, the first API key, and then the doors.
 * @throws CurfewError ERR_CONFIG, ERR_DATA_FOLDER_IN_USE, ERR_LOG_STORE_REFUSED, ERR_UNAVAILABLE; nothing is left running
 */
export async function startService(env: Environment, surroundings: Surroundings): Promise<RunningService> {
  const undo = new UndoList();
  const logger = new Logger('service');
  const stop = async () => {
    for (const failure of await undo.run())
      logger.error(failure instanceof Error ? failure : 'a part could not be closed');
  };
  try {
    const { endpoints, prepared } = await open(env, surroundings, undo);
    const dataFolder = env.DATABASE_URL === undefined ? resolve(env.CURFEW_DATA_DIR) : undefined;
    if (dataFolder !== undefined) {
      const file = join(dataFolder, 'endpoints.json');
      await writeFile(file, `${JSON.stringify(endpoints)}\n`);
      undo.add(() => rm(file, { force: true }));
    }
    return {
      endpoints,
      stop,
      ...(prepared ? { firstApiKey: prepared } : {}),
      ...(dataFolder === undefined ? {} : { dataFolder }),
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

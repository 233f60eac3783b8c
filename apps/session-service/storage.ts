import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import type pg from 'pg';
import { CurfewError } from '#contracts';
import { eventLogMigrations, kurrentdbMigrations, refuseAnotherLogStore } from '#event-log';
import {
  KeyRing,
  keysMigrations,
  loadOrCreateMasterKeyFile,
  MasterKey,
  PostgresApiKeys,
  PostgresPersonalDataVault,
} from '#keys';
import {
  openPool,
  refuseUnsafeServer,
  runMigrations,
  startEmbeddedPostgres,
  unavailableIfConnection,
} from '#platform';
import { readModelMigrations } from '#read-models';
import { relayMigrations } from '#revocation-bus';
import type { Environment } from './config/environment.js';
import { openLog, type OpenLog } from './open-log.js';
import { openReadModels, type ReadModels } from './open-read-models.js';
import type { UndoList } from './undo-list.js';

/** Reads of the API, look-ups of API keys and sealing share it; appends and barriers have connections of their own. */
const POOL_SIZE = 12;

export interface Storage {
  readonly databaseUrl: string;
  readonly log: OpenLog;
  readonly readModels: ReadModels;
  readonly apiKeys: PostgresApiKeys;
  readonly keyRing: KeyRing;
  readonly personalDataVault: PostgresPersonalDataVault;
  /** Of the primary. */
  readonly pool: pg.Pool;
}

/** The PostgreSQL to use: the one that is set, or one of our own. */
async function databaseUrl(env: Environment, undo: UndoList, onLost: () => void): Promise<string> {
  if (env.DATABASE_URL !== undefined) return env.DATABASE_URL;
  const logger = new Logger('postgres');
  const server = await startEmbeddedPostgres({
    folder: env.CURFEW_DATA_DIR,
    log: (message) => {
      logger.log(message);
    },
    onLost,
  });
  undo.add(() => server.stop());
  return server.url;
}

/** From the environment or a file of the operator's; else the embedded start's own file, made at its first start. */
async function masterKey(env: Environment): Promise<MasterKey> {
  if (env.CURFEW_MASTER_KEY !== undefined) return MasterKey.parse(env.CURFEW_MASTER_KEY);
  const file = env.CURFEW_MASTER_KEY_FILE;
  if (file === undefined) return loadOrCreateMasterKeyFile(join(env.CURFEW_DATA_DIR, 'master-key'));
  try {
    return MasterKey.parse(await readFile(file, 'utf8'), 'CURFEW_MASTER_KEY_FILE');
  } catch (cause) {
    if (cause instanceof CurfewError) throw cause;
    throw new CurfewError('ERR_CONFIG', { detail: 'CURFEW_MASTER_KEY_FILE: cannot be read', cause });
  }
}

/**
 * Opens everything that is kept: the server (refused if it cannot keep the guarantees), its schema, the keys.
 * @param onLost called when the embedded server is gone for good
 * @throws CurfewError ERR_CONFIG, ERR_DATA_FOLDER_IN_USE, ERR_LOG_STORE_REFUSED, ERR_UNAVAILABLE
 */
export async function openStorage(env: Environment, undo: UndoList, onLost: () => void): Promise<Storage> {
  const url = await databaseUrl(env, undo, onLost);
  const poolLogger = new Logger('postgres');
  const pool = openPool(url, {
    max: POOL_SIZE,
    onIdleError: (error) => {
      if (!pool.ending) poolLogger.warn(`an idle connection broke: ${error.message}`);
    },
  });
  undo.add(() => pool.end());
  try {
    await refuseUnsafeServer(pool);
    await runMigrations(url, [
      ...eventLogMigrations,
      ...kurrentdbMigrations,
      ...readModelMigrations,
      ...keysMigrations,
      ...relayMigrations,
    ]);
    await refuseAnotherLogStore(pool, env.KURRENTDB_URL === undefined ? 'postgres' : 'kurrentdb');
  } catch (error) {
    throw unavailableIfConnection(error);
  }
  const key = await masterKey(env);
  const keyRing = await KeyRing.load(pool, key);
  const log = openLog(env.KURRENTDB_URL, { url, pool }, undo);
  return {
    databaseUrl: url,
    log,
    readModels: openReadModels(log, { url, pool }, env.CURFEW_PROJECTOR, undo),
    apiKeys: new PostgresApiKeys(pool),
    keyRing,
    personalDataVault: new PostgresPersonalDataVault(pool, key),
    pool,
  };
}

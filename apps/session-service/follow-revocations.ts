import { Logger } from '@nestjs/common';
import { PostgresNodeReports } from '#read-models';
import {
  BarrierReferenceClock,
  FollowedRecentRevocations,
  NodeRegistry,
  FollowedLiveRevocations,
  RenewalDesk,
  RevocationFollower,
  systemTimers,
  WatchHub,
} from '#revocation-bus';
import type { Storage } from './storage.js';
import type { UndoList } from './undo-list.js';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown');

/** Starts what follows the log, and waits for the first barrier: before it there is no reference time. */
export async function followRevocations(storage: Storage, maxAccessTtl: number, undo: UndoList) {
  const logger = new Logger('revocations');
  const timers = systemTimers;
  const clock = new BarrierReferenceClock(timers);
  const log = storage.log.revocationLog;
  const follower = new RevocationFollower({
    log,
    clock,
    timers,
    maxAccessTtl,
    onAlarm: ({ kind, error, failures }) => {
      logger.warn(`${kind}, ${failures} in a row: ${messageOf(error)}`);
    },
  });
  undo.add(() => follower.stop());
  const hub = new WatchHub({ follower, log, timers, maxAccessTtl });
  const desk = new RenewalDesk({ follower, timers });
  const live = new FollowedLiveRevocations(follower, timers);
  const nodes = new NodeRegistry({
    memory: follower.memory,
    cursors: log,
    clock,
    timers,
    store: new PostgresNodeReports(storage.pool),
    windowMs: follower.windowMs,
    onAlarm: (error) => {
      logger.warn(`reports of nodes cannot be written: ${messageOf(error)}`);
    },
  });
  undo.add(() => nodes.stop());
  const recent = new FollowedRecentRevocations(follower.memory, desk, timers);
  await follower.start();
  return { clock, follower, hub, desk, live, nodes, recent };
}

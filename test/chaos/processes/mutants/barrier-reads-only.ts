import { PostgresRevocationLog } from '../../../../libs/event-log/postgres/postgres-revocation-log.js';

let n = 0n;

/** An instance that takes a read for a barrier: nothing tells it that its database is no longer the primary. */
PostgresRevocationLog.prototype.barrier = async function (after) {
  const page = await this.read(after);
  n += 1n;
  return { ...page, n: BigInt(Date.now()) * 1_000_000n + n, referenceTime: Date.now() };
};

/**
 * Which transactions had committed at some instant, in PostgreSQL's text form of pg_snapshot, `xmin:xmax:xip,…`: all below
 * `xmin` had ended, none from `xmax` on had, and of those in between the ones in `xip` had not.
 */
export interface Snapshot {
  readonly xmin: bigint;
  readonly xmax: bigint;
  readonly xip: readonly bigint[];
}

const SNAPSHOT = /^([1-9]\d{0,19}):([1-9]\d{0,19}):((?:[1-9]\d{0,19}(?:,[1-9]\d{0,19})*)?)$/;

/** Shows nothing. */
export const BEGINNING = '1:1:';

export function parseSnapshot(text: string): Snapshot | undefined {
  const match = SNAPSHOT.exec(text);
  if (!match) return undefined;
  const xmin = BigInt(match[1]!);
  const xmax = BigInt(match[2]!);
  const xip = match[3] ? match[3].split(',').map(BigInt) : [];
  const ordered = xip.every((tx, i) => tx >= (i === 0 ? xmin : xip[i - 1]! + 1n) && tx < xmax);
  return xmin <= xmax && ordered ? { xmin, xmax, xip } : undefined;
}

export const snapshotText = ({ xmin, xmax, xip }: Snapshot): string => `${xmin}:${xmax}:${xip.join(',')}`;

/** What `pg_visible_in_snapshot` says of a committed transaction. */
export const showsTransaction = (snapshot: Snapshot, tx: bigint): boolean =>
  tx < snapshot.xmin || (tx < snapshot.xmax && !snapshot.xip.includes(tx));

/**
 * The same snapshot without what it says of transactions after `newest`. Ids that no durable record holds are given out
 * again after a crash or a failover, so a snapshot that is kept must not claim to have seen them.
 */
export function upTo(snapshot: Snapshot, newest: bigint): Snapshot {
  if (snapshot.xmax <= newest + 1n) return snapshot;
  const xmax = newest + 1n;
  const xmin = snapshot.xmin < xmax ? snapshot.xmin : xmax;
  return { xmin, xmax, xip: snapshot.xip.filter((tx) => tx < xmax) };
}

/** A cursor's snapshot; '' is the beginning. @throws RangeError for what is no cursor */
export function parseCursor(cursor: string): Snapshot {
  const snapshot = parseSnapshot(cursor === '' ? BEGINNING : cursor);
  if (snapshot === undefined) throw new RangeError('not a cursor of this log');
  return snapshot;
}

import { bytesField, fieldsOf, numberField } from '../watch/protobuf.js';
import type { StreamView } from './lane.js';

/** `curfew.v1.RenewRequest`. */
export interface RenewRequest {
  readonly nodeId: string;
  /** B in milliseconds. */
  readonly bound: number;
  /** Of the heartbeat that the lease rests on; '' without a lease. */
  readonly appliedCursor: string;
}

/** `curfew.v1.RenewResponse`. */
export interface RenewAnswer {
  readonly barrier: bigint;
  readonly referenceTimeMs: number;
  readonly maxAccessTtlMs: number;
  readonly renewAfterMs: number;
  /** Undefined: nothing is published to Kafka. */
  readonly stream: StreamView | undefined;
}

export const encodeRenewRequest = ({ nodeId, bound, appliedCursor }: RenewRequest): Buffer =>
  Buffer.concat([
    bytesField(1, Buffer.from(nodeId)),
    numberField(2, bound),
    bytesField(3, Buffer.from(appliedCursor)),
  ]);

/** @throws RangeError if it is none, or one that no lease can rest on. */
export function decodeRenewResponse(bytes: Buffer): RenewAnswer {
  const { number, text } = fieldsOf(bytes);
  const [barrier, referenceTimeMs, maxAccessTtlMs] = [number(1), number(2), number(3)];
  // A number above 2^53 would have lost digits, and might name an earlier barrier than was meant.
  const counts = [barrier, referenceTimeMs, maxAccessTtlMs];
  if (!counts.every((count) => Number.isSafeInteger(count) && count > 0))
    throw new RangeError('incomplete renewal');
  const [streamId, lanes] = [text(5), number(6)];
  return {
    barrier: BigInt(barrier),
    referenceTimeMs,
    maxAccessTtlMs,
    renewAfterMs: number(4),
    stream: streamId === '' || lanes === 0 ? undefined : { streamId, lanes },
  };
}

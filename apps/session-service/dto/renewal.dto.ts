import { MAX_BOUND_MS, MAX_CURSOR, MAX_NODE_ID } from '#watch-door';
import { Integer, Line } from './fields.js';

/** A renewal of a node's lease. */
export class RenewalBody {
  @Line({ max: MAX_NODE_ID, description: 'Names the process in receipts; absent: it is in none.' })
  readonly nodeId?: string;

  @Integer({
    min: 0,
    max: MAX_BOUND_MS,
    description: "The node's staleness bound in milliseconds, for receipts; 0 if it does not say.",
  })
  readonly boundMs?: number;

  @Line({
    min: 0,
    max: MAX_CURSOR,
    description:
      '`cursor` of the heartbeat that its lease rests on (of several lanes that with the lowest barrier), for receipts; empty: it holds no lease.',
  })
  readonly appliedCursor?: string;
}

/** In proto3 an empty text is one that is not there. */
export const prepareRenewal = ({ nodeId, ...message }: Record<string, unknown>): object => ({
  ...message,
  ...(nodeId === '' ? {} : { nodeId }),
});

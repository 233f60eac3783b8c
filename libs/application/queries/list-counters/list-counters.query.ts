import { Query } from '@nestjs/cqrs';
import type { CallContext } from '../../caller.js';
import type { HourlyCount } from '../../ports/security-feed.port.js';

/**
 * What happened in a tenant, counted per hour. Scope: audit:read. Errors: ERR_VALIDATION (`from`, `to`: at most 31 days),
 * ERR_VALIDATION (`atLeast`), ERR_VIEW_BEHIND, ERR_TENANT_REQUIRED, ERR_NOT_FOUND (`tenant`).
 */
export class ListCounters extends Query<readonly HourlyCount[]> {
  constructor(
    readonly context: CallContext,
    readonly input: {
      readonly tenant?: string;
      /** Milliseconds since the epoch, included. */
      readonly from: number;
      /** Not included. */
      readonly to: number;
      readonly atLeast?: string;
    },
  ) {
    super();
  }
}

import { Query } from '@nestjs/cqrs';
import type { CallContext } from '../../caller.js';
import type { SecurityFeedEntry } from '../../ports/security-feed.port.js';

export interface SecurityFeedPage {
  readonly entries: readonly SecurityFeedEntry[];
  readonly nextCursor?: string;
}

/**
 * Thefts, replays and mass revocations of a tenant, newest first. Scope: audit:read. Errors: ERR_VALIDATION (`cursor`,
 * `atLeast`), ERR_VIEW_BEHIND, ERR_TENANT_REQUIRED, ERR_NOT_FOUND (`tenant`).
 */
export class ListSecurityFeed extends Query<SecurityFeedPage> {
  constructor(
    readonly context: CallContext,
    readonly input: {
      readonly tenant?: string;
      /** 1 to 200; 100 if absent. */
      readonly limit?: number;
      readonly cursor?: string;
      readonly atLeast?: string;
    },
  ) {
    super();
  }
}

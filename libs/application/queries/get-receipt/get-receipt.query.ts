import { Query } from '@nestjs/cqrs';
import type { Receipt } from '#contracts';
import type { CallContext } from '../../caller.js';

export interface GetReceiptInput {
  /** Of a session its sid. */
  readonly id: string;
  readonly tenant?: string;
  /** Answers when no node is outstanding, or at the deadline. */
  readonly wait?: boolean;
  /** Milliseconds; 10,000 if absent. */
  readonly timeoutMs?: number;
}

/**
 * Which nodes have applied a revocation; for `maxAccessTtl` and a minute after it. Scope: sessions:revoke, scopes:revoke or
 * audit:read. Errors: ERR_NOT_FOUND (unknown, too old, of another tenant; a global one for a key that is bound to tenants),
 * ERR_UNAVAILABLE, ERR_OVERLOADED (too many wait).
 */
export class GetReceipt extends Query<Receipt> {
  constructor(
    readonly context: CallContext,
    readonly input: GetReceiptInput,
  ) {
    super();
  }
}

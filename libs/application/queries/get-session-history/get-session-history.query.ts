import { Query } from '@nestjs/cqrs';
import type { CallContext } from '../../caller.js';

export interface HistoryEvent {
  readonly id: string;
  readonly type: string;
  readonly revision: number;
  readonly position: string;
  /** Milliseconds since the epoch, reference time. */
  readonly recordedAt: number;
  readonly actor: { readonly kind: string; readonly id: string };
  readonly initiator: string;
  readonly correlationId: string;
  /** Without hashes, salts and key ids; personal data only for callers with `personal-data:read`. */
  readonly data: Readonly<Record<string, unknown>>;
}

export interface HistoryPage {
  readonly events: readonly HistoryEvent[];
  readonly nextCursor?: string;
}

/** The events of one session, oldest first. Scope: audit:read. Errors: ERR_NOT_FOUND, ERR_VALIDATION (`cursor`). */
export class GetSessionHistory extends Query<HistoryPage> {
  constructor(
    readonly context: CallContext,
    readonly input: {
      readonly sid: string;
      readonly tenant?: string;
      readonly limit?: number;
      readonly cursor?: string;
    },
  ) {
    super();
  }
}

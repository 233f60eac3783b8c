import { Query } from '@nestjs/cqrs';
import type { SessionInfo } from '#contracts';
import type { CallContext } from '../../caller.js';
import type { MomentInput } from '../../moment.js';

/**
 * One session as it was, told from the log: timeouts and mass revocations apply as of then. Scope: audit:read. Errors:
 * ERR_NOT_FOUND (also before its creation), ERR_VALIDATION (`at`, `atPosition`).
 */
export class GetSessionAt extends Query<SessionInfo> {
  constructor(
    readonly context: CallContext,
    readonly input: MomentInput & { readonly sid: string; readonly tenant?: string },
  ) {
    super();
  }
}

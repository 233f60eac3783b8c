import { Command } from '@nestjs/cqrs';
import type { CallContext } from '../../caller.js';

/**
 * Lets a paused read model try its event again. Scope: admin, with a key for every tenant. Errors: ERR_NOT_FOUND,
 * ERR_FORBIDDEN, ERR_UNAVAILABLE.
 */
export class ResumeProjection extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly name: string,
  ) {
    super();
  }
}

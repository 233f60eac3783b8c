import { Command } from '@nestjs/cqrs';
import type { CallContext } from '../../caller.js';

/**
 * Builds a read model anew from position zero, beside the live one (see `Projections.rebuild`). Scope: admin, with a key for
 * every tenant. Errors: ERR_NOT_FOUND, ERR_FORBIDDEN, ERR_UNAVAILABLE.
 */
export class RebuildProjection extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly name: string,
  ) {
    super();
  }
}

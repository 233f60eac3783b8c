import { Command } from '@nestjs/cqrs';
import type { CallContext } from '../../caller.js';

/** Takes effect within B and cuts the key's open streams. Idempotent. Scope: admin. Errors: ERR_NOT_FOUND. */
export class RevokeApiKey extends Command<void> {
  constructor(
    readonly context: CallContext,
    readonly id: string,
  ) {
    super();
  }
}

import { Command } from '@nestjs/cqrs';
import type { ApiKeyScope } from '#contracts';
import type { CallContext } from '../../caller.js';
import type { ApiKeyRecord } from '../../ports/api-keys.port.js';

export interface CreateApiKeyInput {
  readonly name: string;
  readonly scopes: readonly ApiKeyScope[];
  /** `['default']` if absent. */
  readonly tenants?: readonly string[];
  /** The installation's own audience if absent. */
  readonly audiences?: readonly string[];
}

export interface CreatedApiKey extends ApiKeyRecord {
  /** The secret, shown once: 256 bits, only its SHA-256 is kept. */
  readonly key: string;
}

/** Scope: admin. The new key may not reach further than its maker (tenants). Errors: ERR_FORBIDDEN. */
export class CreateApiKey extends Command<CreatedApiKey> {
  constructor(
    readonly context: CallContext,
    readonly input: CreateApiKeyInput,
  ) {
    super();
  }
}

import { Query } from '@nestjs/cqrs';
import type { CallContext } from '../../caller.js';
import type { ApiKeyRecord } from '../../ports/api-keys.port.js';

/** Keys within the caller’s tenants, oldest first. Scope: admin. */
export class ListApiKeys extends Query<readonly ApiKeyRecord[]> {
  constructor(readonly context: CallContext) {
    super();
  }
}

import { Query } from '@nestjs/cqrs';
import type { AccessTokenClaims } from '#contracts';
import type { CallContext } from '../../caller.js';

export type Introspection =
  | { readonly active: false; readonly barrierAgeMs: number }
  | { readonly active: true; readonly claims: AccessTokenClaims; readonly barrierAgeMs: number };

/**
 * RFC 7662 on an access token of one of the caller's audiences and tenants, decided on the stream itself. Anything that is
 * not clearly alive is `active: false`. Scope: tokens:introspect. Errors: ERR_UNAVAILABLE, ERR_OVERLOADED (too
 * many at once).
 *
 * Cost: one read of the primary, and a barrier, shared with others, when the last one is older than 100 ms.
 */
export class IntrospectToken extends Query<Introspection> {
  constructor(
    readonly context: CallContext,
    readonly token: string,
  ) {
    super();
  }
}

import type { ApiKeyScope } from '#contracts';

/** Who calls: an authenticated API key. */
export interface Caller {
  readonly keyId: string;
  readonly scopes: readonly ApiKeyScope[];
  readonly tenants: readonly string[];
  readonly audiences: readonly string[];
}

/** What a door knows about a call when it receives it; made once, before any await. */
export interface CallContext {
  readonly caller: Caller;
  readonly correlationId: string;
}

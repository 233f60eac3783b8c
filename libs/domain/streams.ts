import type { ScopeRef } from './scope/scope.js';

// Injective: `encodeURIComponent` never yields the separator `:`, so two different pairs never meet.
const pair = (tenant: string, id: string): string =>
  `${encodeURIComponent(tenant)}:${encodeURIComponent(id)}`;

export const sessionStream = (sid: string): string => `session-${sid}`;

/** What belongs to one user of one tenant: user 42 of one tenant is not user 42 of another. Grows with every create. */
export const userStream = (tenant: string, sub: string): string => `scope-user-${pair(tenant, sub)}`;

/** The epochs of one scope. Holds mass revocations only, so it is short and creates never contend for it (ADR 12). */
export function scopeStream(scope: ScopeRef): string {
  switch (scope.kind) {
    case 'user':
      return `epoch-user-${pair(scope.tenant, scope.sub)}`;
    case 'client':
      return `epoch-client-${pair(scope.tenant, scope.client)}`;
    case 'tenant':
      return `epoch-tenant-${encodeURIComponent(scope.tenant)}`;
    case 'global':
      return 'epoch-global';
  }
}

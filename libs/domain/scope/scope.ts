/** What one mass revocation can end (DESIGN §5), from the narrowest to the widest. The order is that of `Epochs`. */
export const SCOPE_KINDS = ['user', 'client', 'tenant', 'global'] as const;
export type ScopeKind = (typeof SCOPE_KINDS)[number];

/** One scope. A client belongs to a tenant. */
export type ScopeRef =
  | { readonly kind: 'user'; readonly tenant: string; readonly sub: string }
  | { readonly kind: 'client'; readonly tenant: string; readonly client: string }
  | { readonly kind: 'tenant'; readonly tenant: string }
  | { readonly kind: 'global' };

/** A value for each scope that a session belongs to, in the order of `SCOPE_KINDS`. */
export type PerScope<T> = readonly [user: T, client: T, tenant: T, global: T];

/** The epochs that a session has seen. Integers, 0 at first: no clock is compared. */
export type Epochs = PerScope<number>;

export const FIRST_EPOCHS: Epochs = [0, 0, 0, 0];

/** The scopes that a session belongs to. They never change while it lives. */
export const scopesOf = (session: {
  readonly tenant: string;
  readonly sub: string;
  readonly client: string;
}): PerScope<ScopeRef> => [
  { kind: 'user', tenant: session.tenant, sub: session.sub },
  { kind: 'client', tenant: session.tenant, client: session.client },
  { kind: 'tenant', tenant: session.tenant },
  { kind: 'global' },
];

/** Whether the scope holds the session. */
export function holds(
  scope: ScopeRef,
  session: { readonly tenant: string; readonly sub: string; readonly client: string },
): boolean {
  if (scope.kind === 'global') return true;
  if (scope.tenant !== session.tenant) return false;
  if (scope.kind === 'user') return scope.sub === session.sub;
  return scope.kind === 'tenant' || scope.client === session.client;
}

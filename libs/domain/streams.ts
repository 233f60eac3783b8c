/** Injective: `encodeURIComponent` never yields the separator `:`, so two different pairs never meet. */
export const sessionStream = (sid: string): string => `session-${sid}`;

/** The stream of what belongs to one user of one tenant: user 42 of one tenant is not user 42 of another. */
export const userStream = (tenant: string, sub: string): string =>
  `scope-user-${encodeURIComponent(tenant)}:${encodeURIComponent(sub)}`;

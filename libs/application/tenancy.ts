import { CurfewError } from '#contracts';
import type { Caller } from './caller.js';

const EVERY_TENANT = '*';

/** Whether the caller may see what belongs to the tenant. */
export const mayReach = (caller: Caller, tenant: string): boolean =>
  caller.tenants.includes(EVERY_TENANT) || caller.tenants.includes(tenant);

/**
 * The tenant that a call without an object is about.
 * @throws CurfewError ERR_TENANT_REQUIRED when the key is bound to several and none is named; ERR_NOT_FOUND for a tenant out of
 * reach, which answers as one that does not exist (G10).
 */
export function tenantOf(caller: Caller, named: string | undefined): string {
  if (named !== undefined) {
    if (!mayReach(caller, named)) throw new CurfewError('ERR_NOT_FOUND', { field: 'tenant' });
    return named;
  }
  const [only, ...others] = caller.tenants;
  if (only === undefined || only === EVERY_TENANT || others.length > 0) {
    throw new CurfewError('ERR_TENANT_REQUIRED', { field: 'tenant' });
  }
  return only;
}

/** Whether the caller may see what concerns all tenants at once. */
export const reachesAll = (caller: Caller): boolean => caller.tenants.includes(EVERY_TENANT);

/**
 * For what concerns all tenants at once.
 * @throws CurfewError ERR_FORBIDDEN for a key that is bound to some.
 */
export function assertReachesAll(caller: Caller): void {
  if (!reachesAll(caller)) {
    throw new CurfewError('ERR_FORBIDDEN', { detail: 'this needs a key for every tenant' });
  }
}

/** Whether a session that was found by its id may be shown to the caller, who may also have named a tenant. */
export const isVisible = (caller: Caller, named: string | undefined, tenant: string): boolean =>
  mayReach(caller, tenant) && (named === undefined || named === tenant);

/** Whether a caller may make, see and revoke keys for these tenants. */
export const mayManage = (caller: Caller, tenants: readonly string[]): boolean =>
  tenants.length > 0 && tenants.every((tenant) => mayReach(caller, tenant));

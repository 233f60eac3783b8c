import type { Revocation } from '../watch/protobuf.js';
import type { Session } from './curfew.types.js';

/** Of user `u` and client `c` in tenant `t`. */
export const NOBODY: Revocation = {
  scope: '',
  tenant: 't',
  sub: '',
  sid: '',
  clientId: '',
  epoch: 0,
  excepted: new Map(),
};

export const sessionEnd = (tenant: string, sid: string): Revocation => ({
  ...NOBODY,
  scope: 'session',
  tenant,
  sub: 'u',
  sid,
});

/** As the service says it: with the ids of the scope, and no others. */
export function massRevocation(
  scope: string,
  epoch: number,
  excepted: Readonly<Record<string, number>> = {},
  changes: Partial<Revocation> = {},
): Revocation {
  return {
    ...NOBODY,
    scope,
    tenant: scope === 'global' ? '' : 't',
    sub: scope === 'user' ? 'u' : '',
    clientId: scope === 'client' ? 'c' : '',
    epoch,
    excepted: new Map(Object.entries(excepted)),
    ...changes,
  };
}

/** A session of user `u` and client `c` in tenant `t`, without epochs seen. */
export const sessionOf = ({
  ep,
  ...facts
}: Partial<Session> & { readonly ep?: readonly number[] } = {}): Session =>
  ({
    sid: 's',
    sub: 'u',
    tenant: 't',
    clientId: 'c',
    gen: 0,
    expiresAt: 1,
    claims: { ep },
    ...facts,
  }) as Session;

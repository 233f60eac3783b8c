import type { RevocationMessage } from '#contracts';
import type { Revocation } from '../watch/protobuf.js';

const SCOPES = ['user', 'client', 'tenant', 'global', 'session'];

const isText = (value: unknown): boolean => typeof value === 'string';
const isCount = (value: unknown): boolean => Number.isSafeInteger(value);
const isTable = (value: unknown): value is object => typeof value === 'object' && value !== null;

function isWhole({ scope, tenant, sub, sid, client, epoch, excepted }: Record<string, unknown>): boolean {
  if (!isText(tenant) || !isText(sub)) return false;
  if (scope === 'session') return isText(sid) && sid !== '';
  return isText(client) && isCount(epoch) && isTable(excepted) && Object.values(excepted).every(isCount);
}

/**
 * A record's revocation in the terms of the deny-list. Of a scope that is not known nothing else is asked: the node stops
 * trusting its memory.
 * @throws RangeError if it does not say whom it ends: to take it for applied would lose it.
 */
export function revocationOf(message: RevocationMessage): Revocation {
  const { scope, tenant, sub } = message;
  if (!SCOPES.includes(scope))
    return { scope, tenant: '', sub: '', sid: '', clientId: '', epoch: 0, excepted: new Map() };
  if (!isWhole({ ...message })) throw new RangeError('incomplete revocation');
  const [sid, client, epoch, excepted] =
    message.scope === 'session'
      ? [message.sid, '', 0, {}]
      : ['', message.client, message.epoch, message.excepted];
  return { scope, tenant, sub, sid, clientId: client, epoch, excepted: new Map(Object.entries(excepted)) };
}

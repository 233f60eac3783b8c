import type { RevocationMessage } from '#contracts';
import type { Revocation } from '../watch/protobuf.js';

const SCOPES: readonly string[] = ['user', 'client', 'tenant', 'global', 'session'];

/**
 * A record's revocation in the terms of the deny-list.
 * @throws RangeError if it lacks what says whom it ends: to take it for applied would lose it.
 */
export function revocationOf(message: RevocationMessage): Revocation {
  const { scope, tenant, sub } = message;
  const sid = message.scope === 'session' ? message.sid : '';
  const { client, epoch, excepted } =
    message.scope === 'session' ? { client: '', epoch: 0, excepted: {} } : message;
  const texts: readonly unknown[] = [tenant, sub, sid, client];
  const whole =
    texts.every((text) => typeof text === 'string') &&
    Number.isSafeInteger(epoch) &&
    typeof excepted === 'object' &&
    (scope !== 'session' || sid !== '');
  // Of a scope that is not known the node stops trusting its memory, whatever else it says.
  if (!whole && SCOPES.includes(scope)) throw new RangeError('incomplete revocation');
  const entries = whole ? Object.entries(excepted) : [];
  return { scope, tenant, sub, sid, clientId: client, epoch, excepted: new Map(entries) };
}

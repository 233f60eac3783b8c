import type { RecordedEvent } from '#application';
import type { RevocationMessage } from '#contracts';
import { sessionStream, type SessionRevoked } from '#domain';

const PREFIX = sessionStream('');
const TYPE: SessionRevoked['type'] = 'session.revoked';

/**
 * What nodes hear of a revocation event.
 * @throws Error for an event that this version cannot read. To skip it would let a revoked session live (G2), so the reader
 *   stops there, its barriers fail and its nodes go stale until a version that can read it runs.
 */
export function toRevocationMessage(event: RecordedEvent): RevocationMessage {
  const data = event.data as Partial<SessionRevoked['data']>;
  const { tenant, sub, reason, initiator } = data;
  const sid = event.stream.startsWith(PREFIX) ? event.stream.slice(PREFIX.length) : '';
  if (event.type !== TYPE || !sid || !tenant || !sub || !reason || !initiator) {
    throw new Error(`event ${event.id} (${event.type}) is no revocation that this version can read`);
  }
  return Object.freeze({ scope: 'session', tenant, sub, sid, reason, initiator, position: event.position });
}

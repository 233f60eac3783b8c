import type { RecordedEvent } from '#application';
import type { RevocationMessage, ScopeRevocation, SessionRevocation } from '#contracts';
import { scopeStream, sessionStream, type ScopeRef, type ScopeRevoked, type SessionRevoked } from '#domain';

const SESSION_PREFIX = sessionStream('');
const SESSION_REVOKED: SessionRevoked['type'] = 'session.revoked';
const SCOPE_REVOKED: ScopeRevoked['type'] = 'scope.revoked';
/** The contract's `uint32`. A higher epoch would reach the nodes as a small one. */
const LAST_EPOCH = 0xffff_ffff;

/**
 * What nodes hear of a revocation event.
 * @throws Error for an event that this version cannot read. To skip it would let a revoked session live (G2), so the reader
 *   stops there, its barriers fail and its nodes go stale until a version that can read it runs.
 */
export function toRevocationMessage(event: RecordedEvent): RevocationMessage {
  const message = sessionRevocation(event) ?? scopeRevocation(event);
  if (!message)
    throw new Error(`event ${event.id} (${event.type}) is no revocation that this version can read`);
  return Object.freeze(message);
}

function sessionRevocation(event: RecordedEvent): SessionRevocation | undefined {
  const { tenant, sub, reason, initiator } = event.data as Partial<SessionRevoked['data']>;
  const sid = event.stream.startsWith(SESSION_PREFIX) ? event.stream.slice(SESSION_PREFIX.length) : '';
  if (event.type !== SESSION_REVOKED || !sid || !tenant || !sub || !reason || !initiator) return undefined;
  return { scope: 'session', tenant, sub, sid, reason, initiator, position: event.position };
}

function scopeRevocation(event: RecordedEvent): ScopeRevocation | undefined {
  const data = event.data as Partial<ScopeRevoked['data']>;
  const { revocationId, epoch, excepted, reason, initiator } = data;
  const scope = scopeOf(data);
  if (event.type !== SCOPE_REVOKED || !scope || scopeStream(scope) !== event.stream) return undefined;
  if (!revocationId || !isEpoch(epoch) || epoch === 0 || !reason || !initiator) return undefined;
  if (!isExcepted(excepted, epoch)) return undefined;
  return {
    scope: scope.kind,
    revocationId,
    tenant: scope.kind === 'global' ? '' : scope.tenant,
    sub: scope.kind === 'user' ? scope.sub : '',
    client: scope.kind === 'client' ? scope.client : '',
    epoch,
    excepted: Object.freeze({ ...excepted }),
    reason,
    initiator,
    position: event.position,
  };
}

function scopeOf({ kind, tenant, sub, client }: Partial<ScopeRevoked['data']>): ScopeRef | undefined {
  if (kind === 'global') return { kind };
  if (!tenant) return undefined;
  if (kind === 'user' && sub) return { kind, tenant, sub };
  if (kind === 'client' && client) return { kind, tenant, client };
  return kind === 'tenant' ? { kind, tenant } : undefined;
}

const isEpoch = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= LAST_EPOCH;

const isExcepted = (value: unknown, epoch: number): value is ScopeRevocation['excepted'] =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((from) => isEpoch(from) && from < epoch);

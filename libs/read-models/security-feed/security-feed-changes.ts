import type { RecordedEvent } from '#application';
import {
  sessionStream,
  type ScopeRevoked,
  type SessionRevoked,
  type SessionRotationReplayed,
  type SessionTheftDetected,
} from '#domain';
import { EVERY_TENANT } from '../every-tenant.js';

/** A row of the feed. Holds no hash, no salt and nothing sealed. */
interface SecurityFeedRow {
  readonly event_id: string;
  readonly position: string;
  readonly tenant: string;
  readonly kind: string;
  readonly sid: string | null;
  readonly sub: string | null;
  /** Recorded-at, ms. */
  readonly at: number;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface SecurityFeedChanges {
  readonly rows: readonly SecurityFeedRow[];
  /** Whose the sessions of thefts were: the theft itself does not say it, the revocation behind it does. */
  readonly victims: readonly { readonly sid: string; readonly sub: string }[];
}

type Entry = Pick<SecurityFeedRow, 'detail'> & Partial<Pick<SecurityFeedRow, 'tenant' | 'sid' | 'sub'>>;

/** What events add to the feed. Pure. */
export function securityFeedChanges(events: readonly RecordedEvent[]): SecurityFeedChanges {
  const rows: SecurityFeedRow[] = [];
  const victims: { sid: string; sub: string }[] = [];
  for (const event of events) {
    const victim = victimOf(event);
    if (victim) victims.push(victim);
    const entry = entryOf(event);
    if (entry === undefined) continue;
    const { id, position, type, metadata } = event;
    rows.push({
      event_id: id,
      position,
      tenant: metadata.tenant,
      kind: type,
      sid: null,
      sub: null,
      at: metadata.recordedAt,
      ...entry,
    });
  }
  return { rows, victims };
}

function entryOf({ type, data, stream }: RecordedEvent): Entry | undefined {
  switch (type) {
    case 'session.theft-detected': {
      const { presentedGen, currentGen } = data as unknown as SessionTheftDetected['data'];
      return { sid: sidOf(stream), detail: { presentedGen, currentGen } };
    }
    case 'session.rotation-replayed': {
      const { gen, presentedGen, rule } = data as unknown as SessionRotationReplayed['data'];
      return { sid: sidOf(stream), detail: { gen, presentedGen, rule } };
    }
    case 'scope.revoked':
      return massRevocation(data as unknown as ScopeRevoked['data']);
    default:
      return undefined;
  }
}

function massRevocation(data: ScopeRevoked['data']): Entry {
  const { kind, tenant = EVERY_TENANT, sub, client, epoch, excepted, reason, initiator, revocationId } = data;
  return {
    tenant,
    sub: sub ?? null,
    detail: {
      revocationId,
      kind,
      ...(client === undefined ? {} : { client }),
      epoch,
      reason,
      initiator,
      excepted: Object.keys(excepted).length,
    },
  };
}

function victimOf({ type, data, stream }: RecordedEvent): { sid: string; sub: string } | undefined {
  if (type !== 'session.revoked') return undefined;
  const { reason, sub } = data as unknown as SessionRevoked['data'];
  return reason === 'theft' ? { sid: sidOf(stream), sub } : undefined;
}

const sidOf = (stream: string): string => stream.slice(sessionStream('').length);

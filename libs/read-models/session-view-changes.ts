import type { StreamAppend } from '#application';
import { sessionStream, type SessionEvent } from '#domain';

/**
 * What one append changes of one session's view, as `curfew.apply_inline_views` takes it. Absent members stay as they are. A
 * change with `tenant` makes the view.
 */
export interface SessionViewChange {
  readonly sid: string;
  /** Revision of the last event that the change holds: an older change changes nothing. */
  readonly revision: number;
  readonly tenant?: string;
  readonly sub?: string;
  readonly client?: string;
  readonly roles?: readonly string[];
  readonly created_at?: number;
  readonly idle_timeout?: number;
  readonly absolute_timeout?: number;
  readonly gen?: number;
  readonly last_seen_at?: number;
  readonly device?: object;
  readonly ended_at?: number;
  readonly ended_reason?: string;
  readonly ended_initiator?: string;
}

const SESSION_STREAM_PREFIX = sessionStream('');

/** The changes of the per-user session view, one per session stream at most. Pure. */
export function sessionViewChanges(appends: readonly StreamAppend[]): SessionViewChange[] {
  const changes: SessionViewChange[] = [];
  for (const { stream, expectedRevision, events } of appends) {
    if (!stream.startsWith(SESSION_STREAM_PREFIX)) continue;
    let changed = false;
    let change: SessionViewChange = { sid: stream.slice(SESSION_STREAM_PREFIX.length), revision: -1 };
    events.forEach(({ type, data }, i) => {
      const patch = changeOf({ type, data } as unknown as SessionEvent);
      if (patch === undefined) return;
      changed = true;
      change = { ...change, ...patch, revision: expectedRevision + 1 + i };
    });
    if (changed) changes.push(change);
  }
  return changes;
}

function changeOf(event: SessionEvent): Omit<SessionViewChange, 'sid' | 'revision'> | undefined {
  switch (event.type) {
    case 'session.created': {
      const { tenant, sub, client, roles, policy, at, device } = event.data;
      return {
        tenant,
        sub,
        client,
        roles,
        gen: 0,
        created_at: at,
        last_seen_at: at,
        idle_timeout: policy.idleTimeout,
        absolute_timeout: policy.absoluteTimeout,
        ...(device && { device }),
      };
    }
    case 'session.rotated': {
      const { gen, at, device } = event.data;
      return { gen, last_seen_at: at, ...(device && { device }) };
    }
    case 'session.revoked': {
      const { at, reason, initiator } = event.data;
      return { ended_at: at, ended_reason: reason, ended_initiator: initiator };
    }
    case 'session.expired':
      return { ended_at: event.data.at, ended_reason: event.data.reason, ended_initiator: 'policy' };
    default:
      return undefined;
  }
}

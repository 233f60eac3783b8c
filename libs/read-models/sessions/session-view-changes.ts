import type { RecordedEvent, StreamAppend } from '#application';
import { FIRST_EPOCHS, sessionStream, type Epochs, type SessionEvent } from '#domain';

/**
 * What one or several events change of one session's view, as `curfew.apply_inline_views` and the projection take it. Absent
 * members stay as they are. A change with `tenant` makes the view.
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
  readonly ep_user?: number;
  readonly ep_client?: number;
  readonly ep_tenant?: number;
  readonly ep_global?: number;
  readonly ended_at?: number;
  readonly ended_reason?: string;
  readonly ended_initiator?: string;
}

type Patch = Omit<SessionViewChange, 'sid' | 'revision'>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Changes = Map<string, SessionViewChange>;

const SESSION_STREAM_PREFIX = sessionStream('');

/** The changes of appends that are under way, one per session at most. Pure. */
export function sessionViewChanges(appends: readonly StreamAppend[]): SessionViewChange[] {
  const changes: Changes = new Map();
  for (const { stream, expectedRevision, events } of appends) {
    events.forEach((event, i) => add(changes, stream, expectedRevision + 1 + i, event));
  }
  return [...changes.values()];
}

/** The changes of recorded events in log order, folded to one per session: equal to one by one. Pure. */
export function foldSessionViewChanges(events: readonly RecordedEvent[]): SessionViewChange[] {
  const changes: Changes = new Map();
  for (const event of events) add(changes, event.stream, event.revision, event);
  return [...changes.values()];
}

function add(
  changes: Changes,
  stream: string,
  revision: number,
  { type, data }: { readonly type: string; readonly data: object },
): void {
  if (!stream.startsWith(SESSION_STREAM_PREFIX)) return;
  const patch = patchOf({ type, data } as unknown as SessionEvent);
  if (patch === undefined) return;
  const sid = stream.slice(SESSION_STREAM_PREFIX.length);
  const earlier = changes.get(sid);
  changes.set(sid, earlier === undefined ? { sid, revision, ...patch } : merged(earlier, revision, patch));
}

/** As the SQL does it: times and epochs never go back, and the first end counts. */
function merged(earlier: SessionViewChange, revision: number, patch: Patch): SessionViewChange {
  const change: Mutable<SessionViewChange> = { ...earlier, ...patch, revision };
  for (const column of NEVER_BACK) {
    const [before, after] = [earlier[column], patch[column]];
    if (before !== undefined && after !== undefined) change[column] = Math.max(before, after);
  }
  if (earlier.ended_at === undefined) return change;
  const { ended_at, ended_reason, ended_initiator } = earlier;
  return { ...change, ended_at, ended_reason: ended_reason!, ended_initiator: ended_initiator! };
}

const NEVER_BACK = ['last_seen_at', 'ep_user', 'ep_client', 'ep_tenant', 'ep_global'] as const;

function patchOf(event: SessionEvent): Patch | undefined {
  switch (event.type) {
    case 'session.created':
      return created(event.data);
    case 'session.rotated': {
      const { gen, at, device, ep } = event.data;
      return { gen, last_seen_at: at, ...(ep && epochs(ep)), ...(device && { device }) };
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

type Created = Extract<SessionEvent, { type: 'session.created' }>['data'];

function created({ tenant, sub, client, roles, policy, at, device, ep }: Created): Patch {
  // Without it the change would count as one of a view that is there, and the event be skipped in silence.
  if (typeof tenant !== 'string') throw new TypeError('session.created names no tenant');
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
    // Version 1 of the event had no epochs.
    ...epochs(ep ?? FIRST_EPOCHS),
    ...(device && { device }),
  };
}

const epochs = ([user, client, tenant, global]: Epochs): Patch => ({
  ep_user: user,
  ep_client: client,
  ep_tenant: tenant,
  ep_global: global,
});

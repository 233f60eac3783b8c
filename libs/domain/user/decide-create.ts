import type { SessionCreated, SessionEvent } from '../session/events.js';
import { decideExpire, decideRevoke } from '../session/decide-revoke.js';
import type { SessionState } from '../session/state.js';
import type { Admission, UserState } from './admission.js';
import type { UserSessionAdmitted } from './events.js';

export interface CreateSession {
  /** Reference time at the command's receipt, ms. */
  readonly now: number;
  readonly sid: string;
  readonly created: SessionCreated['data'];
  readonly idempotencyKeyHash?: string;
  /** Revision of the user's stream at this command's first load; -1 if there was none. */
  readonly firstLoadRevision: number;
  /** Of the examined: those that a mass revocation has ended. They leave their slots; nothing is left to end. */
  readonly epochPassed: ReadonlySet<string>;
  /** A session that this login takes the place of. */
  readonly replaces?: string;
}

export type CreateDecision =
  /** A newer attempt with the same key is there: this one is the older and never decides again (409). */
  | { readonly outcome: 'superseded' }
  | {
      readonly outcome: 'created';
      readonly admitted: UserSessionAdmitted;
      readonly created: SessionCreated;
      /** Terminal events, by sid, each to be appended at the revision at which its session was examined. */
      readonly ends: ReadonlyMap<string, readonly SessionEvent[]>;
    };

/**
 * Creation with its admission (DESIGN §5): what is found dead leaves its slot and, if only time had killed it, its end goes on
 * record; a session that an earlier attempt with the same key made was not delivered, so it ends.
 * @param examined the states of those admitted sessions (and of `replaces`) that were loaded.
 */
export function decideCreate(
  user: UserState,
  examined: ReadonlyMap<string, SessionState>,
  command: CreateSession,
): CreateDecision {
  const key = command.idempotencyKeyHash;
  const withSameKey = (admission: Admission): boolean =>
    key !== undefined && admission.idempotencyKeyHash === key;
  const newest = user.recentKeys.findLast(withSameKey);
  if (newest && newest.revision > command.firstLoadRevision) return { outcome: 'superseded' };

  const undelivered = new Set(user.admitted.filter(withSameKey).map(({ sid }) => sid));
  const ends = new Map<string, readonly SessionEvent[]>();
  const dead = new Set<string>();
  for (const [sid, state] of examined) {
    const events = endOf(sid, state, undelivered, command);
    if (events.length > 0) ends.set(sid, events);
    if (events.length > 0 || state.status !== 'open' || command.epochPassed.has(sid)) dead.add(sid);
  }
  const left = user.admitted.map((admission) => admission.sid).filter((sid) => dead.has(sid));
  const { sub, tenant } = command.created;
  return {
    outcome: 'created',
    admitted: {
      type: 'user.session-admitted',
      data: {
        sub,
        tenant,
        sid: command.sid,
        ...(key === undefined ? {} : { idempotencyKeyHash: key }),
        left,
      },
    },
    created: { type: 'session.created', data: command.created },
    ends,
  };
}

function endOf(
  sid: string,
  state: SessionState,
  undelivered: ReadonlySet<string>,
  command: CreateSession,
): readonly SessionEvent[] {
  const expired = decideExpire(state, command.now);
  if (expired.length > 0) return expired;
  if (command.epochPassed.has(sid)) return [];
  if (undelivered.has(sid))
    return decideRevoke(state, { now: command.now, reason: 'policy', initiator: 'system' });
  if (sid === command.replaces)
    return decideRevoke(state, { now: command.now, reason: 'logout', initiator: 'user' });
  return [];
}

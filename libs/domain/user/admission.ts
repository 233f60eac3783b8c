import type { UserSessionAdmitted } from './events.js';

export interface Admission {
  readonly sid: string;
  readonly idempotencyKeyHash?: string;
  /** Revision of the admission in the user's stream. */
  readonly revision: number;
}

/** A user's slots: every session that was admitted and has not left, oldest first; at most `MOST_SLOTS`. */
export interface UserState {
  readonly admitted: readonly Admission[];
  /** The last admissions that came with a key, left or not: an older attempt must find the newer one (DESIGN §5). */
  readonly recentKeys: readonly Admission[];
}

export const initialUserState: UserState = { admitted: [], recentKeys: [] };

/** More creates of one user than fit into the life of one command. */
const RECENT_KEYS = 64;

/**
 * How many sessions of one user are tracked. The oldest lose their slot beyond it (not their life), so that a state stays small
 * for a user with a million sessions. No policy may allow more sessions at once.
 */
export const MOST_SLOTS = 256;

export function evolveUser(state: UserState, event: UserSessionAdmitted, revision: number): UserState {
  const { sid, idempotencyKeyHash, left } = event.data;
  const gone = new Set(left);
  const admission = { sid, revision, ...(idempotencyKeyHash === undefined ? {} : { idempotencyKeyHash }) };
  return {
    admitted: [...state.admitted.filter((other) => !gone.has(other.sid)), admission].slice(-MOST_SLOTS),
    recentKeys:
      idempotencyKeyHash === undefined
        ? state.recentKeys
        : [...state.recentKeys.slice(1 - RECENT_KEYS), admission],
  };
}

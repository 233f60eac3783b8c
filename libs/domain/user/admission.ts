import type { UserSessionAdmitted } from './events.js';

export interface Admission {
  readonly sid: string;
  readonly idempotencyKeyHash?: string;
  /** Revision of the admission in the user's stream. */
  readonly revision: number;
}

/** A user's slots: every session that was admitted and has not left, oldest first. */
export interface UserState {
  readonly admitted: readonly Admission[];
}

export const initialUserState: UserState = { admitted: [] };

export function evolveUser(state: UserState, event: UserSessionAdmitted, revision: number): UserState {
  const { sid, idempotencyKeyHash, left } = event.data;
  const gone = new Set(left);
  return {
    admitted: [
      ...state.admitted.filter((admission) => !gone.has(admission.sid)),
      { sid, revision, ...(idempotencyKeyHash === undefined ? {} : { idempotencyKeyHash }) },
    ],
  };
}

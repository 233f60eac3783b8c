import type { Initiator, Reason } from '../session/ending.js';
import { hasExpired } from '../session/expiry.js';
import type { SessionState } from '../session/state.js';
import type { ScopeRevoked } from './events.js';
import { holds, SCOPE_KINDS, type PerScope, type ScopeRef } from './scope.js';
import { survivesAll, type PastRevocation, type ScopeState } from './state.js';

/** A session that the revocation shall spare, as it was loaded with the scopes that it belongs to. */
export interface Exception {
  readonly sid: string;
  readonly session: SessionState;
  /** Without the revoked scope's own state: that one is the decider's. */
  readonly scopes: PerScope<ScopeState>;
}

export interface RevokeScope {
  readonly scope: ScopeRef;
  readonly revocationId: string;
  /** Reference time, ms. */
  readonly now: number;
  readonly reason: Reason;
  readonly initiator: Initiator;
  readonly exceptions: readonly Exception[];
  readonly idempotencyKeyHash?: string;
}

export type RevokeScopeDecision =
  | { readonly outcome: 'revoked'; readonly event: ScopeRevoked }
  /** The same key came before: its revocation is the answer, and nothing is raised. */
  | { readonly outcome: 'repeated'; readonly first: PastRevocation }
  /** The same key came before with another wish: nothing was written, or a caller would think that it was done. */
  | { readonly outcome: 'key-reused' }
  /** An exception must not revive what is dead, nor reach beyond the scope. */
  | { readonly outcome: 'exception-refused'; readonly sid: string };

/**
 * Raises the scope's epoch (DESIGN §5). A listed sid keeps its `from` if the previous map had it, so that it is spared only if
 * every revocation in between spared it; the others start at the epoch before this one.
 */
export function decideRevokeScope(state: ScopeState, command: RevokeScope): RevokeScopeDecision {
  const { scope, revocationId, now, reason, initiator, idempotencyKeyHash: key } = command;
  const first = key === undefined ? undefined : state.recent.find((past) => past.idempotencyKeyHash === key);
  if (first) return isSameWish(first, command) ? { outcome: 'repeated', first } : { outcome: 'key-reused' };

  const dead = command.exceptions.find((exception) => !mayBeSpared(exception, state, command));
  if (dead) return { outcome: 'exception-refused', sid: dead.sid };

  const excepted = Object.fromEntries(
    command.exceptions.map(({ sid }) => [
      sid,
      Object.hasOwn(state.excepted, sid) ? state.excepted[sid]! : state.epoch,
    ]),
  );
  return {
    outcome: 'revoked',
    event: {
      type: 'scope.revoked',
      data: {
        revocationId,
        ...scope,
        epoch: state.epoch + 1,
        excepted,
        reason,
        initiator,
        at: now,
        ...(key === undefined ? {} : { idempotencyKeyHash: key }),
      },
    },
  };
}

function isSameWish(first: PastRevocation, { reason, initiator, exceptions }: RevokeScope): boolean {
  return (
    first.reason === reason &&
    first.initiator === initiator &&
    first.excepted.length === exceptions.length &&
    exceptions.every(({ sid }) => first.excepted.includes(sid))
  );
}

function mayBeSpared({ sid, session, scopes }: Exception, own: ScopeState, command: RevokeScope): boolean {
  if (session.status !== 'open' || hasExpired(session, command.now)) return false;
  if (!holds(command.scope, session.facts)) return false;
  const at = SCOPE_KINDS.indexOf(command.scope.kind);
  const current = scopes.map((scope, i) => (i === at ? own : scope)) as unknown as PerScope<ScopeState>;
  return survivesAll(current, session.ep, sid);
}

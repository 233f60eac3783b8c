import type { Initiator, Reason } from '../session/ending.js';
import type { ScopeRevoked } from './events.js';
import type { Epochs, PerScope } from './scope.js';

/** A mass revocation, as far as later decisions and answers need it. */
export interface PastRevocation {
  readonly revocationId: string;
  readonly epoch: number;
  readonly at: number;
  readonly reason: Reason;
  readonly initiator: Initiator;
  readonly excepted: readonly string[];
  readonly idempotencyKeyHash?: string;
}

export interface ScopeState {
  /** 0 until the first mass revocation. */
  readonly epoch: number;
  /** Of the last mass revocation: sid → from. */
  readonly excepted: Readonly<Record<string, number>>;
  /** The last ones, oldest first. */
  readonly recent: readonly PastRevocation[];
}

export const initialScopeState: ScopeState = { epoch: 0, excepted: {}, recent: [] };

/** How many mass revocations of one scope a repeated call still finds its own among. */
export const RECENT_REVOCATIONS = 32;

export function evolveScope(state: ScopeState, { data }: ScopeRevoked): ScopeState {
  const { revocationId, epoch, at, reason, initiator, excepted, idempotencyKeyHash } = data;
  const past: PastRevocation = {
    revocationId,
    epoch,
    at,
    reason,
    initiator,
    excepted: Object.keys(excepted),
    ...(idempotencyKeyHash === undefined ? {} : { idempotencyKeyHash }),
  };
  return { epoch, excepted, recent: [...state.recent.slice(1 - RECENT_REVOCATIONS), past] };
}

const exceptedFrom = ({ excepted }: Pick<ScopeState, 'excepted'>, sid: string): number =>
  Object.hasOwn(excepted, sid) ? excepted[sid]! : Infinity;

/**
 * Whether a session that has seen epoch `ep` of a scope lives on in it: no revocation since, or every one since excepted it
 * (DESIGN §5).
 */
export const survives = (scope: Pick<ScopeState, 'epoch' | 'excepted'>, ep: number, sid: string): boolean =>
  ep >= scope.epoch || ep >= exceptedFrom(scope, sid);

export const survivesAll = (
  scopes: PerScope<Pick<ScopeState, 'epoch' | 'excepted'>>,
  ep: Epochs,
  sid: string,
): boolean => scopes.every((scope, i) => survives(scope, ep[i]!, sid));

/** The epochs that a session adopts: at its creation, and at each rotation that finds it alive. */
export const epochsOf = (scopes: PerScope<ScopeState>): Epochs => {
  const [user, client, tenant, global] = scopes;
  return [user.epoch, client.epoch, tenant.epoch, global.epoch];
};

/**
 * The mass revocation that ended a session; undefined if it lives. The first one that did not except it; if that is longer ago
 * than the state remembers, the oldest remembered one.
 */
export function endedBy(scopes: PerScope<ScopeState>, ep: Epochs, sid: string): PastRevocation | undefined {
  const ends = scopes.flatMap((scope, i) => {
    if (survives(scope, ep[i]!, sid)) return [];
    const since = scope.recent.filter(({ epoch }) => epoch > ep[i]!);
    return since.find(({ excepted }) => !excepted.includes(sid)) ?? since[0] ?? [];
  });
  return ends.sort((a, b) => a.at - b.at)[0];
}

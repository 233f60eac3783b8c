import type { Epochs, PerScope } from '../scope/scope.js';
import { epochsOf, survivesAll, type ScopeState } from '../scope/state.js';
import type { Sealed } from '../sealed.js';
import type { ReplayRule, SecretHash, SessionEvent } from './events.js';
import { accessExpiry, hasExpired } from './expiry.js';
import type { Generation, OpenSession, SessionState } from './state.js';

/** An authentic refresh token is presented. Everything that is drawn, measured or derived comes with the command. */
export interface Refresh {
  /** Reference time at the command's receipt, ms; kept over reloads. */
  readonly now: number;
  /** Reference time as the events are sent, ms. */
  readonly sentAt: number;
  readonly sid: string;
  /** The scopes that the session belongs to, loaded after the command's receipt. */
  readonly scopes: PerScope<ScopeState>;
  readonly presented: { readonly gen: number; readonly secretHash: SecretHash };
  /** The presented generation, read from the log because the state no longer keeps it. */
  readonly olderGeneration?: Generation;
  /** The generation that this command's first load showed as current. */
  readonly firstLoadGen: number;
  readonly idempotencyKeyHash?: string;
  /** Derived from the presented secret; used only when it is the current one. */
  readonly successor: {
    readonly secretHash: SecretHash;
    readonly salt: string;
    readonly pepperId: number;
    readonly macKeyId: number;
  };
  readonly device?: Sealed;
}

export type RefreshDecision =
  | { readonly outcome: 'rotated'; readonly gen: number; readonly events: readonly SessionEvent[] }
  | {
      readonly outcome: 'replayed';
      /** The generation to give out: derive it forward from the presented one. */
      readonly gen: number;
      readonly rule: ReplayRule;
      readonly events: readonly SessionEvent[];
    }
  | { readonly outcome: 'theft'; readonly events: readonly SessionEvent[] }
  | {
      readonly outcome: 'refused';
      readonly cause: 'unknown' | 'ended' | 'expired' | 'epoch-passed' | 'wrong-secret' | 'generation-ahead';
      readonly events: readonly [];
    }
  | { readonly outcome: 'key-reused'; readonly events: readonly [] };

/** The table of DESIGN §5, row by row. Exactly one successor for any number of presentations (G3); reuse is theft (G4). */
export function decideRefresh(state: SessionState, command: Refresh): RefreshDecision {
  if (state.status === 'none') return refused('unknown');
  if (state.status === 'ended') return refused('ended');
  if (hasExpired(state, command.now)) return refused('expired');
  if (!survivesAll(command.scopes, state.ep, command.sid)) return refused('epoch-passed');
  const { gen, secretHash } = command.presented;
  if (gen > state.gen) return refused('generation-ahead');
  const generation = state.generations.get(gen) ?? command.olderGeneration;
  if (generation?.gen !== gen || generation.secretHash !== secretHash) return refused('wrong-secret');
  if (gen === state.gen) return rotate(state, command, generation);
  return replay(state, command, generation) ?? theft(state, command);
}

const refused = (cause: Extract<RefreshDecision, { outcome: 'refused' }>['cause']): RefreshDecision => ({
  outcome: 'refused',
  cause,
  events: [],
});

function rotate(state: OpenSession, command: Refresh, current: Generation): RefreshDecision {
  const key = command.idempotencyKeyHash;
  if (key !== undefined && key === current.idempotencyKeyHash) return { outcome: 'key-reused', events: [] };
  const gen = state.gen + 1;
  const active = { facts: state.facts, lastActiveAt: Math.max(state.lastActiveAt, command.now) };
  // Never back: the scopes may have been read before the session was.
  const ep = highest(epochsOf(command.scopes), state.ep);
  return {
    outcome: 'rotated',
    gen,
    events: [
      {
        type: 'session.rotated',
        data: {
          gen,
          ...command.successor,
          ...(key === undefined ? {} : { idempotencyKeyHash: key }),
          at: command.now,
          supersededAt: command.sentAt,
          accessExp: accessExpiry(active, command.now),
          ...(ep.every((epoch, i) => epoch === state.ep[i]) ? {} : { ep }),
          ...(command.device === undefined ? {} : { device: command.device }),
        },
      },
    ],
  };
}

const highest = (a: Epochs, b: Epochs): Epochs => [
  Math.max(a[0], b[0]),
  Math.max(a[1], b[1]),
  Math.max(a[2], b[2]),
  Math.max(a[3], b[3]),
];

function replay(state: OpenSession, command: Refresh, presented: Generation): RefreshDecision | undefined {
  const successor = state.generations.get(presented.gen + 1);
  const key = command.idempotencyKeyHash;
  if (successor && key !== undefined && key === successor.idempotencyKeyHash) {
    if (successor.gen === state.gen || inGrace(state, successor, command.now)) {
      return again(state, command, successor, 'idempotency-key');
    }
  }
  const current = state.generations.get(state.gen);
  if (!current) return undefined;
  if (inGrace(state, presented, command.now)) return again(state, command, current, 'grace');
  if (command.firstLoadGen === presented.gen) return again(state, command, current, 'first-load');
  return undefined;
}

function inGrace(state: OpenSession, generation: Generation, now: number): boolean {
  const { reuseGrace } = state.facts.policy;
  return (
    reuseGrace > 0 && generation.supersededAt !== undefined && now - generation.supersededAt <= reuseGrace
  );
}

function again(
  state: OpenSession,
  command: Refresh,
  target: Generation,
  rule: ReplayRule,
): RefreshDecision | undefined {
  // Every salt on the way has to be known, or the token cannot be derived.
  for (let gen = command.presented.gen + 1; gen <= target.gen; gen += 1) {
    if (!state.generations.has(gen)) return undefined;
  }
  const event: SessionEvent = {
    type: 'session.rotation-replayed',
    data: {
      gen: target.gen,
      presentedGen: command.presented.gen,
      rule,
      ...(command.device === undefined ? {} : { device: command.device }),
    },
  };
  return {
    outcome: 'replayed',
    gen: target.gen,
    rule,
    events: target.replays.includes(rule) ? [] : [event],
  };
}

function theft(state: OpenSession, command: Refresh): RefreshDecision {
  const { sub, tenant } = state.facts;
  return {
    outcome: 'theft',
    events: [
      {
        type: 'session.theft-detected',
        data: {
          presentedGen: command.presented.gen,
          currentGen: state.gen,
          ...(command.device === undefined ? {} : { device: command.device }),
        },
      },
      {
        type: 'session.revoked',
        data: { sub, tenant, reason: 'theft', initiator: 'system', at: command.sentAt },
      },
    ],
  };
}

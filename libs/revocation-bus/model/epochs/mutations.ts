import type { TokenSession } from '#application';
import type { RevocationMessage, ScopeRevocation } from '#contracts';
import {
  decideRefresh,
  decideRevokeScope,
  epochsOf,
  scopesOf,
  scopeStream,
  survives,
  type Epochs,
  type Refresh,
  type RefreshDecision,
  type RevokeScope,
  type RevokeScopeDecision,
  type ScopeState,
  type SessionState,
} from '#domain';
import { DESIGN, InstanceNode, type EpochNode, type EpochRules } from './rules.js';

/** One rule of DESIGN §5 broken on purpose, and how it shows. */
export interface Mutation {
  readonly name: string;
  readonly breaks: Partial<EpochRules>;
  readonly shows: RegExp;
}

const REVIVED = /lives, though it was ended|accepts an ended session/;
const KILLED = /is dead, though it was always excepted|refuses a living session/;
const RAISED = /raised the epoch again/;
const either = (...of: readonly RegExp[]) => new RegExp(of.map(({ source }) => source).join('|'));

type Excepted = ScopeRevocation['excepted'];

const withExcepted = (
  decision: RevokeScopeDecision,
  fromOf: (sid: string, epoch: number) => number,
): RevokeScopeDecision => {
  if (decision.outcome !== 'revoked') return decision;
  const { type, data } = decision.event;
  const excepted = Object.fromEntries(
    Object.keys(data.excepted).map((sid) => [sid, fromOf(sid, data.epoch)] as const),
  );
  return { outcome: 'revoked', event: { type, data: { ...data, excepted } } };
};

/** Lists whatever the caller names, dead or alive. */
const exceptUnchecked = (
  state: ScopeState,
  command: RevokeScope,
  fromOf: (sid: string, epoch: number) => number,
): RevokeScopeDecision => {
  const decision = decideRevokeScope(state, { ...command, exceptions: [] });
  if (decision.outcome !== 'revoked') return decision;
  const { type, data } = decision.event;
  const named = Object.fromEntries(command.exceptions.map(({ sid }) => [sid, 0]));
  return withExcepted({ outcome: 'revoked', event: { type, data: { ...data, excepted: named } } }, fromOf);
};

const adopting = (decision: RefreshDecision, ep: Epochs): RefreshDecision => {
  if (decision.outcome !== 'rotated') return decision;
  const events = decision.events.map((event) =>
    event.type === 'session.rotated' ? { ...event, data: { ...event.data, ep } } : event,
  );
  return { ...decision, events };
};

/** As if the epochs that the session has seen were these. */
const having = (state: SessionState, ep: Epochs): SessionState =>
  state.status === 'none' ? state : { ...state, ep };

const refreshDead = (state: SessionState, command: Refresh): RefreshDecision => {
  const ep = epochsOf(command.scopes);
  return adopting(decideRefresh(having(state, ep), command), ep);
};

/** A node with the same map, but another way to put a message into it. */
class CarelessNode implements EpochNode {
  private readonly sids = new Set<string>();
  private readonly scopes = new Map<string, { epoch: number; excepted: Excepted }>();

  constructor(private readonly merge: (known: ScopeRevocation, next: ScopeRevocation) => ScopeRevocation) {}

  receive(message: RevocationMessage): void {
    if (message.scope === 'session') {
      this.sids.add(message.sid);
      return;
    }
    const { scope: kind, tenant, sub, client } = message;
    const key = scopeStream({ kind, tenant, sub, client });
    const known = this.scopes.get(key) as ScopeRevocation | undefined;
    this.scopes.set(key, known ? this.merge(known, message) : message);
  }

  refuses(token: TokenSession): boolean {
    if (this.sids.has(token.sid)) return true;
    return scopesOf(token).some((scope, i) => {
      const known = this.scopes.get(scopeStream(scope));
      return known !== undefined && !survives(known, token.ep[i]!, token.sid);
    });
  }
}

/** An instance that looks at its own deny-list only. */
class SessionsOnly extends InstanceNode {
  override receive(message: RevocationMessage): void {
    if (message.scope === 'session') super.receive(message);
  }
}

const higher = (a: ScopeRevocation, b: ScopeRevocation) => (a.epoch > b.epoch ? a : b);

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'from = k - 1 always, in place of the from that a session had',
    breaks: { revokeScope: (...args) => withExcepted(decideRevokeScope(...args), (_, epoch) => epoch - 1) },
    shows: KILLED,
  },
  {
    name: 'an exception revives',
    breaks: { revokeScope: (state, command) => exceptUnchecked(state, command, () => 0) },
    shows: REVIVED,
  },
  {
    name: 'a dead session adopts epochs',
    breaks: { refresh: refreshDead },
    shows: REVIVED,
  },
  {
    name: 'a refresh adopts later epochs than those it was checked against',
    breaks: { refresh: (state, command, now) => adopting(decideRefresh(state, command), epochsOf(now())) },
    shows: REVIVED,
  },
  {
    name: 'two mass revocations at once raise the same epoch',
    breaks: { expectsRevision: false },
    shows: either(REVIVED, KILLED, RAISED),
  },
  {
    name: 'a repeated call raises the epoch again',
    breaks: { revokeScope: (state, command) => decideRevokeScope({ ...state, recent: [] }, command) },
    shows: RAISED,
  },
  {
    name: 'a node applies scope messages in order of arrival',
    breaks: { newNode: () => new CarelessNode((_, next) => next) },
    shows: REVIVED,
  },
  {
    name: 'a node replaces the exceptions without comparing epochs',
    breaks: {
      newNode: () => new CarelessNode((known, next) => ({ ...higher(known, next), excepted: next.excepted })),
    },
    shows: either(REVIVED, KILLED),
  },
  {
    name: 'a node adds exceptions up',
    breaks: {
      newNode: () =>
        new CarelessNode((known, next) => ({
          ...higher(known, next),
          excepted: { ...known.excepted, ...next.excepted },
        })),
    },
    shows: REVIVED,
  },
  {
    name: 'a node hears of sessions only',
    breaks: { newNode: () => new SessionsOnly() },
    shows: REVIVED,
  },
];

/**
 * Two locks keep an exception from reviving: only what is alive may be excepted, and its `from` reaches no further back than it
 * was excepted without a gap. Each holds alone.
 */
export const SINGLE_LOCKS: readonly Pick<Mutation, 'name' | 'breaks'>[] = [
  {
    name: 'an exception counts from the beginning, but only the living may be excepted',
    breaks: { revokeScope: (...args) => withExcepted(decideRevokeScope(...args), () => 0) },
  },
  {
    name: 'the dead may be excepted, but from keeps to its rule',
    breaks: {
      revokeScope: (state, command) =>
        exceptUnchecked(state, command, (sid, epoch) => state.excepted[sid] ?? epoch - 1),
    },
  },
];

export const mutated = ({ breaks }: Pick<Mutation, 'breaks'>): EpochRules => ({ ...DESIGN, ...breaks });

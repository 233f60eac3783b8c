import {
  decideRevoke,
  epochsOf,
  evolve,
  scopesOf,
  type Epochs,
  type Exception,
  type PerScope,
  type Refresh,
  type ScopeRef,
  type ScopeState,
  type SessionCreated,
  type SessionState,
} from '#domain';
import type { Loaded } from './tiny-log.js';
import type { Member } from './plain-definition.js';
import type { World } from './world.js';

/** A command under way: each `yield` is a place where others may come between. */
export type Command = Generator<undefined, void, undefined>;

const NOW = 1_800_000_000_000;
const hashOf = (gen: number): string => `hash-${gen}`;

export function* create(world: World, sid: string, member: Member): Command {
  const { states, counts } = yield* loadScopes(world, member);
  const ep = epochsOf(states);
  const created: SessionCreated = {
    type: 'session.created',
    data: {
      ...member,
      roles: [],
      authTime: NOW / 1_000,
      policy: { accessTtl: 300_000, idleTimeout: 1e9, absoluteTimeout: 1e9, reuseGrace: 10_000 },
      macKeyId: 1,
      secretHash: hashOf(0),
      at: NOW,
      accessExp: NOW / 1_000 + 300,
      ep,
    },
  };
  world.log.appendToSession(sid, -1, [created]);
  world.created(sid, member, counts);
  yield;
  world.acknowledged(sid, member, ep);
}

export function* refresh(world: World, sid: string, member: Member, scopesFirst: boolean): Command {
  let firstLoadGen: number | undefined;
  for (;;) {
    let session: Loaded<SessionState> | undefined = scopesFirst ? undefined : world.log.session(sid);
    const { states } = yield* loadScopes(world, member);
    session ??= world.log.session(sid);
    const { state, revision } = session;
    if (state.status === 'none') return;
    yield;
    firstLoadGen ??= state.gen;
    const command = presenting(sid, firstLoadGen, states);
    const decision = world.rules.refresh(state, command, () => world.scopesNow(member));
    if (decision.outcome === 'key-reused' || decision.outcome === 'refused') return;
    if (decision.events.length > 0 && !world.log.appendToSession(sid, revision, decision.events)) continue;
    world.check();
    yield;
    const answered = decision.events.reduce(evolve, state as SessionState);
    if (answered.status === 'open') world.acknowledged(sid, member, answered.ep);
    return;
  }
}

const presenting = (sid: string, gen: number, scopes: PerScope<ScopeState>): Refresh => ({
  now: NOW,
  sentAt: NOW,
  sid,
  scopes,
  presented: { gen, secretHash: hashOf(gen) },
  firstLoadGen: gen,
  successor: { secretHash: hashOf(gen + 1), salt: `salt-${gen + 1}`, pepperId: 1, macKeyId: 1 },
});

export interface MassRevocation {
  readonly revocationId: string;
  readonly scope: ScopeRef;
  readonly except: readonly { readonly sid: string; readonly member: Member }[];
  readonly idempotencyKeyHash?: string;
  readonly scopeFirst: boolean;
}

export function* revokeScope(world: World, asked: MassRevocation): Command {
  const { scope, scopeFirst, except, ...rest } = asked;
  for (;;) {
    let own: Loaded<ScopeState> | undefined = scopeFirst ? world.log.scope(scope) : undefined;
    const exceptions: Exception[] = [];
    for (const { sid, member } of except) {
      const session = world.log.session(sid).state;
      const { states } = yield* loadScopes(world, member);
      exceptions.push({ sid, session, scopes: states });
    }
    own ??= world.log.scope(scope);
    yield;
    const command = { ...rest, scope, exceptions, now: NOW, reason: 'admin', initiator: 'admin' } as const;
    const decision = world.rules.revokeScope(own.state, command);
    if (decision.outcome === 'repeated') world.repeated(asked, decision.first.revocationId);
    if (decision.outcome !== 'revoked') return;
    const revision = world.rules.expectsRevision ? own.revision : world.log.scope(scope).revision;
    if (!world.log.appendToScope(scope, revision, decision.event)) continue;
    world.scopeRevoked(asked);
    return;
  }
}

export function* end(world: World, sid: string): Command {
  for (;;) {
    const { state, revision } = world.log.session(sid);
    yield;
    const events = decideRevoke(state, { now: NOW, reason: 'logout', initiator: 'user' });
    if (events.length > 0 && !world.log.appendToSession(sid, revision, events)) continue;
    if (events.length > 0) world.ended(sid);
    return;
  }
}

interface LoadedScopes {
  readonly states: PerScope<ScopeState>;
  /** How many revocations each load had seen, for the plain definition. */
  readonly counts: Epochs;
}

/** One after the other: a store need not give all in one snapshot. */
function* loadScopes(world: World, member: Member): Generator<undefined, LoadedScopes, undefined> {
  const states: ScopeState[] = [];
  const counts: number[] = [];
  for (const scope of scopesOf(member)) {
    states.push(world.log.scope(scope).state);
    counts.push(world.plain.countOf(scope));
    yield;
  }
  return { states: states as unknown as PerScope<ScopeState>, counts: counts as unknown as Epochs };
}

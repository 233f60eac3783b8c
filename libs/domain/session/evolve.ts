import type { SessionCreated, SessionEvent, SessionRotated, SessionRotationReplayed } from './events.js';
import type { Generation, OpenSession, SessionState } from './state.js';

/** A command is refused when it is older (DESIGN §4.4), so a first load is never older than this either. Milliseconds. */
export const MAX_COMMAND_AGE = 5_000;

/** By how much the reference times of two instances may differ, ms. */
const CLOCK_MARGIN = 1_000;

/** Folds one event into the state. Events after a terminal one change nothing (G1). */
export function evolve(state: SessionState, event: SessionEvent): SessionState {
  if (state.status === 'ended') return state;
  if (state.status === 'none') return event.type === 'session.created' ? created(event.data) : state;
  switch (event.type) {
    case 'session.created':
    case 'session.theft-detected':
      return state;
    case 'session.rotated':
      return rotated(state, event.data);
    case 'session.rotation-replayed':
      return replayed(state, event.data);
    case 'session.revoked':
      return ended(state, 'revoked', event.data);
    case 'session.expired':
      return ended(state, 'expired', { ...event.data, initiator: 'policy' });
  }
}

function created(data: SessionCreated['data']): OpenSession {
  const { sub, tenant, client, roles, acr, amr, authTime, policy, claims, device, at, ep } = data;
  const first: Generation = {
    gen: 0,
    secretHash: data.secretHash,
    macKeyId: data.macKeyId,
    accessExp: data.accessExp,
    replays: [],
  };
  return {
    status: 'open',
    facts: {
      sub,
      tenant,
      client,
      roles,
      authTime,
      policy,
      createdAt: at,
      ...(acr === undefined ? {} : { acr }),
      ...(amr === undefined ? {} : { amr }),
      ...(claims === undefined ? {} : { claims }),
    },
    lastActiveAt: at,
    ...(device === undefined ? {} : { device }),
    gen: 0,
    ep,
    generations: new Map([[0, first]]),
  };
}

/** The generation that a rotation makes. */
export function generationOf(data: SessionRotated['data']): Generation {
  return {
    gen: data.gen,
    secretHash: data.secretHash,
    macKeyId: data.macKeyId,
    accessExp: data.accessExp,
    derivation: { salt: data.salt, pepperId: data.pepperId },
    ...(data.idempotencyKeyHash === undefined ? {} : { idempotencyKeyHash: data.idempotencyKeyHash }),
    replays: [],
  };
}

function rotated(state: OpenSession, data: SessionRotated['data']): OpenSession {
  // A command judges the grace by its receipt, which may be a whole command age before the rotation that it finds here.
  const window = state.facts.policy.reuseGrace + MAX_COMMAND_AGE + CLOCK_MARGIN;
  const generations = new Map<number, Generation>();
  for (const generation of state.generations.values()) {
    const known =
      generation.gen === state.gen ? { ...generation, supersededAt: data.supersededAt } : generation;
    const recent = known.supersededAt !== undefined && data.supersededAt - known.supersededAt <= window;
    // Once one is kept all later ones are: every salt on the way forward is needed.
    if (recent || generations.size > 0) generations.set(known.gen, known);
  }
  generations.set(data.gen, generationOf(data));
  return {
    ...state,
    gen: data.gen,
    ep: data.ep ?? state.ep,
    generations,
    lastActiveAt: Math.max(state.lastActiveAt, data.at),
    ...(data.device === undefined ? {} : { device: data.device }),
  };
}

function replayed(state: OpenSession, data: SessionRotationReplayed['data']): OpenSession {
  const generation = state.generations.get(data.gen);
  if (!generation) return state;
  const generations = new Map(state.generations);
  generations.set(data.gen, { ...generation, replays: [...generation.replays, data.rule] });
  return { ...state, generations };
}

function ended(
  state: OpenSession,
  cause: 'revoked' | 'expired',
  data: Pick<Extract<SessionState, { status: 'ended' }>, 'reason' | 'initiator'> & { readonly at: number },
): SessionState {
  const { facts, lastActiveAt, device, gen, ep } = state;
  return {
    status: 'ended',
    facts,
    lastActiveAt,
    ...(device === undefined ? {} : { device }),
    gen,
    ep,
    cause,
    reason: data.reason,
    initiator: data.initiator,
    endedAt: data.at,
  };
}

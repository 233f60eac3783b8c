import {
  evolve,
  evolveScope,
  evolveUser,
  initialScopeState,
  initialState,
  initialUserState,
  type Generation,
  type OpenSession,
  type ScopeRevoked,
  type ScopeState,
  type SessionEvent,
  type SessionState,
  type UserSessionAdmitted,
  type UserState,
} from '#domain';
import type { Position, RecordedEvent, StreamSnapshot, StreamTail } from './ports/event-log.port.js';

/** A state with where its stream stood. */
export interface Folded<S> {
  readonly state: S;
  /** -1 if there is no such stream. */
  readonly revision: number;
  /** Of the stream's last event; '' if there is none. */
  readonly position: Position;
}

/**
 * Names every fold of this file and of the domain's `evolve…`. Change it with any of them, and all snapshots made by the old
 * ones are left alone: `snapshot-format.spec.ts` fails if it is forgotten.
 */
export const SNAPSHOT_FORMAT = '1';

export interface Fold<S> {
  readonly initial: S;
  readonly evolve: (state: S, event: RecordedEvent) => S;
  readonly toJson: (state: S) => object;
  readonly fromJson: (json: never) => S;
}

/** The log holds only what was checked at append, upcast to the current version. */
const bare = <E>({ type, data }: RecordedEvent): E => ({ type, data }) as unknown as E;

type SessionJson =
  | Exclude<SessionState, OpenSession>
  | (Omit<OpenSession, 'generations'> & { readonly generations: readonly Generation[] });

export const SESSION: Fold<SessionState> = {
  initial: initialState,
  evolve: (state, event) => evolve(state, bare<SessionEvent>(event)),
  toJson: (state): SessionJson =>
    state.status === 'open' ? { ...state, generations: [...state.generations.values()] } : state,
  fromJson: (json: SessionJson) =>
    json.status === 'open'
      ? { ...json, generations: new Map(json.generations.map((generation) => [generation.gen, generation])) }
      : json,
};

export const USER: Fold<UserState> = {
  initial: initialUserState,
  evolve: (state, event) => evolveUser(state, bare<UserSessionAdmitted>(event), event.revision),
  toJson: (state) => state,
  fromJson: (json: UserState) => json,
};

export const SCOPE: Fold<ScopeState> = {
  initial: initialScopeState,
  evolve: (state, event) => evolveScope(state, bare<ScopeRevoked>(event)),
  toJson: (state) => state,
  fromJson: (json: ScopeState) => json,
};

interface SnapshotJson {
  readonly position: Position;
  readonly state: never;
}

export function foldTail<S>(fold: Fold<S>, tail: StreamTail | undefined): Folded<S> {
  if (tail === undefined) return { state: fold.initial, revision: -1, position: '' };
  const snapshot = tail.snapshot?.state as unknown as SnapshotJson | undefined;
  const from = snapshot === undefined ? fold.initial : fold.fromJson(snapshot.state);
  return {
    state: tail.events.reduce(fold.evolve, from),
    revision: tail.revision,
    position: tail.events.at(-1)?.position ?? snapshot?.position ?? '',
  };
}

export function snapshotOf<S>(fold: Fold<S>, stream: string, folded: Folded<S>): StreamSnapshot {
  return {
    stream,
    revision: folded.revision,
    format: SNAPSHOT_FORMAT,
    state: { position: folded.position, state: fold.toJson(folded.state) },
  };
}

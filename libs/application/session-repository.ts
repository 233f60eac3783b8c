import { Inject, Injectable } from '@nestjs/common';
import {
  generationOf,
  scopesOf,
  scopeStream,
  sessionStream,
  survivesAll,
  userStream,
  type Generation,
  type PerScope,
  type ScopeRef,
  type ScopeState,
  type SessionEvent,
  type SessionFacts,
  type SessionState,
  type UserState,
} from '#domain';
import {
  foldTail,
  SCOPE,
  SESSION,
  SNAPSHOT_FORMAT,
  snapshotOf,
  USER,
  type Folded,
} from './folded-streams.js';
import { EVENT_LOG, type EventLog, type StreamTail } from './ports/event-log.port.js';

export interface LoadedSession extends Folded<SessionState> {
  /** Of the scopes that the session belongs to; all quiet if there is no such session. */
  readonly scopes: PerScope<ScopeState>;
}

export interface LoadedUser extends Folded<UserState> {
  /** Of the scopes that the user's sessions of that client belong to. */
  readonly scopes: PerScope<ScopeState>;
}

/** Whether a mass revocation has ended a session that is open by its own events: no event of its own says so. */
export const wasMassRevoked = (sid: string, { state, scopes }: LoadedSession): boolean =>
  state.status === 'open' && !survivesAll(scopes, state.ep, sid);

/** A load that folds more events keeps a snapshot, so that the next one does not (DESIGN §5: loading stays O(1)). */
const LONGEST_TAIL = 8;
/** Sessions whose scopes are remembered, so that one round trip brings both: they never change. */
const REMEMBERED_SCOPES = 50_000;
const GENERATIONS_PAGE = 256;

type Tails = ReadonlyMap<string, StreamTail>;

/** Reads streams and folds them. On the primary: what it returns may be decided on. */
@Injectable()
export class SessionRepository {
  private readonly scopeStreamsOf = new Map<string, PerScope<string>>();

  constructor(@Inject(EVENT_LOG) private readonly log: EventLog) {}

  /** A session and the epochs of its scopes. One round trip if this instance has seen the session before, else two. */
  async load(sid: string): Promise<LoadedSession> {
    return (await this.loadAll([sid])).get(sid)!;
  }

  /** Several for the price of one. Every sid asked for is in the answer. */
  async loadAll(sids: readonly string[]): Promise<ReadonlyMap<string, LoadedSession>> {
    const remembered = sids.flatMap((sid) => this.scopeStreamsOf.get(sid) ?? []);
    const tails = await this.tails([...sids.map(sessionStream), ...remembered]);
    const sessions = new Map(sids.map((sid) => [sid, this.fold(SESSION, sessionStream(sid), tails)]));
    const scopes = new Map(
      [...sessions].flatMap(([sid, { state }]) =>
        state.status === 'none' ? [] : [[sid, this.scopeStreams(sid, state.facts)]],
      ),
    );
    const more = [...scopes.values()].flat().filter((stream) => !tails.has(stream));
    const all = more.length === 0 ? tails : new Map([...tails, ...(await this.tails(more))]);
    return new Map(
      [...sessions].map(([sid, session]) => [
        sid,
        { ...session, scopes: this.foldScopes(scopes.get(sid), all) },
      ]),
    );
  }

  /** The admissions of a user, and the epochs that a session of that client would see. */
  async loadUser(tenant: string, sub: string, client: string): Promise<LoadedUser> {
    const stream = userStream(tenant, sub);
    const scopes = scopeStreamsOf({ tenant, sub, client });
    const tails = await this.tails([stream, ...scopes]);
    return { ...this.fold(USER, stream, tails), scopes: this.foldScopes(scopes, tails) };
  }

  async loadScope(scope: ScopeRef): Promise<Folded<ScopeState>> {
    const stream = scopeStream(scope);
    return this.fold(SCOPE, stream, await this.tails([stream]));
  }

  /** The epochs of the scopes that each of these belongs to, in their order. One round trip, shared scopes read once. */
  async loadScopesOf(
    sessions: readonly { readonly tenant: string; readonly sub: string; readonly client: string }[],
  ): Promise<PerScope<ScopeState>[]> {
    const scopes = sessions.map(scopeStreamsOf);
    const tails = await this.tails(scopes.flat());
    return scopes.map((ofSession) => this.foldScopes(ofSession, tails));
  }

  /** A generation that the state no longer keeps. It stands at its own revision, or behind it by as many replays. */
  async loadGeneration(sid: string, gen: number): Promise<Generation | undefined> {
    for (let from = gen; ; from += GENERATIONS_PAGE) {
      const page = await this.log.readStream(sessionStream(sid), { from, max: GENERATIONS_PAGE });
      for (const { type, data } of page.events) {
        const event = { type, data } as unknown as SessionEvent;
        if (event.type === 'session.rotated' && event.data.gen === gen) return generationOf(event.data);
        if (event.type === 'session.created' && gen === 0) return { gen: 0, replays: [], ...event.data };
      }
      if (page.events.length < GENERATIONS_PAGE) return undefined;
    }
  }

  private tails(streams: readonly string[]): Promise<Tails> {
    return this.log.readTails([...new Set(streams)], SNAPSHOT_FORMAT);
  }

  private fold<S>(fold: Parameters<typeof foldTail<S>>[0], stream: string, tails: Tails): Folded<S> {
    const tail = tails.get(stream);
    const folded = foldTail(fold, tail);
    if (tail && tail.events.length >= LONGEST_TAIL) this.log.keepSnapshot(snapshotOf(fold, stream, folded));
    return folded;
  }

  private foldScopes(streams: PerScope<string> | undefined, tails: Tails): PerScope<ScopeState> {
    if (streams === undefined) return QUIET;
    return streams.map((stream) => this.fold(SCOPE, stream, tails).state) as unknown as PerScope<ScopeState>;
  }

  private scopeStreams(sid: string, facts: SessionFacts): PerScope<string> {
    const known = this.scopeStreamsOf.get(sid);
    if (known !== undefined) return known;
    const streams = scopeStreamsOf(facts);
    this.scopeStreamsOf.set(sid, streams);
    if (this.scopeStreamsOf.size > REMEMBERED_SCOPES) {
      const [oldest] = this.scopeStreamsOf.keys();
      if (oldest !== undefined) this.scopeStreamsOf.delete(oldest);
    }
    return streams;
  }
}

const scopeStreamsOf = (session: Parameters<typeof scopesOf>[0]): PerScope<string> =>
  scopesOf(session).map(scopeStream) as unknown as PerScope<string>;

const QUIET: PerScope<ScopeState> = [SCOPE.initial, SCOPE.initial, SCOPE.initial, SCOPE.initial];

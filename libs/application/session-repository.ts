import { Inject, Injectable } from '@nestjs/common';
import {
  evolve,
  evolveUser,
  generationOf,
  initialState,
  initialUserState,
  sessionStream,
  userStream,
  type Generation,
  type SessionEvent,
  type SessionState,
  type UserSessionAdmitted,
  type UserState,
} from '#domain';
import {
  EVENT_LOG,
  type EventLog,
  type Position,
  type RecordedEvent,
  type StreamSlice,
} from './ports/event-log.port.js';

export interface LoadedSession {
  readonly state: SessionState;
  /** -1 if there is no such session. */
  readonly revision: number;
  /** Of the stream's last event; '' if there is none. */
  readonly position: Position;
}

export interface LoadedUser {
  readonly state: UserState;
  readonly revision: number;
}

/** Reads streams and folds them. On the primary: what it returns may be decided on. */
@Injectable()
export class SessionRepository {
  constructor(@Inject(EVENT_LOG) private readonly log: EventLog) {}

  async load(sid: string): Promise<LoadedSession> {
    return folded(await this.log.readStream(sessionStream(sid)));
  }

  /** Several in one round trip. */
  async loadAll(sids: readonly string[]): Promise<ReadonlyMap<string, LoadedSession>> {
    const slices = await this.log.readStreams(sids.map(sessionStream));
    return new Map(
      sids.map((sid) => [sid, folded(slices.get(sessionStream(sid)) ?? { events: [], revision: -1 })]),
    );
  }

  /** A generation that the state no longer keeps. */
  async loadGeneration(sid: string, gen: number): Promise<Generation | undefined> {
    const { events } = await this.log.readStream(sessionStream(sid));
    for (const event of events.map(asSessionEvent)) {
      if (event.type === 'session.rotated' && event.data.gen === gen) return generationOf(event.data);
      if (event.type === 'session.created' && gen === 0) return { gen: 0, replays: [], ...event.data };
    }
    return undefined;
  }

  async loadUser(tenant: string, sub: string): Promise<LoadedUser> {
    const { events, revision } = await this.log.readStream(userStream(tenant, sub));
    const state = events.reduce(
      (user, event) => evolveUser(user, asUserEvent(event), event.revision),
      initialUserState,
    );
    return { state, revision };
  }
}

function folded(slice: StreamSlice): LoadedSession {
  return {
    state: slice.events.map(asSessionEvent).reduce(evolve, initialState),
    revision: slice.revision,
    position: slice.events.at(-1)?.position ?? '',
  };
}

// The log holds only what this service appended; schemas are checked at append.
const asSessionEvent = (event: RecordedEvent): SessionEvent =>
  ({ type: event.type, data: event.data }) as unknown as SessionEvent;
const asUserEvent = (event: RecordedEvent): UserSessionAdmitted =>
  ({ type: event.type, data: event.data }) as unknown as UserSessionAdmitted;

import type { RecordedEvent } from '#application';
import {
  evolve,
  evolveScope,
  initialScopeState,
  initialState,
  scopeStream,
  sessionStream,
  type ScopeRef,
  type ScopeRevoked,
  type ScopeState,
  type SessionEvent,
  type SessionState,
} from '#domain';

export interface Loaded<State> {
  readonly state: State;
  /** Of the stream's last event; -1 if there is none. */
  readonly revision: number;
}

/** The log at its smallest: streams with expected revisions, and what each folds to. */
export class TinyLog {
  readonly events: RecordedEvent[] = [];
  private readonly sessions = new Map<string, Loaded<SessionState>>();
  private readonly scopes = new Map<string, Loaded<ScopeState>>();

  session(sid: string): Loaded<SessionState> {
    return this.sessions.get(sessionStream(sid)) ?? { state: initialState, revision: -1 };
  }

  scope(scope: ScopeRef): Loaded<ScopeState> {
    return this.scopes.get(scopeStream(scope)) ?? { state: initialScopeState, revision: -1 };
  }

  /** @returns false on a conflict, and then nothing was written */
  appendToSession(sid: string, expectedRevision: number, events: readonly SessionEvent[]): boolean {
    const { state, revision } = this.session(sid);
    if (revision !== expectedRevision) return false;
    const stream = sessionStream(sid);
    events.forEach((event, i) => this.record(stream, revision + 1 + i, event));
    this.sessions.set(stream, { state: events.reduce(evolve, state), revision: revision + events.length });
    return true;
  }

  /** @returns false on a conflict, and then nothing was written */
  appendToScope(scope: ScopeRef, expectedRevision: number, event: ScopeRevoked): boolean {
    const { state, revision } = this.scope(scope);
    if (revision !== expectedRevision) return false;
    const stream = scopeStream(scope);
    this.record(stream, revision + 1, event);
    this.scopes.set(stream, { state: evolveScope(state, event), revision: revision + 1 });
    return true;
  }

  private record(stream: string, revision: number, { type, data }: SessionEvent | ScopeRevoked): void {
    const position = String(this.events.length);
    const metadata = {
      recordedAt: 0,
      actor: { kind: 'system', id: 'model' },
      initiator: 'system',
      tenant: 'model',
      correlationId: 'model',
    } as const;
    this.events.push({ id: position, type, schemaVersion: 1, data, metadata, stream, revision, position });
  }
}

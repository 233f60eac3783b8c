import { Inject, Injectable } from '@nestjs/common';
import type { SessionInfo } from '#contracts';
import {
  scopesOf,
  scopeStream,
  sessionStream,
  userStream,
  type PerScope,
  type ScopeState,
  type SessionState,
} from '#domain';
import type { Caller } from './caller.js';
import { foldTail, SCOPE, SESSION } from './folded-streams.js';
import type { Moment } from './moment.js';
import { EVENT_LOG, type EventLog, type StreamSlice } from './ports/event-log.port.js';
import { SessionPresenter, viewOf } from './session-presenter.js';

/** Sessions as they were, told from the log (never from a view). Cost: one read of each stream, whole. */
@Injectable()
export class PastSessions {
  constructor(
    @Inject(EVENT_LOG) private readonly log: EventLog,
    private readonly presenter: SessionPresenter,
  ) {}

  /** In the order of `sids`; those that did not exist yet, or do not belong, are left out. */
  async at(
    moment: Moment,
    sids: readonly string[],
    caller: Caller,
    belongs: (facts: { readonly tenant: string; readonly sub: string }) => boolean,
  ): Promise<readonly SessionInfo[]> {
    const slices = await this.log.readStreams(sids.map(sessionStream));
    const sessions = sids.flatMap((sid) => {
      const { state, newest } = stateAt(slices.get(sessionStream(sid)), moment);
      return state.status === 'none' || !belongs(state.facts) ? [] : [{ sid, state, newest }];
    });
    const scopeNames = sessions.flatMap(({ state }) => scopesOf(state.facts).map(scopeStream));
    const scopes = await this.log.readStreams([...new Set(scopeNames)]);
    return Promise.all(
      sessions.map(({ sid, state, newest }) => {
        const then = scopesOf(state.facts).map((scope) => scopeAt(scopes.get(scopeStream(scope)), moment));
        const now = moment.time ?? Math.max(newest, ...then.map((scope) => scope.newest));
        const judged = { now, scopes: then.map((scope) => scope.state) as unknown as PerScope<ScopeState> };
        return this.presenter.present(viewOf(sid, state), caller, judged);
      }),
    );
  }

  /** Sids that were admitted until then, newest first, with the revision to go on before. */
  async admittedAt(
    moment: Moment,
    user: { readonly tenant: string; readonly sub: string },
    page: { readonly before: number | undefined; readonly limit: number },
  ): Promise<{ readonly sids: readonly string[]; readonly before: number }> {
    const stream = userStream(user.tenant, user.sub);
    let before = page.before ?? (await this.log.readStream(stream, { max: 0 })).revision + 1;
    const sids: string[] = [];
    while (before > 0 && sids.length < page.limit) {
      const from = Math.max(0, before - ADMISSIONS_PAGE);
      const { events } = await this.log.readStream(stream, { from, max: before - from });
      for (const event of [...events].reverse()) {
        if (sids.length === page.limit) break;
        before = event.revision;
        if (moment.includes(event) && event.type === 'user.session-admitted')
          sids.push(String(event.data['sid']));
      }
      if (events.length === 0) break;
    }
    return { sids, before };
  }
}

const ADMISSIONS_PAGE = 200;

function then(slice: StreamSlice | undefined, moment: Moment) {
  const events = (slice?.events ?? []).filter(moment.includes);
  return {
    tail: { events, revision: events.length - 1 },
    newest: Math.max(0, ...events.map(({ metadata }) => metadata.recordedAt)),
  };
}

function stateAt(slice: StreamSlice | undefined, moment: Moment): { state: SessionState; newest: number } {
  const { tail, newest } = then(slice, moment);
  return { state: foldTail(SESSION, tail).state, newest };
}

function scopeAt(slice: StreamSlice | undefined, moment: Moment): { state: ScopeState; newest: number } {
  const { tail, newest } = then(slice, moment);
  return { state: foldTail(SCOPE, tail).state, newest };
}

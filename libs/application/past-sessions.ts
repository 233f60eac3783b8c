import { Inject, Injectable } from '@nestjs/common';
import type { SessionInfo } from '#contracts';
import { scopesOf, scopeStream, sessionStream, userStream, type PerScope, type ScopeState } from '#domain';
import type { Caller } from './caller.js';
import { SCOPE, SESSION, type Fold } from './folded-streams.js';
import type { Moment } from './moment.js';
import { EVENT_LOG, type EventLog } from './ports/event-log.port.js';
import { SessionPresenter, viewOf } from './session-presenter.js';

const PAGE_EVENTS = 1_000;
const ADMISSIONS_PAGE = 200;
/** Pages of admissions that one call looks through; then it answers with what it has and where to go on. */
const MOST_PAGES = 25;

/** Sessions as they were, told from the log (never from a view). Cost: each stream is read up to the moment, page by page. */
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
    const scopes = new Map<string, Promise<ScopeState>>();
    const scopeThen = (stream: string): Promise<ScopeState> => {
      const known = scopes.get(stream) ?? this.foldUntil(SCOPE, stream, moment);
      scopes.set(stream, known);
      return known;
    };
    const sessions: SessionInfo[] = [];
    for (const sid of sids) {
      const state = await this.foldUntil(SESSION, sessionStream(sid), moment);
      if (state.status === 'none' || !belongs(state.facts)) continue;
      const then = await Promise.all(scopesOf(state.facts).map((scope) => scopeThen(scopeStream(scope))));
      const judgement = { now: moment.time, scopes: then as unknown as PerScope<ScopeState> };
      sessions.push(await this.presenter.present(viewOf(sid, state), caller, judgement));
    }
    return sessions;
  }

  /** Sids that were admitted until then, newest first, with the revision to go on before; 0 at the end. */
  async admittedAt(
    moment: Moment,
    user: { readonly tenant: string; readonly sub: string },
    page: { readonly before: number | undefined; readonly limit: number },
  ): Promise<{ readonly sids: readonly string[]; readonly before: number }> {
    const stream = userStream(user.tenant, user.sub);
    const end = (await this.log.readStream(stream, { max: 0 })).revision + 1;
    let before = Math.min(page.before ?? end, end);
    const sids: string[] = [];
    for (let pages = 0; pages < MOST_PAGES && before > 0 && sids.length < page.limit; pages += 1) {
      const from = Math.max(0, before - ADMISSIONS_PAGE);
      const { events } = await this.log.readStream(stream, { from, max: before - from });
      for (const event of [...events].reverse()) {
        if (sids.length === page.limit) break;
        before = event.revision;
        if (moment.includes(event)) sids.push(String(event.data['sid']));
      }
    }
    return { sids, before };
  }

  /** What a stream had come to: all up to the last event that had happened, since an event's predecessors had happened too. */
  private async foldUntil<S>(fold: Fold<S>, stream: string, moment: Moment): Promise<S> {
    let state = fold.initial;
    let then = state;
    for (let from = 0; ; from += PAGE_EVENTS) {
      const { events } = await this.log.readStream(stream, { from, max: PAGE_EVENTS });
      for (const event of events) {
        if (moment.isBeyond(event)) return then;
        state = fold.evolve(state, event);
        if (moment.includes(event)) then = state;
      }
      if (events.length < PAGE_EVENTS) return then;
    }
  }
}

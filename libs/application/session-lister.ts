import { Inject, Injectable } from '@nestjs/common';
import type { SessionInfo } from '#contracts';
import type { Caller } from './caller.js';
import { REFERENCE_CLOCK, type ReferenceClock } from './ports/reference-clock.port.js';
import type { SessionViewPage } from './ports/session-views.port.js';
import type { SessionsPage } from './queries/list-user-sessions/list-user-sessions.query.js';
import { SessionPresenter } from './session-presenter.js';
import { SessionRepository } from './session-repository.js';

/** Turns a page of the session view into an answer. */
@Injectable()
export class SessionLister {
  constructor(
    private readonly sessions: SessionRepository,
    private readonly presenter: SessionPresenter,
    @Inject(REFERENCE_CLOCK) private readonly clock: ReferenceClock,
  ) {}

  async present(page: SessionViewPage, caller: Caller, includeEnded: boolean): Promise<SessionsPage> {
    // After the view: a mass revocation that was acknowledged before the query came applies to whatever the view shows.
    const scopes = await this.sessions.loadScopesOf(page.sessions);
    const now = this.clock.now();
    const sessions: readonly SessionInfo[] = await Promise.all(
      page.sessions.map((view, i) => this.presenter.present(view, caller, { now, scopes: scopes[i]! })),
    );
    return {
      // A page may hold fewer than asked for: what time or a mass revocation has ended is left out here, not in the view.
      sessions: includeEnded ? sessions : sessions.filter(({ status }) => status === 'active'),
      ...(page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor }),
    };
  }
}

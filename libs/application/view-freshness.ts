import { Inject, Injectable } from '@nestjs/common';
import { CurfewError, type WriteAnswer } from '#contracts';
import type { Position } from './ports/event-log.port.js';
import { VIEW_FRESHNESS, type ProjectionName, type ViewFreshness } from './ports/projections.port.js';

/** How long a query waits for the write that it must show, ms. */
const QUERY_WAIT_MS = 2_000;
/** How long a write's response waits for the view, ms. */
const WRITE_WAIT_MS = 500;
/** After so many waits in vain writes only look, until one finds the view there again. */
const PATIENCE = 3;

/** Read your writes (G8). */
@Injectable()
export class ReadYourWrites {
  private inVain = 0;

  constructor(@Inject(VIEW_FRESHNESS) private readonly freshness: ViewFreshness) {}

  /**
   * Returns once the view shows everything up to `atLeast`; at once if that is undefined.
   * @throws CurfewError ERR_VIEW_BEHIND after 2 s; ERR_VALIDATION (`atLeast`)
   */
  async require(view: ProjectionName, atLeast: Position | undefined): Promise<void> {
    if (atLeast === undefined) return;
    if (!(await this.freshness.shows(view, atLeast, QUERY_WAIT_MS))) throw new CurfewError('ERR_VIEW_BEHIND');
  }

  /**
   * The answer to a write. Where views follow the log instead of being part of the append, it waits for the session view, at
   * most 0.5 s, and says when the view did not come: the write itself is done either way.
   */
  async after<T extends WriteAnswer>(answer: T): Promise<T> {
    if (!this.freshness.lags || answer.position === '') return answer;
    const waitMs = this.inVain < PATIENCE ? WRITE_WAIT_MS : 0;
    const shown = await this.freshness.shows('sessions', answer.position, waitMs).catch(() => false);
    this.inVain = shown ? 0 : this.inVain + 1;
    return shown ? answer : { ...answer, viewPending: true };
  }
}

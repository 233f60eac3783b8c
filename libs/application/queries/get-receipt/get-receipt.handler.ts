import { Inject } from '@nestjs/common';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { CurfewError, type Receipt } from '#contracts';
import { NODE_REPORTS, type NodeReports } from '../../ports/node-reports.port.js';
import {
  RECENT_REVOCATIONS,
  type RecentRevocation,
  type RecentRevocations,
} from '../../ports/recent-revocations.port.js';
import {
  REFERENCE_CLOCK,
  START_STOPWATCH,
  type ReferenceClock,
  type StartStopwatch,
} from '../../ports/reference-clock.port.js';
import { SharedPlaces } from '../../shared-places.js';
import { isVisible, reachesAll } from '../../tenancy.js';
import { GetReceipt } from './get-receipt.query.js';
import { receiptOf } from './receipt-of.js';

const DEFAULT_TIMEOUT_MS = 10_000;
/** Each looks at every node when there is news. */
const MOST_WAITING = 200;

@QueryHandler(GetReceipt)
export class GetReceiptHandler implements IQueryHandler<GetReceipt> {
  private readonly places = new SharedPlaces(MOST_WAITING);

  constructor(
    @Inject(RECENT_REVOCATIONS) private readonly revocations: RecentRevocations,
    @Inject(NODE_REPORTS) private readonly reports: NodeReports,
    @Inject(REFERENCE_CLOCK) private readonly clock: ReferenceClock,
    @Inject(START_STOPWATCH) private readonly startStopwatch: StartStopwatch,
  ) {}

  async execute(query: GetReceipt): Promise<Receipt> {
    const revocation = await this.find(query);
    const { wait = false, timeoutMs = DEFAULT_TIMEOUT_MS } = query.input;
    if (!wait) return this.look(revocation);
    return this.places.run(query.context.caller.keyId, () => this.whenComplete(revocation, timeoutMs));
  }

  /** A revoke that has returned may not have been read here yet: a barrier that begins now shows it. */
  private async find(query: GetReceipt): Promise<RecentRevocation> {
    const known = this.findVisible(query);
    if (known) return known;
    await this.revocations.refresh();
    const fresh = this.findVisible(query);
    if (!fresh) throw new CurfewError('ERR_NOT_FOUND');
    return fresh;
  }

  private findVisible({ context: { caller }, input }: GetReceipt): RecentRevocation | undefined {
    const found = this.revocations.find(input.id);
    if (!found) return undefined;
    const { scope, tenant } = found.message;
    const visible = scope === 'global' ? reachesAll(caller) : isVisible(caller, input.tenant, tenant);
    return visible ? found : undefined;
  }

  private async whenComplete(revocation: RecentRevocation, timeoutMs: number): Promise<Receipt> {
    const elapsed = this.startStopwatch();
    const calmDown = this.reports.hurry(revocation);
    try {
      for (;;) {
        const receipt = await this.look(revocation);
        const leftMs = timeoutMs - elapsed();
        if (receipt.complete || leftMs <= 0) return receipt;
        await this.reports.news(leftMs);
      }
    } finally {
      calmDown();
    }
  }

  private async look(revocation: RecentRevocation): Promise<Receipt> {
    const reports = await this.reports.all();
    return receiptOf(revocation, {
      now: this.clock.now(),
      reports,
      shows: (cursor, mark) => this.reports.shows(cursor, mark),
    });
  }
}

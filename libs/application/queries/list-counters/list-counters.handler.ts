import { Inject } from '@nestjs/common';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { CurfewError } from '#contracts';
import { COUNTERS, type Counters, type HourlyCount } from '../../ports/security-feed.port.js';
import { tenantOf } from '../../tenancy.js';
import { ReadYourWrites } from '../../view-freshness.js';
import { ListCounters } from './list-counters.query.js';

const LONGEST_SPAN_MS = 31 * 86_400_000;

@QueryHandler(ListCounters)
export class ListCountersHandler implements IQueryHandler<ListCounters> {
  constructor(
    @Inject(COUNTERS) private readonly counters: Counters,
    private readonly freshness: ReadYourWrites,
  ) {}

  async execute({ context, input }: ListCounters): Promise<readonly HourlyCount[]> {
    const tenant = tenantOf(context.caller, input.tenant);
    const { from, to } = input;
    if (to < from || to - from > LONGEST_SPAN_MS) {
      throw new CurfewError('ERR_VALIDATION', { field: 'to', detail: 'to is at most 31 days after from' });
    }
    await this.freshness.require('counters', input.atLeast);
    return this.counters.list(tenant, from, to);
  }
}

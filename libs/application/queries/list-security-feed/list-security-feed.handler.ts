import { Inject } from '@nestjs/common';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { SECURITY_FEED, type SecurityFeed } from '../../ports/security-feed.port.js';
import { tenantOf } from '../../tenancy.js';
import { ReadYourWrites } from '../../view-freshness.js';
import { ListSecurityFeed, type SecurityFeedPage } from './list-security-feed.query.js';

const DEFAULT_LIMIT = 100;

@QueryHandler(ListSecurityFeed)
export class ListSecurityFeedHandler implements IQueryHandler<ListSecurityFeed> {
  constructor(
    @Inject(SECURITY_FEED) private readonly feed: SecurityFeed,
    private readonly freshness: ReadYourWrites,
  ) {}

  async execute({ context, input }: ListSecurityFeed): Promise<SecurityFeedPage> {
    const tenant = tenantOf(context.caller, input.tenant);
    await this.freshness.require('security-feed', input.atLeast);
    const { limit = DEFAULT_LIMIT, cursor } = input;
    return this.feed.list(tenant, { limit, ...(cursor === undefined ? {} : { cursor }) });
  }
}

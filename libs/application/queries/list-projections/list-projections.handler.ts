import { Inject } from '@nestjs/common';
import { QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { PROJECTIONS, type Projections, type ProjectionStatus } from '../../ports/projections.port.js';
import { assertReachesAll } from '../../tenancy.js';
import { ListProjections } from './list-projections.query.js';

@QueryHandler(ListProjections)
export class ListProjectionsHandler implements IQueryHandler<ListProjections> {
  constructor(@Inject(PROJECTIONS) private readonly projections: Projections) {}

  async execute({ context }: ListProjections): Promise<readonly ProjectionStatus[]> {
    assertReachesAll(context.caller);
    return this.projections.status();
  }
}

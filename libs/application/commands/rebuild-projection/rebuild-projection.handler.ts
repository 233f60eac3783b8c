import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { PROJECTIONS, type Projections } from '../../ports/projections.port.js';
import { assertReachesAll } from '../../tenancy.js';
import { RebuildProjection } from './rebuild-projection.command.js';

@CommandHandler(RebuildProjection)
export class RebuildProjectionHandler implements ICommandHandler<RebuildProjection> {
  constructor(@Inject(PROJECTIONS) private readonly projections: Projections) {}

  async execute({ context, name }: RebuildProjection): Promise<void> {
    assertReachesAll(context.caller);
    await this.projections.rebuild(name);
  }
}

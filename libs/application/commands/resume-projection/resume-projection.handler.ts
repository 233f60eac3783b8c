import { Inject } from '@nestjs/common';
import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { PROJECTIONS, type Projections } from '../../ports/projections.port.js';
import { assertReachesAll } from '../../tenancy.js';
import { ResumeProjection } from './resume-projection.command.js';

@CommandHandler(ResumeProjection)
export class ResumeProjectionHandler implements ICommandHandler<ResumeProjection> {
  constructor(@Inject(PROJECTIONS) private readonly projections: Projections) {}

  async execute({ context, name }: ResumeProjection): Promise<void> {
    assertReachesAll(context.caller);
    await this.projections.resume(name);
  }
}

import { Controller, Get, Header, HttpCode, Param, Post } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ListProjections, RebuildProjection, ResumeProjection, type CallContext } from '#application';
import { RequireScope } from '../auth/access.js';
import { Context } from '../auth/call-context.js';
import { ProjectionsDoc } from '../dto/projection-answers.js';

/** The read models, for operators. */
@ApiTags('projections')
@Controller('v1/projections')
export class ProjectionsController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Get()
  @RequireScope('admin')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Every projection with its state, its lag and its rebuild' })
  @ApiOkResponse({ type: ProjectionsDoc })
  async list(@Context() context: CallContext): Promise<ProjectionsDoc> {
    return { projections: await this.queries.execute(new ListProjections(context)) };
  }

  @Post(':name/rebuild')
  @HttpCode(202)
  @RequireScope('admin')
  @ApiParam({ name: 'name', type: String })
  @ApiOperation({
    summary: 'Build a projection anew beside the live one, then flip',
    description: 'Answers at once; the list shows how far it is. One that is under way is joined.',
  })
  @ApiAcceptedResponse()
  rebuild(@Context() context: CallContext, @Param('name') name: string): Promise<void> {
    return this.commands.execute(new RebuildProjection(context, name));
  }

  @Post(':name/resume')
  @HttpCode(202)
  @RequireScope('admin')
  @ApiParam({ name: 'name', type: String })
  @ApiOperation({ summary: 'Let a paused projection try its event again' })
  @ApiAcceptedResponse()
  resume(@Context() context: CallContext, @Param('name') name: string): Promise<void> {
    return this.commands.execute(new ResumeProjection(context, name));
  }
}

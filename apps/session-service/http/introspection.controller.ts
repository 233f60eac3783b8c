import { Body, Controller, Header, HttpCode, Post, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { IntrospectToken, type CallContext } from '#application';
import { RequireScope } from '../auth/access.js';
import { Context } from '../auth/call-context.js';
import { IntrospectionDoc } from '../dto/answers.js';
import { barrierAgeOnWire } from '../dto/barrier-age.js';
import { IntrospectForm } from '../dto/session.dto.js';
import { FormBody } from './body.pipes.js';
import type { HttpReply } from './http-types.js';

@ApiTags('tokens')
@Controller('v1/introspect')
export class IntrospectionController {
  constructor(private readonly queries: QueryBus) {}

  @Post()
  @HttpCode(200)
  @RequireScope('tokens:introspect')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Whether an access token is in force (RFC 7662)' })
  @ApiConsumes('application/x-www-form-urlencoded')
  @ApiBody({ type: IntrospectForm })
  @ApiOkResponse({
    type: IntrospectionDoc,
    headers: {
      'Curfew-Barrier-Age': {
        description:
          "Age in milliseconds of the instance's last barrier: the answer holds for the caller's staleness bound less this, counted from when the caller sent its request.",
        schema: { type: 'integer' },
      },
    },
  })
  async introspect(
    @Context() context: CallContext,
    @Body(new FormBody(IntrospectForm, ['token'])) { token }: IntrospectForm,
    @Res({ passthrough: true }) reply: HttpReply,
  ): Promise<object> {
    const answer = await this.queries.execute(new IntrospectToken(context, token));
    reply.header('Curfew-Barrier-Age', String(barrierAgeOnWire(answer.barrierAgeMs)));
    return answer.active ? { ...answer.claims, active: true, token_type: 'at+jwt' } : { active: false };
  }
}

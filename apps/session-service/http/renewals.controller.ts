import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { CallContext } from '#application';
import { RequireScope } from '../auth/access.js';
import { Context } from '../auth/call-context.js';
import { RenewalDoc } from '../dto/renewal-answers.js';
import { RenewalBody } from '../dto/renewal.dto.js';
import { Renewals, type RenewalAnswer } from '../nodes/renewals.js';
import { JsonBody } from './body.pipes.js';

@ApiTags('revocations')
@Controller('v1/revocations/renewals')
export class RenewalsController {
  constructor(private readonly renewals: Renewals) {}

  @Post()
  @HttpCode(200)
  @RequireScope('revocations:watch')
  @ApiOperation({
    summary: "Renew a node's lease over Kafka: a barrier that begins after the call arrived",
    description:
      'When every lane has brought a heartbeat with this barrier or a higher one, the node may decide from memory until its staleness bound after the moment at which it sent this call. No barrier within 2 s: 503 with `Retry-After`.',
  })
  @ApiBody({ type: RenewalBody })
  @ApiOkResponse({ type: RenewalDoc })
  renew(
    @Context() { caller }: CallContext,
    @Body(new JsonBody(RenewalBody)) body: RenewalBody,
  ): Promise<RenewalAnswer> {
    return this.renewals.renew(caller, body);
  }
}

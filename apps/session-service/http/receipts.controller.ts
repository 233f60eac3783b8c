import { Controller, Get, Param, Query } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { GetReceipt, type CallContext } from '#application';
import type { Receipt } from '#contracts';
import { RequireScope } from '../auth/access.js';
import { Context } from '../auth/call-context.js';
import { ReceiptDoc } from '../dto/receipt-answers.js';
import { ReceiptQuery } from '../dto/receipt.dto.js';
import { QueryString } from './body.pipes.js';

@ApiTags('revocations')
@Controller('v1/revocations')
export class ReceiptsController {
  constructor(private readonly queries: QueryBus) {}

  @Get(':id')
  @RequireScope('sessions:revoke', 'scopes:revoke', 'audit:read')
  @ApiOperation({
    summary: 'Which nodes have applied a revocation',
    description:
      'For as long as it matters: the longest life of an access token, and a minute. The id is the `revocationId` of the revocation: of a session its sid. That of everyone needs a key for every tenant.',
  })
  @ApiOkResponse({ type: ReceiptDoc })
  receipt(
    @Context() context: CallContext,
    @Param('id') id: string,
    @Query(new QueryString(ReceiptQuery)) { wait, timeout, ...query }: ReceiptQuery,
  ): Promise<Receipt> {
    return this.queries.execute(
      new GetReceipt(context, {
        id,
        ...query,
        ...(wait === undefined ? {} : { wait: true }),
        ...(timeout === undefined ? {} : { timeoutMs: timeout }),
      }),
    );
  }
}

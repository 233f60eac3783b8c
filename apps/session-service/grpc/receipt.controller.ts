import { Controller } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import { GetReceipt, type CallContext } from '#application';
import type { Receipt } from '#contracts';
import { RequireScope } from '../auth/access.js';
import { Context } from '../auth/call-context.js';
import { GetReceiptMessage } from '../dto/receipt.dto.js';
import { Message } from './message.pipe.js';

@Controller()
export class ReceiptGrpcController {
  constructor(private readonly queries: QueryBus) {}

  @GrpcMethod('RevocationService', 'GetReceipt')
  @RequireScope('sessions:revoke', 'scopes:revoke', 'audit:read')
  receipt(
    @Payload(new Message(GetReceiptMessage)) input: GetReceiptMessage,
    @Context() context: CallContext,
  ): Promise<Receipt> {
    return this.queries.execute(new GetReceipt(context, { ...input }));
  }
}

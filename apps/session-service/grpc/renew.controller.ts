import { Controller } from '@nestjs/common';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import type { CallContext } from '#application';
import { RequireScope } from '../auth/access.js';
import { Context } from '../auth/call-context.js';
import { prepareRenewal, RenewalBody } from '../dto/renewal.dto.js';
import { Renewals, type RenewalAnswer } from '../nodes/renewals.js';
import { Message } from './message.pipe.js';

/** Renewals of nodes that get their revocations from Kafka. */
@Controller()
export class RenewGrpcController {
  constructor(private readonly renewals: Renewals) {}

  @GrpcMethod('RevocationService', 'Renew')
  @RequireScope('revocations:watch')
  renew(
    @Payload(new Message(RenewalBody, prepareRenewal)) renewal: RenewalBody,
    @Context() { caller }: CallContext,
  ): Promise<RenewalAnswer> {
    return this.renewals.renew(caller, renewal);
  }
}

import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { RevokeAll, type CallContext } from '#application';
import type { MassRevoked } from '#contracts';
import { RequireScope } from '../auth/access.js';
import { Context } from '../auth/call-context.js';
import { MassRevokedDoc } from '../dto/answers.js';
import { MassRevocationBody } from '../dto/revocation.dto.js';
import { JsonBody } from './body.pipes.js';
import { IdempotencyKey, IdempotencyKeyHeader, withKey } from './request-parts.js';

@ApiTags('revocations')
@Controller('v1/revocations')
export class RevocationsController {
  constructor(private readonly commands: CommandBus) {}

  @Post()
  @HttpCode(200)
  @RequireScope('scopes:revoke', 'sessions:revoke')
  @ApiOperation({
    summary: 'End all sessions of a user, a client, a tenant or of everyone, whatever their number',
    description:
      'Needs scopes:revoke; for a user, sessions:revoke will do. `global` needs a key for every tenant.',
  })
  @ApiBody({ type: MassRevocationBody })
  @IdempotencyKeyHeader()
  @ApiOkResponse({ type: MassRevokedDoc })
  revokeAll(
    @Context() context: CallContext,
    @Body(new JsonBody(MassRevocationBody)) body: MassRevocationBody,
    @IdempotencyKey() key: string | undefined,
  ): Promise<MassRevoked> {
    return this.commands.execute(new RevokeAll(context, { ...body, ...withKey(key) }));
  }
}

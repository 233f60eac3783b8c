import { Body, Controller, Delete, Get, Header, HttpCode, Param, Post } from '@nestjs/common';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import {
  ApiBody,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { CreateApiKey, ListApiKeys, RevokeApiKey, type ApiKeyRecord, type CallContext } from '#application';
import { RequireScope } from '../auth/access.js';
import { Context } from '../auth/call-context.js';
import { ApiKeyDoc, ApiKeysDoc, CreatedApiKeyDoc } from '../dto/answers.js';
import { CreateApiKeyBody } from '../dto/api-key.dto.js';
import { JsonBody } from './body.pipes.js';

const inSeconds = ({ createdAt, revokedAt, ...record }: ApiKeyRecord): ApiKeyDoc => ({
  ...record,
  createdAt: Math.floor(createdAt / 1000),
  ...(revokedAt === undefined ? {} : { revokedAt: Math.floor(revokedAt / 1000) }),
});

@ApiTags('API keys')
@Controller('v1/api-keys')
export class ApiKeysController {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
  ) {}

  @Post()
  @RequireScope('admin')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Make an API key' })
  @ApiBody({ type: CreateApiKeyBody })
  @ApiCreatedResponse({ type: CreatedApiKeyDoc })
  async create(
    @Context() context: CallContext,
    @Body(new JsonBody(CreateApiKeyBody)) body: CreateApiKeyBody,
  ): Promise<CreatedApiKeyDoc> {
    const { key, ...record } = await this.commands.execute(new CreateApiKey(context, { ...body }));
    return { ...inSeconds(record), key };
  }

  @Get()
  @RequireScope('admin')
  @ApiOperation({ summary: 'API keys within the tenants of the caller, revoked ones too' })
  @ApiOkResponse({ type: ApiKeysDoc })
  async list(@Context() context: CallContext): Promise<ApiKeysDoc> {
    const records = await this.queries.execute(new ListApiKeys(context));
    return { apiKeys: records.map(inSeconds) };
  }

  @Delete(':id')
  @HttpCode(204)
  @RequireScope('admin')
  @ApiOperation({ summary: 'Revoke an API key; its open streams are cut' })
  @ApiNoContentResponse()
  revoke(@Context() context: CallContext, @Param('id') id: string): Promise<void> {
    return this.commands.execute(new RevokeApiKey(context, id));
  }
}

import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ACCESS_TOKEN_SIGNER, type AccessTokenSigner } from '#application';
import { CurfewError } from '#contracts';
import { AnyKey, Public } from '../auth/access.js';
import { Readiness } from '../readiness.js';
import { OpenApiDocument } from './openapi.js';

@ApiTags('tokens')
@Controller('.well-known')
export class JwksController {
  constructor(@Inject(ACCESS_TOKEN_SIGNER) private readonly signer: AccessTokenSigner) {}

  @Get('jwks.json')
  @Public()
  @Header('Cache-Control', 'public, max-age=300')
  @ApiOperation({ summary: 'The keys that access tokens are signed with (RFC 7517)' })
  jwks(): object {
    return this.signer.jwks();
  }
}

@ApiTags('health')
@Controller()
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get('healthz')
  @Public()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Whether the process runs' })
  healthz(): object {
    return { status: 'ok' };
  }

  @Get('readyz')
  @Public()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Whether the instance can serve: its last barrier is younger than 2 s' })
  readyz(): object {
    if (!this.readiness.isReady())
      throw new CurfewError('ERR_UNAVAILABLE', { detail: 'the last barrier is too old' });
    return { status: 'ready' };
  }
}

@Controller()
export class OpenApiController {
  constructor(private readonly openApi: OpenApiDocument) {}

  @Get('openapi.json')
  @AnyKey()
  @ApiOperation({ summary: 'This description' })
  document(): object {
    return this.openApi.document;
  }
}

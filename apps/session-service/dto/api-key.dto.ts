import { API_KEY_SCOPES, type ApiKeyScope } from '#contracts';
import { Choices, Line, Lines } from './fields.js';

export class CreateApiKeyBody {
  @Line({ required: true, max: 128, description: 'What the key is for.', example: 'login service' })
  readonly name!: string;

  @Choices(API_KEY_SCOPES, { required: true, description: 'What the key may do.' })
  readonly scopes!: ApiKeyScope[];

  @Lines({
    minItems: 1,
    maxItems: 64,
    max: 64,
    pattern: /^(\*|[A-Za-z0-9._~-]+)$/,
    accepts: '1 to 64 of the characters A-Z a-z 0-9 . _ ~ -, or *',
    description: 'Tenants the key is bound to; `default` if absent, `*` for every tenant.',
  })
  readonly tenants?: string[];

  @Lines({
    minItems: 1,
    maxItems: 64,
    max: 255,
    description: 'Audiences whose access tokens the key may introspect; `*` for every audience.',
  })
  readonly audiences?: string[];
}

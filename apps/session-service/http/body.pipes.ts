import type { PipeTransform } from '@nestjs/common';
import { CurfewError } from '#contracts';
import { readDto } from '../dto/read-dto.js';
import { Form } from './form.js';

/** A JSON body as a DTO. */
export class JsonBody<T extends object> implements PipeTransform<unknown, T> {
  constructor(private readonly type: new () => T) {}

  transform(body: unknown): T {
    if (body instanceof Form) throw new CurfewError('ERR_UNSUPPORTED_MEDIA_TYPE');
    return readDto(this.type, body);
  }
}

/** A query string as a DTO. Fastify makes a list of a name that comes twice, which only `QueryLines` accepts. */
export class QueryString<T extends object> implements PipeTransform<unknown, T> {
  constructor(private readonly type: new () => T) {}

  transform(query: unknown): T {
    return readDto(this.type, query);
  }
}

/**
 * A form as a DTO of text fields. Fields that the DTO does not know are ignored: that is how OAuth endpoints are extended
 * (RFC 6749 §3.1), and clients send such fields (`token_type_hint`, `client_id`).
 */
export class FormBody<T extends object> implements PipeTransform<unknown, T> {
  constructor(
    private readonly type: new () => T,
    private readonly fields: readonly (keyof T & string)[],
  ) {}

  transform(body: unknown): T {
    if (body !== undefined && !(body instanceof Form)) throw new CurfewError('ERR_UNSUPPORTED_MEDIA_TYPE');
    return readDto(this.type, Object.fromEntries(this.fields.map((name) => [name, body?.fields.get(name)])));
  }
}

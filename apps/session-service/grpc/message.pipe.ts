import type { PipeTransform } from '@nestjs/common';
import { CurfewError } from '#contracts';
import { MalformedMessage } from '#watch-door';
import { readDto } from '../dto/read-dto.js';

/** A request message as a DTO. */
export class Message<T extends object> implements PipeTransform<object, T> {
  constructor(
    private readonly type: new () => T,
    private readonly prepare: (message: Record<string, unknown>) => object = (message) => message,
  ) {}

  transform(message: object): T {
    if (message instanceof MalformedMessage)
      throw new CurfewError('ERR_MALFORMED_BODY', { detail: message.detail });
    return readDto(this.type, this.prepare(message as Record<string, unknown>));
  }
}

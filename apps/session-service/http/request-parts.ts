import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import { readIdempotencyKey } from '../dto/idempotency-key.js';
import { NAME } from '../dto/session.dto.js';
import { isLine } from '../dto/text.js';
import type { HttpRequest } from './http-types.js';

const requestOf = (context: ExecutionContext) => context.switchToHttp().getRequest<HttpRequest>();

/** Parameter: the `Idempotency-Key` header, checked; undefined if there is none. */
export const IdempotencyKey = createParamDecorator((_data: unknown, context: ExecutionContext) => {
  const header = requestOf(context).headers['idempotency-key'];
  return header === undefined ? undefined : readIdempotencyKey(String(header));
});

/** Nobody's and nothing's name: DEL is a control character, and no session is created for a `sub` or a tenant with one. */
const NOBODY = '\u007f';

/**
 * Parameter: the user in the path. One that cannot exist answers exactly as one that is unknown, so it becomes one that
 * every layer behind can handle.
 */
export const PathSub = createParamDecorator((_data: unknown, context: ExecutionContext): string => {
  const { sub } = requestOf(context).params as { readonly sub?: string };
  return isLine(sub, 1, 255) ? sub : NOBODY;
});

/** Parameter: the tenant in the path, by the same rule. */
export const PathTenant = createParamDecorator((_data: unknown, context: ExecutionContext): string => {
  const { tenant } = requestOf(context).params as { readonly tenant?: string };
  return tenant !== undefined && tenant.length <= NAME.max && NAME.pattern.test(tenant) ? tenant : NOBODY;
});

/** To be spread into a command's input: without the header there is no such field. */
export const withKey = (idempotencyKey: string | undefined) =>
  idempotencyKey === undefined ? {} : { idempotencyKey };

export const IdempotencyKeyHeader = () =>
  ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description:
      '22 to 255 visible ASCII characters: 128 random bits or more, stored before the call is made.',
  });

export const AtLeastHeader = () =>
  ApiHeader({
    name: 'Curfew-At-Least',
    required: false,
    description:
      'The position of a write that the answer must show. Waited for, 2 s at most; then 503 with `Retry-After`.',
  });

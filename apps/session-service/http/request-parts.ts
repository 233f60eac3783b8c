import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { readIdempotencyKey } from '../dto/idempotency-key.js';
import { isLine } from '../dto/text.js';
import type { HttpRequest } from './http-types.js';

const requestOf = (context: ExecutionContext) => context.switchToHttp().getRequest<HttpRequest>();

/** Parameter: the `Idempotency-Key` header, checked; undefined if there is none. */
export const IdempotencyKey = createParamDecorator((_data: unknown, context: ExecutionContext) => {
  const header = requestOf(context).headers['idempotency-key'];
  return header === undefined ? undefined : readIdempotencyKey(String(header));
});

/** Nobody's `sub`: DEL is a control character, and no session is created for a `sub` with one. */
const NOBODY = '\u007f';

/**
 * Parameter: the user in the path. One that cannot exist answers exactly as one that is unknown, so it becomes one that
 * every layer behind can handle.
 */
export const PathSub = createParamDecorator((_data: unknown, context: ExecutionContext): string => {
  const { sub } = requestOf(context).params as { readonly sub?: string };
  return isLine(sub, 1, 255) ? sub : NOBODY;
});

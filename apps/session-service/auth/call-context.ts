import { randomUUID } from 'node:crypto';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Metadata } from '@grpc/grpc-js';
import type { CallContext } from '#application';
import type { HttpRequest } from '../http/http-types.js';

/** What both doors have in common: an object that stands for the call, and its headers or metadata. */
export interface IncomingCall {
  readonly handle: object;
  readonly header: (name: string) => string | undefined;
}

interface GrpcCall {
  readonly metadata: Metadata;
}

const fromHttp = (request: HttpRequest): IncomingCall => ({
  handle: request,
  header: (name) => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  },
});

export const fromGrpc = (call: GrpcCall): IncomingCall => ({
  handle: call,
  header: (name) => call.metadata.get(name).map(String).join(', ') || undefined,
});

/** The gRPC call is the last argument: of a unary method the third, of a stream the only one. */
export const incomingCall = (context: ExecutionContext): IncomingCall =>
  context.getType() === 'http'
    ? fromHttp(context.switchToHttp().getRequest<HttpRequest>())
    : fromGrpc(context.getArgs<GrpcCall[]>().at(-1)!);

const contexts = new WeakMap<object, CallContext>();

export const rememberContext = (call: IncomingCall, context: CallContext): void => {
  contexts.set(call.handle, context);
};

/** Ids of others are kept if they are short and plain enough for logs and headers. */
const SANE_CORRELATION_ID = /^[A-Za-z0-9][A-Za-z0-9._:/+=-]{0,127}$/;

export function correlationIdOf(call: IncomingCall): string {
  const given = call.header('x-correlation-id');
  return given !== undefined && SANE_CORRELATION_ID.test(given) ? given : randomUUID();
}

/** Parameter: the authenticated call, made by the guard before anything else was awaited for it. */
export const Context = createParamDecorator((_data: unknown, context: ExecutionContext): CallContext => {
  const found = contexts.get(incomingCall(context).handle);
  if (!found) throw new Error('a route without an API key has no call context');
  return found;
});

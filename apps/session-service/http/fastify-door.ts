import type { Socket } from 'node:net';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { CurfewError } from '#contracts';
import type { Tls } from '#watch-door';
import { toProblem } from '../errors/problem.js';
import { toCurfewError } from '../errors/to-curfew-error.js';
import { parseForm } from './form.js';
import type { BodyParsers, HttpReply } from './http-types.js';
import { parseJson } from './json-text.js';

const MAX_BODY_BYTES = 64 * 1024;
/** Node limits a request's head to 16 kB, so whatever comes this far may be looked up, and is then unknown. */
const MAX_PARAM_LENGTH = 16 * 1024;
/** Whoever sends a request this slowly holds a socket for nothing. */
const REQUEST_TIMEOUT_MS = 30_000;

/** What cannot even be parsed as HTTP never reaches a filter; it gets its problem document here. */
function refuseRawly(cause: NodeJS.ErrnoException, socket: Socket): void {
  // An answer that has begun must not get another one into it.
  const begun = (socket as { _httpMessage?: { headersSent: boolean } })._httpMessage?.headersSent === true;
  if (begun || cause.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const detail =
    cause.code === 'HPE_HEADER_OVERFLOW' ? 'the head of the request is too large' : 'the request is not HTTP';
  const { status, headers, body } = toProblem(new CurfewError('ERR_VALIDATION', { detail }));
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(
    `HTTP/1.1 ${status} Bad Request\r\n${head.join('')}content-length: ${body.length}\r\nconnection: close\r\n\r\n${body.toString()}`,
  );
}

function addParser(server: BodyParsers, type: string, parse: (body: Buffer) => unknown): void {
  server.addContentTypeParser(type, { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      // Nothing sent is not the same as something malformed: the fields that are missing get named.
      done(null, body.length === 0 ? undefined : parse(body));
    } catch (error) {
      done(error as Error);
    }
  });
}

function answerFrameworkError(error: unknown, _request: unknown, reply: HttpReply): void {
  const { status, headers, body } = toProblem(toCurfewError(error));
  reply.status(status).headers(headers).send(body);
}

/** The HTTP server of the REST door: its limits, its body parsers, and problem documents where Nest has no say. */
export function createFastifyDoor(tls?: Tls): AbstractHttpAdapter {
  const options = {
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: answerFrameworkError as never,
    clientErrorHandler: refuseRawly,
    ...(tls ? { https: { cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' } } : {}),
  };
  const adapter = new FastifyAdapter(options as ConstructorParameters<typeof FastifyAdapter>[0]);
  const parsers: BodyParsers = adapter.getInstance();
  parsers.removeAllContentTypeParsers();
  addParser(parsers, 'application/json', parseJson);
  addParser(parsers, 'application/x-www-form-urlencoded', parseForm);
  return adapter;
}

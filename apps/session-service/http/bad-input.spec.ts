import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ERROR_CATALOGUE } from '#contracts';
import { listDoors } from '../doors.js';
import { anyBody, anyContentType, anyHeaderValue, anyInstant, anySegment } from '../testing/bad-input.js';
import { ISSUED, startFakeService, type FakeService } from '../testing/fake-service.js';
import { GrpcCaller } from '../testing/grpc-caller.js';

let service: FakeService;
let caller: GrpcCaller;
beforeAll(async () => {
  service = await startFakeService();
  service.answer = (message) => ANSWERS[message.constructor.name] ?? ISSUED;
  caller = new GrpcCaller(service.endpoints.grpc);
});
afterAll(async () => {
  caller.close();
  await service.close();
});

/** Well-formed answers, so that every failure is the door's. */
const ANSWERS: Readonly<Record<string, unknown>> = {
  GetSession: { ...ISSUED, status: 'active' },
  ListUserSessions: { sessions: [] },
  GetSessionHistory: { events: [] },
  IntrospectToken: { active: false, barrierAgeMs: 1 },
  ListApiKeys: [],
  GetSessionAt: { ...ISSUED, status: 'active' },
  ListUserSessionsAt: { sessions: [] },
  ListTenantSessions: { sessions: [] },
  ListSecurityFeed: { entries: [] },
  ListCounters: [],
  ListProjections: [],
};

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Node's own client, and not fetch, which would put much of the input right before it is sent. */
function send(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string | Buffer,
): Promise<Answer | 'not sendable'> {
  return new Promise((resolve, reject) => {
    try {
      const request = httpRequest(
        service.endpoints.http,
        { method, path, headers, agent: false },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () => {
            resolve({
              status: response.statusCode ?? 0,
              type: response.headers['content-type'] ?? '',
              text: Buffer.concat(chunks).toString(),
            });
          });
        },
      );
      // A body beyond the limit is answered and the connection closed before all of it is sent.
      request.on('error', (error: NodeJS.ErrnoException) =>
        ['EPIPE', 'ECONNRESET'].includes(error.code ?? '') ? resolve('not sendable') : reject(error),
      );
      // For DELETE, Node's client would send a body without saying so.
      if (body !== undefined) request.setHeader('content-length', Buffer.byteLength(body));
      request.end(body);
    } catch {
      resolve('not sendable');
    }
  });
}

function expectDecent(answer: Answer | 'not sendable'): void {
  if (answer === 'not sendable' || answer.status < 400) return;
  expect(answer.type).toBe('application/problem+json');
  const problem = JSON.parse(answer.text) as { code: keyof typeof ERROR_CATALOGUE; status: number };
  expect(problem.status).toBe(answer.status);
  expect(ERROR_CATALOGUE[problem.code].http).toBe(answer.status);
  expect(answer.status).toBeLessThan(500);
}

const QUERY_NAMES = [
  ...['limit', 'cursor', 'tenant', 'includeEnded', 'current', 'at', 'atPosition', 'from', 'to', 'except'],
  ...['wait', 'timeout', '__proto__', 'constructor', 'x[y]'],
];

const routes = listDoors().flatMap((door) => (door.kind === 'http' ? [door] : []));

describe('bad input', () => {
  it('never is a 5xx at the REST door, and always a problem of the catalogue', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...routes),
        fc.tuple(anySegment, anySegment),
        fc.option(anyBody, { nil: undefined }),
        anyContentType,
        fc.record(
          {
            'idempotency-key': anyHeaderValue,
            'x-correlation-id': anyHeaderValue,
            'curfew-at-least': anyHeaderValue,
          },
          { requiredKeys: [] },
        ),
        async ({ method, path }, [first, second], body, contentType, headers) => {
          const segments = [first, second];
          const target = path.replace(/:\w+/g, () => segments.shift() ?? 'x');
          const all = { ...service.authorization(), 'content-type': contentType, ...headers };
          expectDecent(await send(method, target, all, method === 'GET' ? undefined : body));
        },
      ),
      { numRuns: 1_500 },
    );
  }, 60_000);

  it('never is a 5xx in a query', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...routes.filter(({ method }) => method === 'GET')),
        fc.constantFrom(...QUERY_NAMES),
        fc.oneof(anySegment, anyInstant),
        async ({ path }, name, value) => {
          const target = path.replace(/:\w+/g, '0'.repeat(32));
          expectDecent(await send('GET', `${target}?${name}=${value}`, service.authorization()));
        },
      ),
      { numRuns: 600 },
    );
  }, 30_000);

  it('G10: lets nobody in with any Authorization header but a right one', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          anyHeaderValue,
          anyHeaderValue.map((value) => `Bearer ${value}`),
          fc.string({ minLength: 43, maxLength: 43 }).map((value) => `Bearer cfk_${value}`),
        ),
        async (authorization) => {
          const answer = await send('GET', '/v1/api-keys', { authorization });
          if (answer !== 'not sendable') expect(answer.status).toBe(401);
          expectDecent(answer);
        },
      ),
      { numRuns: 300 },
    );
  }, 30_000);

  it('never is INTERNAL, UNKNOWN or UNIMPLEMENTED at the gRPC door', async () => {
    const methods = listDoors().flatMap((door) =>
      door.kind === 'grpc' && door.method !== 'Watch' && door.service !== 'Health'
        ? [`/curfew.v1.${door.service}/${door.method}`]
        : [],
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...methods),
        fc.oneof(
          fc.uint8Array({ maxLength: 100 }),
          // A field of text, so that some get past the decoder.
          fc
            .tuple(fc.integer({ min: 1, max: 12 }), fc.uint8Array({ maxLength: 60 }))
            .map(([field, bytes]) => Uint8Array.from([field * 8 + 2, bytes.length, ...bytes])),
          // A number behind a text: an instant, a limit.
          fc
            .tuple(fc.integer({ min: 2, max: 8 }), fc.uint8Array({ minLength: 1, maxLength: 9 }))
            .map(([field, bytes]) => [field * 8, ...bytes.map((byte) => byte | 0x80), 0x01])
            .map((number) => Uint8Array.from([0x0a, 0x01, 0x75, ...number])),
        ),
        async (path, bytes) => {
          const { status } = await caller.call(path, Buffer.from(bytes), service.authorization());
          expect([undefined, 3, 5]).toContain(status?.code);
          if (status) expect(Object.keys(ERROR_CATALOGUE)).toContain(status.metadata['curfew-error-code']);
        },
      ),
      { numRuns: 1_000 },
    );
  }, 60_000);
});

import { expect } from '@jest/globals';
import { ERROR_CATALOGUE } from '#contracts';
import type { FakeService } from './fake-service.js';

export interface RestCall {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Calls the REST door with a key of every scope, unless the headers name another. */
export class RestCaller {
  constructor(private readonly service: Pick<FakeService, 'endpoints' | 'authorization'>) {}

  call(path: string, { method = 'GET', headers = {}, body }: RestCall = {}): Promise<Response> {
    return fetch(this.service.endpoints.http + path, {
      method,
      headers: { ...this.service.authorization(), ...headers },
      ...(body === undefined ? {} : { body }),
    });
  }

  /** @param body a string goes as it is */
  json(path: string, body: unknown, { method = 'POST', headers = {} }: RestCall = {}): Promise<Response> {
    return this.call(path, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }
}

/** Status, code and field of an answer that has to be a well-formed problem document. */
export async function problem(response: Response): Promise<[number, unknown, unknown]> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const body = (await response.json()) as Record<string, unknown>;
  expect(body['status']).toBe(response.status);
  expect(body['type']).toBe(`urn:curfew:error:${String(body['code'])}`);
  expect(body['title']).toBe(ERROR_CATALOGUE[body['code'] as keyof typeof ERROR_CATALOGUE].title);
  return [response.status, body['code'], body['field']];
}

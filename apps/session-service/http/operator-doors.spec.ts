import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { CurfewError } from '#contracts';
import { startFakeService, type FakeService } from '../testing/fake-service.js';
import { problem, RestCaller } from '../testing/rest-caller.js';

let service: FakeService;
let rest: RestCaller;
beforeAll(async () => {
  service = await startFakeService();
  rest = new RestCaller(service);
});
beforeEach(() => {
  service.received.length = 0;
  service.answer = () => undefined;
});
afterAll(() => service.close());

describe('projections', () => {
  const status = {
    name: 'counters',
    state: 'paused',
    inline: false,
    version: 2,
    position: '7',
    lagMs: 1_500,
    lagEvents: 3,
    failure: { position: '8', eventId: 'e', eventType: 'session.created', error: 'TypeError' },
    rebuild: { version: 3, state: 'building', eventsDone: 1, eventsTotal: 10 },
  };

  it('shows how each is', async () => {
    service.answer = () => [status];
    const response = await rest.call('/v1/projections');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({ projections: [status] });
  });

  it.each([
    ['rebuild', 'RebuildProjection'],
    ['resume', 'ResumeProjection'],
  ])('takes a %s on, and answers at once', async (verb, command) => {
    const response = await rest.call(`/v1/projections/counters/${verb}`, { method: 'POST' });
    expect([response.status, await response.text()]).toEqual([202, '']);
    expect(service.received).toMatchObject([{ name: 'counters' }]);
    expect(service.received[0]?.constructor.name).toBe(command);
  });

  it.each(['rebuild', 'resume'])('answers the %s of an unknown one as unknown', async (verb) => {
    service.answer = () => {
      throw new CurfewError('ERR_NOT_FOUND', { field: 'name' });
    };
    const response = await rest.call(`/v1/projections/nope/${verb}`, { method: 'POST' });
    expect(await problem(response)).toEqual([404, 'ERR_NOT_FOUND', 'name']);
  });

  it('G10: are for administrators alone', async () => {
    for (const [method, path] of [
      ['GET', '/v1/projections'],
      ['POST', '/v1/projections/counters/rebuild'],
      ['POST', '/v1/projections/counters/resume'],
    ] as const) {
      const response = await rest.call(path, { method, headers: service.authorization('audit:read') });
      expect(await problem(response)).toEqual([403, 'ERR_FORBIDDEN', undefined]);
    }
    expect(service.received).toEqual([]);
  });
});

describe('GET /metrics', () => {
  it('answers Prometheus text to any API key', async () => {
    const response = await rest.call('/metrics', { headers: service.authorization('sessions:read') });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.text()).toContain('\ncurfew_fake_total{kind="fake"} 3\n');
  });

  it('G10: answers nobody without one', async () => {
    const response = await fetch(`${service.endpoints.http}/metrics`);
    expect(await problem(response)).toEqual([401, 'ERR_UNAUTHENTICATED', undefined]);
  });
});

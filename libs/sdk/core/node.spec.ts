import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NOW, SigningKey } from './minted-token.double.js';
import { fakeTimers, NodeUnderTest, realTimers } from './node-under-test.double.js';
import { json } from './rest-door.double.js';

describe('a node', () => {
  beforeEach(fakeTimers);
  afterEach(realTimers);

  it('is ready when it has both a lease and the keys', async () => {
    const node = NodeUnderTest.unanswered();
    let ready = false;
    const waiting = node.curfew.ready().then(() => (ready = true));
    await node.pass(50);
    expect(ready).toBe(false);
    node.watch.last.renewed(1);
    await waiting;
    await node.curfew.ready();
    await node.pass(0);
    expect(node.curfew.lease()).toEqual({ fresh: true, remainingMs: 1950 });
  });

  it('fetches the keys, which are public, without its API key', async () => {
    const node = await NodeUnderTest.ready();
    const [call] = node.rest.callsTo('/.well-known/jwks.json');
    expect(call?.init.headers).toEqual({});
  });

  it('says what is missing when it does not become ready in time', async () => {
    const node = NodeUnderTest.unanswered();
    const outcome = expect(node.curfew.ready({ timeoutMs: 100 })).rejects.toMatchObject({
      code: 'ERR_STALE',
      detail: 'http://watch.test/: gone',
    });
    await node.pass(10);
    node.watch.last.end('gone');
    await node.pass(100);
    await outcome;
  });

  it.each([
    [16, 'ERR_UNAUTHENTICATED'],
    [7, 'ERR_FORBIDDEN'],
  ])('does not wait when the service refuses its API key (gRPC status %i)', async (status, code) => {
    const node = NodeUnderTest.unanswered();
    const outcome = expect(node.curfew.ready()).rejects.toMatchObject({ code });
    node.watch.last.end('no', status);
    await outcome;
  });

  it('fetches unknown keys once in 5 s, refuses others at once, and asks again later', async () => {
    const node = await NodeUnderTest.ready();
    const [k2, k3] = [new SigningKey('k2'), new SigningKey('k3')];
    const jwks = (): number => node.rest.callsTo('/.well-known/jwks.json').length;
    expect(await node.verdict(k2.token({ iat: NOW }))).toBe('ERR_TOKEN_REFUSED');
    expect(jwks()).toBe(1);
    await node.pass(5_000);
    node.rest.jwks = () => json({ keys: [node.key.jwk(), k2.jwk()] });
    const verdicts = await Promise.all([
      ...Array.from({ length: 20 }, (_, i) => node.verdict(k2.token({ iat: NOW, sid: `s${i}` }))),
      node.verdict(k3.token({ iat: NOW })),
    ]);
    expect(verdicts).toEqual([...Array.from({ length: 20 }, () => 'accepted'), 'ERR_TOKEN_REFUSED']);
    expect(jwks()).toBe(2);
    for (let i = 0; i < 20; i += 1) {
      expect(await node.verdict(new SigningKey(`x${i}`).token({ iat: NOW }))).toBe('ERR_TOKEN_REFUSED');
    }
    expect(jwks()).toBe(2);
    await node.pass(5_000);
    expect(await node.verdict(k3.token({ iat: NOW }))).toBe('ERR_TOKEN_REFUSED');
    expect(jwks()).toBe(3);
  });

  it('does not call a key unknown when the keys cannot be fetched', async () => {
    const node = await NodeUnderTest.ready();
    await node.pass(5_000);
    node.rest.jwks = () => Promise.reject(new TypeError('fetch failed'));
    const token = new SigningKey('k2').token({ iat: NOW });
    expect(await node.verdict(token)).toBe('ERR_STALE');
    expect(await node.verdict(token)).toBe('ERR_STALE');
    expect(await node.verdict(node.key.token())).toBe('accepted');
  });

  it('fetches the keys again in the background, and drops those that were taken out', async () => {
    const node = await NodeUnderTest.ready();
    const k2 = new SigningKey('k2');
    node.rest.jwks = () => json({ keys: [k2.jwk()] });
    await node.pass(361_000);
    expect(await node.verdict(k2.token({ iat: NOW + 300, exp: NOW + 600 }))).toBe('accepted');
    expect(await node.verdict(node.key.token({ iat: NOW + 300, exp: NOW + 600 }))).toBe('ERR_TOKEN_REFUSED');
  });

  it('keeps the keys it has when a fetch brings none that can be used', async () => {
    const node = await NodeUnderTest.ready();
    const rsa = { ...node.key.jwk(), kid: 'r', alg: 'RS256' };
    for (const body of [{ keys: [] }, { keys: [rsa] }, { keys: 7 }, null, { keys: [null, 1, 'x'] }]) {
      node.rest.jwks = () => json(body);
      await node.pass(361_000);
      expect(await node.verdict(node.key.token({ iat: NOW, exp: NOW + 900 }))).not.toBe('ERR_STALE');
      expect(node.curfew.lease().fresh).toBe(true);
    }
    expect(node.kinds()).toContain('jwks-failed');
  });

  it.each<[string, Record<string, unknown>]>([
    ['no alg', { alg: undefined }],
    ['another alg', { alg: 'ES384' }],
    ['another use', { use: 'enc' }],
    ['another curve', { crv: 'P-384' }],
    ['no point', { x: 'AAAA' }],
    ['a kid that is no text', { kid: 7 }],
  ])('takes no key that has %s', async (_, changes) => {
    const node = await NodeUnderTest.ready({}, ({ rest, key }) => {
      rest.jwks = () => json({ keys: [{ ...key.jwk(), ...changes }, new SigningKey('k9').jwk()] });
    });
    expect(await node.verdict(node.key.token())).toBe('ERR_TOKEN_REFUSED');
  });

  it('is not disturbed by a listener that throws or rejects', async () => {
    const onDiagnostic = jest.fn<() => void>();
    onDiagnostic.mockImplementationOnce(() => {
      throw new Error('from the listener');
    });
    onDiagnostic.mockImplementation(() => Promise.reject(new Error('later')) as unknown as void);
    const node = await NodeUnderTest.ready({ onDiagnostic });
    node.watch.last.end('gone');
    await node.pass(2_000);
    expect(onDiagnostic.mock.calls.length).toBeGreaterThan(1);
    expect(node.curfew.lease().fresh).toBe(true);
  });

  it('refuses everything after close, which can be called again and leaves no timer', async () => {
    const node = await NodeUnderTest.ready();
    const token = node.key.token();
    expect(await node.verdict(token)).toBe('accepted');
    const waiting = NodeUnderTest.unanswered();
    const outcome = expect(waiting.curfew.ready()).rejects.toMatchObject({ code: 'ERR_STALE' });
    await Promise.all([node.curfew.close(), node.curfew.close(), waiting.curfew.close()]);
    await outcome;
    expect(await node.verdict(token)).toBe('ERR_STALE');
    await expect(node.curfew.ready()).rejects.toMatchObject({ code: 'ERR_STALE' });
    await expect(node.curfew.sessions.get('s')).rejects.toMatchObject({ code: 'ERR_UNAVAILABLE' });
    expect(node.watch.last.destroyed).toBe(true);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('close ends calls under way', async () => {
    const node = await NodeUnderTest.ready();
    await node.goStale();
    node.rest.introspect = () => new Promise(() => undefined);
    const verdict = node.verdict(node.key.token());
    await node.pass(10);
    await node.curfew.close();
    expect(await verdict).toBe('ERR_STALE');
    expect(jest.getTimerCount()).toBe(0);
  });
});

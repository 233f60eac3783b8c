import type { IssuedSession } from '#contracts';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { callerOf, TestApplication } from '../../testing/application.spec-support.js';

describe('IntrospectToken', () => {
  let app: TestApplication;
  let session: IssuedSession;
  const token = () => session.accessToken ?? '';
  beforeEach(async () => {
    app = new TestApplication();
    session = await app.create({ sub: 'user-1' });
  });
  const inactive = { active: false, barrierAgeMs: 8 };

  it('is decided on the stream: revoked is inactive at once', async () => {
    expect(await app.introspect(token())).toMatchObject({ active: true });
    await app.revoke({ sid: session.sid });
    expect(await app.introspect(token())).toEqual(inactive);
  });

  it('G2: applies the instance’s own deny-list as well, since the read may have touched a deposed primary', async () => {
    app.denied.add(session.sid);
    expect(await app.introspect(token())).toEqual(inactive);
  });

  it('an expired token and a token of an expired session are inactive, without any sweeper', async () => {
    app.now += 300_000;
    expect(await app.introspect(token())).toEqual(inactive);
  });

  it('another audience, another tenant, garbage and an altered token are inactive and say nothing more', async () => {
    expect(await app.introspect(token(), callerOf('default', { audiences: ['other'] }))).toEqual(inactive);
    expect(await app.introspect(token(), callerOf('other'))).toEqual(inactive);
    for (const text of ['', 'x', token().slice(1), `${token()}0`])
      expect(await app.introspect(text)).toEqual(inactive);
    expect(await app.introspect(token(), callerOf('default', { audiences: ['*'] }))).toMatchObject({
      active: true,
    });
  });

  it('G2: waits for a barrier when the last one is older than 100 ms, and applies what it showed', async () => {
    let barriers = 0;
    app.barrier = () => {
      barriers += 1;
      app.barrierAge = 3;
      app.denied.add(session.sid);
    };
    app.barrierAge = 100;
    expect(await app.introspect(token())).toMatchObject({ active: true, barrierAgeMs: 100 });
    app.barrierAge = 100.5;
    expect(await app.introspect(token())).toEqual({ active: false, barrierAgeMs: 3 });
    expect(barriers).toBe(1);
  });

  it('costs no barrier for what is no token of ours', async () => {
    app.barrierAge = 1_000;
    app.barrier = () => Promise.reject(new Error('not needed'));
    expect(await app.introspect('x')).toEqual({ active: false, barrierAgeMs: 1_000 });
  });

  it('refuses a key at once that has 192 under way, until one of them is answered, and no other key', async () => {
    app.barrierAge = 1_000;
    const waiting: (() => void)[] = [];
    app.barrier = () => new Promise((resolve) => waiting.push(resolve));
    const all = Array.from({ length: 192 }, () => app.introspect(token()));
    await expect(app.introspect(token())).rejects.toMatchObject({ code: 'ERR_OVERLOADED' });
    all.push(app.introspect(token(), callerOf('default', { keyId: 'another' })));
    await new Promise(setImmediate);
    for (const answer of waiting) answer();
    expect(await Promise.all(all)).toHaveLength(193);
    app.barrierAge = 0;
    expect(await app.introspect(token())).toMatchObject({ active: true });
  });

  it('the history names what happened and withholds hashes, salts, key ids and personal data', async () => {
    await app.refresh({
      refreshToken: session.refreshToken,
      device: { userAgent: 'Secret/1' },
      idempotencyKey: 'k'.repeat(22),
    });
    await app.revoke({ sid: session.sid, reason: 'user', note: 'private' });
    const { events } = await app.history(session.sid);
    expect(events.map(({ type }) => type)).toEqual(['session.created', 'session.rotated', 'session.revoked']);
    const text = JSON.stringify(events);
    for (const name of ['Hash', 'salt', 'KeyId', 'pepper', 'device', 'note', 'Secret'])
      expect(text).not.toContain(name);
    const open = await app.history(
      session.sid,
      callerOf('default', { scopes: ['audit:read', 'personal-data:read'] }),
    );
    expect(JSON.stringify(open)).toContain('Secret/1');
    await expect(app.history(session.sid, callerOf('other'))).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
    });
    await expect(app.history('0'.repeat(32))).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });
});

import { beforeEach, describe, expect, it } from '@jest/globals';
import { callerOf, contextOf, TestApplication } from '../../testing/application.spec-support.js';

const KEY = 'a-key-of-128-random-bits';

describe('revoke-all', () => {
  let app: TestApplication;
  beforeEach(() => {
    app = new TestApplication();
  });

  const login = (sub = 'user-1', client?: string) =>
    app.create({ sub, ...(client === undefined ? {} : { client }) });
  const refreshes = async (session: { refreshToken: string }) =>
    app.refresh({ refreshToken: session.refreshToken }).then(
      () => true,
      () => false,
    );
  const isActive = async ({ accessToken }: { accessToken?: string }) =>
    (await app.introspect(accessToken!)).active;

  it('G5: ends all sessions of a user with one event, and those of no other', async () => {
    const [a, b, other] = [await login(), await login(), await login('user-2')];
    const answer = await app.revokeAll({ scope: 'user', sub: 'user-1' });

    expect(answer).toMatchObject({ epoch: 1, repeated: false });
    expect(await Promise.all([a, b, other].map(isActive))).toEqual([false, false, true]);
    expect(await Promise.all([a, b, other].map(refreshes))).toEqual([false, false, true]);
    expect(await app.types(a.sid)).toEqual(['session.created']);
    expect(await app.get(a.sid)).toMatchObject({ status: 'revoked', endedReason: 'scope', endedBy: 'admin' });
  });

  it.each([
    ['client', { scope: 'client', client: 'phone' }, [true, false, true]],
    ['tenant', { scope: 'tenant' }, [false, false, false]],
    ['global', { scope: 'global' }, [false, false, false]],
  ] as const)('ends all sessions of a %s', async (_, input, alive) => {
    const sessions = [await login(), await login('user-1', 'phone'), await login('user-2')];
    await app.revokeAll(input, contextOf(callerOf(input.scope === 'global' ? '*' : 'default')));
    expect(await Promise.all(sessions.map(isActive))).toEqual(alive);
  });

  it('G5: what is created after it lives', async () => {
    await app.revokeAll({ scope: 'tenant' });
    const session = await login();
    expect(await isActive(session)).toBe(true);
    expect(await refreshes(session)).toBe(true);
  });

  it('spares the excepted, which adopts the new epoch at its next rotation', async () => {
    const [me, other] = [await login(), await login()];
    await app.revokeAll({ scope: 'user', sub: 'user-1', except: [me.sid] });
    expect(await Promise.all([me, other].map(isActive))).toEqual([true, false]);
    const next = await app.refresh({ refreshToken: me.refreshToken });
    await app.revokeAll({ scope: 'user', sub: 'user-1', except: [me.sid] });
    expect(await isActive(next)).toBe(true);
    await app.revokeAll({ scope: 'user', sub: 'user-1' });
    expect(await isActive(next)).toBe(false);
    expect(await refreshes(next)).toBe(false);
  });

  it('lets exactly one of two that spare only themselves win', async () => {
    const [a, b] = [await login(), await login()];
    const spare = (sid: string) => app.revokeAll({ scope: 'user', sub: 'user-1', except: [sid] });
    const outcomes = await Promise.allSettled([spare(a.sid), spare(b.sid)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'ERR_EXCEPTION_NOT_ALIVE' },
    });
    expect((await Promise.all([a, b].map(isActive))).filter(Boolean)).toHaveLength(1);
  });

  it('G1: an exception brings nothing back', async () => {
    const [a, revoked] = [await login(), await login()];
    await app.revoke({ sid: revoked.sid });
    await app.revokeAll({ scope: 'user', sub: 'user-1' });
    for (const { sid } of [a, revoked]) {
      await expect(app.revokeAll({ scope: 'user', sub: 'user-1', except: [sid] })).rejects.toMatchObject({
        code: 'ERR_EXCEPTION_NOT_ALIVE',
        field: 'except',
      });
    }
    expect(await isActive(a)).toBe(false);
  });

  it('answers a repeated key with the first revocation, and raises nothing', async () => {
    const first = await app.revokeAll({ scope: 'user', sub: 'user-1', idempotencyKey: KEY });
    const session = await login();
    const again = await app.revokeAll({ scope: 'user', sub: 'user-1', idempotencyKey: KEY });
    expect(again).toEqual({ ...first, repeated: true, position: expect.any(String) });
    expect(await isActive(session)).toBe(true);
  });

  it('G4: reuse of a refresh token after it is refused and is no theft', async () => {
    const session = await login();
    await app.refresh({ refreshToken: session.refreshToken });
    await app.revokeAll({ scope: 'user', sub: 'user-1' });
    app.now += 60_000;
    expect(await refreshes(session)).toBe(false);
    expect(await app.types(session.sid)).toEqual(['session.created', 'session.rotated']);
  });

  it('says of a session that it ended before it was revoked by its id', async () => {
    const session = await login();
    await app.revokeAll({ scope: 'user', sub: 'user-1' });
    expect(await app.revoke({ sid: session.sid })).toMatchObject({ revoked: false });
  });

  it.each([
    ['a user without sub', { scope: 'user' }, 'sub'],
    ['a client without client', { scope: 'client' }, 'client'],
    ['a tenant with sub', { scope: 'tenant', sub: 'user-1' }, 'sub'],
    ['global with a tenant', { scope: 'global', tenant: 'default' }, 'tenant'],
  ] as const)('refuses %s, and names the field', async (_, input, field) => {
    await expect(app.revokeAll(input, contextOf(callerOf('*')))).rejects.toMatchObject({
      code: 'ERR_VALIDATION',
      field,
    });
  });

  it('G10: needs scopes:revoke beyond a user, every tenant for global, and sees no other tenant', async () => {
    const mayEndOne = contextOf(callerOf('default', { scopes: ['sessions:revoke'] }));
    await app.revokeAll({ scope: 'user', sub: 'user-1' }, mayEndOne);
    await expect(app.revokeAll({ scope: 'tenant' }, mayEndOne)).rejects.toMatchObject({
      code: 'ERR_FORBIDDEN',
    });
    await expect(app.revokeAll({ scope: 'global' })).rejects.toMatchObject({ code: 'ERR_FORBIDDEN' });
    await expect(app.revokeAll({ scope: 'tenant', tenant: 'other' })).rejects.toMatchObject({
      code: 'ERR_NOT_FOUND',
    });
    const foreign = await app.create({ sub: 'user-1' }, contextOf(callerOf('other')));
    await expect(
      app.revokeAll({ scope: 'user', sub: 'user-1', except: [foreign.sid] }),
    ).rejects.toMatchObject({ code: 'ERR_EXCEPTION_NOT_ALIVE' });
  });
});

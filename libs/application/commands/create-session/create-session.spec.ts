import { beforeEach, describe, expect, it } from '@jest/globals';
import { callerOf, contextOf, TestApplication } from '../../testing/application.spec-support.js';

const KEY = 'create-key-0123456789abcdef';

describe('CreateSession', () => {
  let app: TestApplication;
  beforeEach(() => {
    app = new TestApplication();
  });
  const code = (attempt: Promise<unknown>) =>
    attempt.then(
      () => 'ok',
      (error: unknown) => (error as { code: string }).code,
    );
  const statusOf = async (sid: string) => (await app.types(sid)).at(-1);

  it('admits and creates in one append', async () => {
    const { sid, gen, accessToken } = await app.create({ sub: 'user-1', roles: ['admin'] });
    expect(gen).toBe(0);
    expect(await app.types(sid)).toEqual(['session.created']);
    expect(await app.introspect(accessToken ?? '')).toMatchObject({
      active: true,
      claims: { sub: 'user-1', tenant: 'default', client_id: 'default', roles: ['admin'], sid },
      barrierAgeMs: 8,
    });
  });

  it('a repeated create ends the session that was not delivered and makes a new one', async () => {
    const lost = await app.create({ sub: 'user-1', idempotencyKey: KEY });
    const delivered = await app.create({ sub: 'user-1', idempotencyKey: KEY });
    expect(delivered.sid).not.toBe(lost.sid);
    expect(await statusOf(lost.sid)).toBe('session.revoked');
    expect(await statusOf(delivered.sid)).toBe('session.created');
  });

  it('two creates with one key at once: one session lives, the older attempt gets 409', async () => {
    const outcomes = await Promise.all([
      code(app.create({ sub: 'user-1', idempotencyKey: KEY })),
      code(app.create({ sub: 'user-1', idempotencyKey: KEY })),
    ]);
    expect(outcomes.sort()).toEqual(['ERR_CREATE_SUPERSEDED', 'ok']);
  });

  it('concurrent logins of one user all succeed', async () => {
    const sessions = await Promise.all(Array.from({ length: 20 }, () => app.create({ sub: 'user-1' })));
    expect(new Set(sessions.map(({ sid }) => sid)).size).toBe(20);
  });

  it('puts an idle session on record as expired, once', async () => {
    const { sid } = await app.create({ sub: 'user-1' });
    app.now += 15 * 86_400_000;
    await app.create({ sub: 'user-1' });
    await app.create({ sub: 'user-1' });
    expect(await app.types(sid)).toEqual(['session.created', 'session.expired']);
  });

  it('replaces a session only in its own tenant, and only with sessions:revoke', async () => {
    const old = await app.create({ sub: 'user-1' });
    const foreign = contextOf(callerOf('other'));
    await app.create({ sub: 'user-1', replaces: old.sid }, foreign);
    expect(await statusOf(old.sid)).toBe('session.created');
    const issuer = contextOf(callerOf('default', { scopes: ['sessions:issue'] }));
    expect(await code(app.create({ sub: 'user-1', replaces: old.sid }, issuer))).toBe('ERR_FORBIDDEN');
    await app.create({ sub: 'user-2', replaces: old.sid });
    expect(await statusOf(old.sid)).toBe('session.revoked');
  });

  it('names the field: an e-mail address as sub, an unknown tenant, no tenant for a key bound to several, too large claims', async () => {
    expect(await code(app.create({ sub: 'a@b.example' }))).toBe('ERR_VALIDATION');
    expect(await code(app.create({ sub: 'u', tenant: 'other' }))).toBe('ERR_NOT_FOUND');
    const several = contextOf(callerOf('a', { tenants: ['a', 'b'] }));
    expect(await code(app.create({ sub: 'u' }, several))).toBe('ERR_TENANT_REQUIRED');
    expect(await code(app.create({ sub: 'u', tenant: 'b' }, several))).toBe('ok');
    expect(await code(app.create({ sub: 'u', claims: { x: 'y'.repeat(3_000) } }))).toBe(
      'ERR_CLAIMS_TOO_LARGE',
    );
  });

  it('user 42 of one tenant is not user 42 of another', async () => {
    const ours = await app.create({ sub: '42', idempotencyKey: KEY });
    await app.create({ sub: '42', idempotencyKey: KEY }, contextOf(callerOf('other')));
    expect(await statusOf(ours.sid)).toBe('session.created');
  });
});

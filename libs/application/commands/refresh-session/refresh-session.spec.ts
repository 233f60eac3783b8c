import type { IssuedSession } from '#contracts';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { callerOf, contextOf, TestApplication } from '../../testing/application.spec-support.js';

const SEED = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

describe('RefreshSession', () => {
  let app: TestApplication;
  let created: IssuedSession;

  beforeEach(async () => {
    app = new TestApplication();
    created = await app.create({ sub: 'user-1', claims: { plan: 'gold' } });
  });
  const code = (attempt: Promise<unknown>) =>
    attempt.then(
      () => 'ok',
      (error: unknown) => (error as { code: string }).code,
    );

  it('rotates: a new refresh token and an access token of the next generation', async () => {
    app.now += 60_000;
    const rotated = await app.refresh({ refreshToken: created.refreshToken });
    expect(rotated).toMatchObject({ sid: created.sid, gen: 1, accessExpiresAt: (app.now + 300_000) / 1000 });
    expect(rotated.refreshToken).not.toBe(created.refreshToken);
    const introspection = await app.introspect(rotated.accessToken ?? '');
    expect(introspection).toMatchObject({ active: true, claims: { gen: 1, claims: { plan: 'gold' } } });
  });

  it('G3: a retry with the stored key gets the same successor, with the expiry of the first answer', async () => {
    const first = await app.refresh({ refreshToken: created.refreshToken, idempotencyKey: 'k'.repeat(22) });
    app.now += 250_000;
    const again = await app.refresh({ refreshToken: created.refreshToken, idempotencyKey: 'k'.repeat(22) });
    expect(again).toMatchObject({ refreshToken: first.refreshToken, accessExpiresAt: first.accessExpiresAt });
    expect(await app.types(created.sid)).toEqual([
      'session.created',
      'session.rotated',
      'session.rotation-replayed',
    ]);
  });

  it('a replay after the first access token has expired holds only the refresh token', async () => {
    const first = await app.refresh({ refreshToken: created.refreshToken, idempotencyKey: 'k'.repeat(22) });
    app.now += 86_400_000;
    const again = await app.refresh({ refreshToken: created.refreshToken, idempotencyKey: 'k'.repeat(22) });
    expect(again.refreshToken).toBe(first.refreshToken);
    expect(again).not.toHaveProperty('accessToken');
    expect(await app.refresh({ refreshToken: again.refreshToken })).toMatchObject({ gen: 2 });
  });

  it('a key that was used for the previous rotation is answered with 422 and writes nothing', async () => {
    const idempotencyKey = 'k'.repeat(22);
    const { refreshToken } = await app.refresh({ refreshToken: created.refreshToken, idempotencyKey });
    expect(await code(app.refresh({ refreshToken, idempotencyKey }))).toBe('ERR_IDEMPOTENCY_KEY_REUSED');
    expect(await app.types(created.sid)).toHaveLength(2);
  });

  it('G4: an old token after the grace ends the session, atomically, and alarms', async () => {
    const { refreshToken } = await app.refresh({ refreshToken: created.refreshToken });
    app.now += 11_000;
    expect(await code(app.refresh({ refreshToken: created.refreshToken }))).toBe('ERR_TOKEN_REFUSED');
    expect((await app.types(created.sid)).slice(-2)).toEqual(['session.theft-detected', 'session.revoked']);
    expect(app.alarms).toEqual(['theft-detected']);
    expect(await code(app.refresh({ refreshToken }))).toBe('ERR_TOKEN_REFUSED');
  });

  it('G4: also a token so old that the state has forgotten it', async () => {
    let { refreshToken } = created;
    for (let round = 0; round < 5; round += 1) {
      app.now += 60_000;
      ({ refreshToken } = await app.refresh({ refreshToken }));
    }
    expect(await code(app.refresh({ refreshToken: created.refreshToken }))).toBe('ERR_TOKEN_REFUSED');
    expect(await app.types(created.sid)).toContain('session.theft-detected');
  });

  it('G1: a revoked session is refused, in the grace too, and nothing is written', async () => {
    const { refreshToken } = await app.refresh({ refreshToken: created.refreshToken });
    await app.revoke({ sid: created.sid });
    const before = await app.types(created.sid);
    for (const token of [refreshToken, created.refreshToken]) {
      expect(await code(app.refresh({ refreshToken: token }))).toBe('ERR_TOKEN_REFUSED');
    }
    expect(await app.types(created.sid)).toEqual(before);
  });

  it('G10: a token of another tenant is refused like one that does not exist, and ends nothing', async () => {
    await app.refresh({ refreshToken: created.refreshToken });
    app.now += 60_000;
    const foreign = contextOf(callerOf('other'));
    expect(await code(app.refresh({ refreshToken: created.refreshToken }, foreign))).toBe(
      'ERR_TOKEN_REFUSED',
    );
    expect(await app.types(created.sid)).not.toContain('session.theft-detected');
  });

  it('a command older than 5 s does not append', async () => {
    app.commandAge = 5_001;
    expect(await code(app.refresh({ refreshToken: created.refreshToken }))).toBe('ERR_TOO_LATE');
    expect(await app.types(created.sid)).toEqual(['session.created']);
  });

  it('G2: an answer that became too old after the append holds no access token', async () => {
    const append = app.log.append.bind(app.log);
    app.log.append = async (appends) => {
      const position = await append(appends);
      app.commandAge = 5_001;
      return position;
    };
    const late = await app.refresh({ refreshToken: created.refreshToken });
    expect(late).toMatchObject({ gen: 1 });
    expect(late).not.toHaveProperty('accessToken');
    expect(late).not.toHaveProperty('accessExpiresAt');
  });

  it('a replay that is too old is answered with 503', async () => {
    await app.refresh({ refreshToken: created.refreshToken, idempotencyKey: 'k'.repeat(22) });
    app.commandAge = 5_001;
    expect(
      await code(app.refresh({ refreshToken: created.refreshToken, idempotencyKey: 'k'.repeat(22) })),
    ).toBe('ERR_TOO_LATE');
  });

  it('also one that became too old while it was being answered: what it gives out may be superseded by then', async () => {
    const again = { refreshToken: created.refreshToken, idempotencyKey: 'k'.repeat(22) };
    await app.refresh(again);
    await app.refresh(again);
    let looks = 0;
    Object.defineProperty(app, 'commandAge', { get: () => ((looks += 1) > 1 ? 6_000 : 0) });
    expect(await code(app.refresh(again))).toBe('ERR_TOO_LATE');
  });

  it(`G3: 100 at once, with every kind of key, yield one rotation (seed ${SEED})`, async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        app.refresh({
          refreshToken: created.refreshToken,
          ...(index % 2 === 0 ? { idempotencyKey: `key-${index}-${SEED}`.padEnd(22, 'x') } : {}),
        }),
      ),
    );
    expect(new Set(answers.map(({ refreshToken }) => refreshToken)).size).toBe(1);
    expect((await app.types(created.sid)).filter((type) => type === 'session.rotated')).toHaveLength(1);
  });
});

import { beforeEach, describe, expect, it } from '@jest/globals';
import { callerOf, TestApplication } from '../../testing/application.spec-support.js';

describe('a session as it was', () => {
  let app: TestApplication;
  beforeEach(() => {
    app = new TestApplication();
  });

  it('is told as of an instant and as of a position', async () => {
    const created = await app.create({ sub: 'user-1' });
    const start = app.now;
    app.now += 60_000;
    const rotated = await app.refresh({ refreshToken: created.refreshToken });
    app.now += 60_000;
    await app.revoke({ sid: created.sid });
    app.now += 60_000;

    expect(await app.getAt(created.sid, { at: start })).toMatchObject({ status: 'active', gen: 0 });
    expect(await app.getAt(created.sid, { at: start + 60_000 })).toMatchObject({ status: 'active', gen: 1 });
    expect(await app.getAt(created.sid, { at: app.now })).toMatchObject({ status: 'revoked', gen: 1 });
    expect(await app.getAt(created.sid, { atPosition: created.position })).toMatchObject({ gen: 0 });
    expect(await app.getAt(created.sid, { atPosition: rotated.position })).toMatchObject({
      status: 'active',
      gen: 1,
    });
  });

  it('is judged by the timeouts and mass revocations of then', async () => {
    const { sid } = await app.create({ sub: 'user-1' });
    const created = app.now;
    app.now += 60_000;
    await app.revokeAll({ scope: 'tenant' });
    expect(await app.getAt(sid, { at: created })).toMatchObject({ status: 'active' });
    expect(await app.getAt(sid, { at: app.now })).toMatchObject({ status: 'revoked', endedReason: 'scope' });
    const idle = await app.create({ sub: 'user-2' });
    const beforeItsEnd = app.now + app.settings.idleTimeout - 1;
    app.now = beforeItsEnd + 1;
    expect(await app.getAt(idle.sid, { at: beforeItsEnd })).toMatchObject({ status: 'active' });
    expect(await app.getAt(idle.sid, { at: beforeItsEnd + 1 })).toMatchObject({ status: 'expired' });
  });

  it('is unknown before its creation, to other tenants, and by no id', async () => {
    const { sid } = await app.create({ sub: 'user-1' });
    const unknown = { code: 'ERR_NOT_FOUND' };
    await expect(app.getAt(sid, { at: app.now - 1 })).rejects.toMatchObject(unknown);
    await expect(app.getAt(sid, { at: app.now }, callerOf('other'))).rejects.toMatchObject(unknown);
    await expect(app.getAt('nobody', { at: app.now })).rejects.toMatchObject(unknown);
  });

  it('as of a position is the moment just before the next event of the log', async () => {
    const first = await app.create({ sub: 'user-1' });
    app.now += app.settings.idleTimeout;
    const next = await app.create({ sub: 'user-2' });
    expect(await app.getAt(first.sid, { atPosition: first.position })).toMatchObject({ status: 'active' });
    expect(await app.getAt(first.sid, { atPosition: next.position })).toMatchObject({ status: 'expired' });
  });

  it('keeps the predecessors of what had happened, when two instances do not agree on the time', async () => {
    const created = await app.create({ sub: 'user-1' });
    app.now -= 500;
    const { sid } = await app.refresh({ refreshToken: created.refreshToken });
    expect(await app.getAt(sid, { at: app.now })).toMatchObject({ status: 'active', gen: 1 });
  });

  it('takes what a caller with a clock ahead calls now for now', async () => {
    const { sid } = await app.create({ sub: 'user-1' });
    app.now += app.settings.idleTimeout - 1;
    expect(await app.getAt(sid, { at: app.now + 30_000 })).toMatchObject({ status: 'active' });
  });

  it('refuses the future and positions of another log, and names the field', async () => {
    const { sid } = await app.create({ sub: 'user-1' });
    await expect(app.getAt(sid, { at: app.now + 60_001 })).rejects.toMatchObject({
      code: 'ERR_VALIDATION',
      field: 'at',
    });
    for (const atPosition of ['zzz', '99999999999999999999:0000000000000000001']) {
      await expect(app.getAt(sid, { atPosition })).rejects.toMatchObject({
        code: 'ERR_VALIDATION',
        field: 'atPosition',
      });
    }
  });

  it('needs exactly one of an instant and a position', async () => {
    const { sid, position } = await app.create({ sub: 'user-1' });
    const invalid = { code: 'ERR_VALIDATION', field: 'at' };
    await expect(app.getAt(sid, {})).rejects.toMatchObject(invalid);
    await expect(app.getAt(sid, { at: 1, atPosition: position })).rejects.toMatchObject(invalid);
  });
});

describe("a user's sessions as they were", () => {
  it('are those admitted until then, newest first, in pages, also those that have ended since', async () => {
    const app = new TestApplication();
    const sids: string[] = [];
    for (let i = 0; i < 7; i += 1) {
      sids.unshift((await app.create({ sub: 'user-1' })).sid);
      app.now += 1_000;
    }
    const then = app.now;
    await app.revoke({ sid: sids[2]! });
    app.now += 1_000;
    await app.create({ sub: 'user-1' });

    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await app.listAt({ sub: 'user-1', at: then - 1, limit: 3, ...(cursor && { cursor }) });
      expect(page.sessions.length).toBeLessThanOrEqual(3);
      seen.push(...page.sessions.map(({ sid }) => sid));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(sids);

    const now = await app.listAt({ sub: 'user-1', at: app.now });
    expect(now.sessions).toHaveLength(7);
    const all = await app.listAt({ sub: 'user-1', at: app.now, includeEnded: true });
    expect(all.sessions).toHaveLength(8);
  });

  it('end for whoever pages from beyond the end', async () => {
    const app = new TestApplication();
    await app.create({ sub: 'user-1' });
    const page = await app.listAt({ sub: 'user-1', at: app.now, cursor: '999999999' });
    expect(page.sessions).toHaveLength(1);
    expect(page).not.toHaveProperty('nextCursor');
  });

  it('are none for a user of another tenant', async () => {
    const app = new TestApplication();
    await app.create({ sub: 'user-1' });
    expect(await app.listAt({ sub: 'user-1', at: app.now }, callerOf('other'))).toEqual({ sessions: [] });
  });
});

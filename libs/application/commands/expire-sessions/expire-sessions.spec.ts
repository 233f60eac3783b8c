import { beforeEach, describe, expect, it } from '@jest/globals';
import { TestApplication } from '../../testing/application.spec-support.js';

describe('the sweeper', () => {
  let app: TestApplication;
  beforeEach(() => {
    app = new TestApplication();
  });

  it('puts on record what time has ended, once, with the time at which it ended', async () => {
    const { sid } = await app.create({ sub: 'user-1' });
    const deadline = app.now + app.settings.idleTimeout;
    app.now = deadline + 5_000;
    expect(await app.expire(sid)).toMatchObject({ expired: 1 });
    expect(await app.expire(sid)).toMatchObject({ expired: 0 });
    const { events } = await app.log.readStream(`session-${sid}`);
    expect(events.map(({ type }) => type)).toEqual(['session.created', 'session.expired']);
    expect(events[1]).toMatchObject({
      data: { reason: 'idle', at: deadline },
      metadata: { actor: { kind: 'system', id: 'sweeper' }, initiator: 'policy', recordedAt: app.now },
    });
  });

  it('decides by the stream, not by the view that named the session', async () => {
    const { sid, refreshToken } = await app.create({ sub: 'user-1' });
    app.now += app.settings.idleTimeout - 1;
    await app.refresh({ refreshToken });
    app.now += 1;
    expect(await app.expire(sid)).toMatchObject({ expired: 0 });
    expect(await app.types(sid)).toEqual(['session.created', 'session.rotated']);
  });

  it('G1: expiry holds at every use while the sweeper is off', async () => {
    const { sid, refreshToken, accessToken } = await app.create({ sub: 'user-1' });
    app.now += app.settings.idleTimeout;
    await expect(app.refresh({ refreshToken })).rejects.toMatchObject({ code: 'ERR_TOKEN_REFUSED' });
    expect(await app.introspect(accessToken!)).toMatchObject({ active: false });
    expect(await app.get(sid)).toMatchObject({ status: 'expired', endedReason: 'idle' });
    expect(await app.types(sid)).toEqual(['session.created']);
  });

  it('appends nothing when the command has become too old', async () => {
    const { sid } = await app.create({ sub: 'user-1' });
    app.now += app.settings.idleTimeout;
    app.commandAge = 5_001;
    expect(await app.expire(sid)).toMatchObject({ expired: 0 });
    expect(await app.types(sid)).toEqual(['session.created']);
  });
});

import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { IssuedSession } from '#contracts';
import { callerOf, contextOf, TestApplication } from '../../testing/application.spec-support.js';

describe('RevokeSession', () => {
  let app: TestApplication;
  let session: IssuedSession;
  beforeEach(async () => {
    app = new TestApplication();
    session = await app.create({ sub: 'user-1' });
  });

  it('G1: ends the session, once', async () => {
    expect(await app.revoke({ sid: session.sid })).toMatchObject({ revoked: true });
    expect(await app.revoke({ sid: session.sid })).toMatchObject({ revoked: false });
    expect(await app.types(session.sid)).toEqual(['session.created', 'session.revoked']);
  });

  it('G2: "it had ended before" is answered only behind a durable write: the end may be one that nobody acknowledged', async () => {
    await app.revoke({ sid: session.sid });
    const confirm = jest.spyOn(app.log, 'confirm').mockRejectedValueOnce(new Error('deposed'));
    await expect(app.revoke({ sid: session.sid })).rejects.toThrow('deposed');
    await app.revoke({ sid: session.sid });
    expect(confirm).toHaveBeenCalledTimes(2);
  });

  it('G10: answers as for an unknown session: another tenant, another user, no session id', async () => {
    const notFound = { code: 'ERR_NOT_FOUND' };
    const foreign = contextOf(callerOf('other'));
    await expect(app.revoke({ sid: session.sid }, foreign)).rejects.toMatchObject(notFound);
    await expect(app.revoke({ sid: session.sid, sub: 'user-2' })).rejects.toMatchObject(notFound);
    await expect(app.revoke({ sid: '0'.repeat(32) })).rejects.toMatchObject(notFound);
    await expect(app.revoke({ sid: 'nonsense' })).rejects.toMatchObject(notFound);
    expect(await app.types(session.sid)).toEqual(['session.created']);
  });

  it('a command older than 5 s does not append', async () => {
    app.commandAge = 5_001;
    await expect(app.revoke({ sid: session.sid })).rejects.toMatchObject({ code: 'ERR_TOO_LATE' });
    expect(await app.types(session.sid)).toEqual(['session.created']);
  });
});

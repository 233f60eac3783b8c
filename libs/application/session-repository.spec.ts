import { beforeEach, describe, expect, it } from '@jest/globals';
import { TestApplication } from './testing/application.spec-support.js';
import { SessionRepository } from './session-repository.js';

describe('loading', () => {
  let app: TestApplication;
  beforeEach(() => {
    app = new TestApplication();
  });

  /** A session after so many rotations. */
  const rotated = async (times: number) => {
    let session = await app.create({ sub: 'user-1' });
    for (let i = 0; i < times; i += 1) {
      app.now += 60_000;
      session = await app.refresh({ refreshToken: session.refreshToken });
    }
    return session;
  };

  /** Counts the events that a load folds. */
  const eventsRead = async (sid: string): Promise<number> => {
    const tails = await app.log.readTails([`session-${sid}`], '1');
    return tails.get(`session-${sid}`)!.events.length;
  };

  it('folds a few events, however often the session was refreshed', async () => {
    for (const times of [0, 1, 7, 8, 9, 40, 100]) {
      const { sid } = await rotated(times);
      expect(await eventsRead(sid)).toBeLessThanOrEqual(9);
    }
  });

  it('gives the same with snapshots as without', async () => {
    const { sid } = await rotated(30);
    const whole = await app.log.readStream(`session-${sid}`);
    const loaded = await app.sessions.load(sid);
    const { events } = whole;
    const afresh = new TestApplication();
    await afresh.log.append([{ stream: `session-${sid}`, expectedRevision: -1, events }]);
    const folded = await new SessionRepository(afresh.log).load(sid);
    expect(loaded.state).toEqual(folded.state);
    expect(loaded.revision).toBe(30);
    expect(loaded.position).toBe(events.at(-1)!.position);
  });

  it('finds a generation that the state no longer keeps, behind replays too', async () => {
    const first = await app.create({ sub: 'user-1' });
    let session = first;
    for (let i = 0; i < 300; i += 1) {
      const before = session;
      app.now += 60_000;
      session = await app.refresh({ refreshToken: before.refreshToken });
      if (i % 3 === 0) await app.refresh({ refreshToken: before.refreshToken });
    }
    for (const gen of [0, 1, 2, 150, 299, 300]) {
      expect(await app.sessions.loadGeneration(first.sid, gen)).toMatchObject({ gen });
    }
    expect(await app.sessions.loadGeneration(first.sid, 301)).toBeUndefined();
  });

  it('loads the epochs of a session that this instance has not seen before', async () => {
    const { sid } = await app.create({ sub: 'user-1' });
    await app.revokeAll({ scope: 'user', sub: 'user-1' });
    await app.revokeAll({ scope: 'tenant' });
    const repository = new SessionRepository(app.log);
    for (let i = 0; i < 2; i += 1) {
      const { scopes } = await repository.load(sid);
      expect(scopes.map(({ epoch }) => epoch)).toEqual([1, 0, 1, 0]);
    }
  });
});

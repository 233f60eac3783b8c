import { describe, expect, it } from '@jest/globals';
import type { RecordedEvent } from './ports/event-log.port.js';
import { TestApplication } from './testing/application.spec-support.js';

/** An event as a version without epochs stored it. */
function withoutEpochs({
  stream: _stream,
  revision: _revision,
  position: _position,
  ...event
}: RecordedEvent) {
  const data = Object.fromEntries(Object.entries(event.data).filter(([name]) => name !== 'ep'));
  return { ...event, schemaVersion: 1, data };
}

describe('a log that was written before there were epochs', () => {
  it('goes on: its sessions are refreshed, its users sign in again, and mass revocation reaches both', async () => {
    const before = new TestApplication();
    const old = await before.create({ sub: 'user-1', idempotencyKey: 'a-key-of-128-random-bits' });
    const app = new TestApplication();
    for (const stream of ['scope-user-default:user-1', `session-${old.sid}`]) {
      const { events } = await before.log.readStream(stream);
      expect(events).toHaveLength(1);
      await app.stored.append([{ stream, expectedRevision: -1, events: events.map(withoutEpochs) }]);
    }

    const refreshed = await app.refresh({ refreshToken: old.refreshToken });
    expect(refreshed.gen).toBe(1);
    // The same key: the session that was not delivered ends, so its slot was found.
    const again = await app.create({ sub: 'user-1', idempotencyKey: 'a-key-of-128-random-bits' });
    expect(await app.get(old.sid)).toMatchObject({ status: 'revoked', endedReason: 'policy' });
    expect((await app.introspect(again.accessToken!)).active).toBe(true);
    await app.revokeAll({ scope: 'user', sub: 'user-1' });
    expect((await app.introspect(again.accessToken!)).active).toBe(false);
  });
});

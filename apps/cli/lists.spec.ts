import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { json, openFakeDoor, type FakeDoor } from './testing/fake-door.js';

let door: FakeDoor;
beforeAll(async () => {
  door = await openFakeDoor();
});
beforeEach(() => door.reset());
afterAll(() => door.close());
const cells = (out: string) => out.split('\n').map((line) => line.split(/\s{2,}/));

describe('curfew sessions list', () => {
  const session = {
    sid: 's1',
    client: 'web',
    status: 'active',
    createdAt: 0,
    lastSeenAt: 60,
    device: { name: 'Phone' },
  };
  const ended = { ...session, sid: 's2', status: 'revoked', endedAt: 120, endedReason: 'logout', device: {} };

  it('lists as a table or as JSON', async () => {
    const page = { sessions: [session, ended], nextCursor: 'c2' };
    door.reply = () => json(page);
    const { code, out } = await door.run(['sessions', 'list', '--user', 'u/1', '--ended', '--limit', '2']);
    expect(code).toBe(0);
    expect(cells(out)).toEqual([
      ['SID', 'CLIENT', 'CREATED', 'LAST SEEN', 'STATE', 'DEVICE'],
      ['s1', 'web', '1970-01-01 00:00', '1970-01-01 00:01', 'active', 'Phone'],
      ['s2', 'web', '1970-01-01 00:00', '1970-01-01 00:01', 'revoked 1970-01-01 00:02 (logout)'],
      [''],
      ['more: --cursor c2'],
    ]);
    const { out: text } = await door.run('sessions list --user u --tenant acme --cursor c2 --json');
    expect(JSON.parse(text)).toEqual(page);
    expect(door.seen.map(({ url }) => url)).toEqual([
      '/v1/users/u%2F1/sessions?includeEnded=true&limit=2',
      '/v1/users/u/sessions?tenant=acme&cursor=c2',
    ]);
  });

  it('asks the log with --at, and sends the instant as it is', async () => {
    door.reply = () => json({ sessions: [] });
    const { out } = await door.run('sessions list --user u --at 2026-11-23T14:00:00+02:00 --tenant acme');
    expect(cells(out).length).toBe(1);
    expect(door.seen[0]?.url).toBe(
      '/v1/audit/users/u/sessions?tenant=acme&at=2026-11-23T14%3A00%3A00%2B02%3A00',
    );
  });

  it('wants a user', async () => {
    expect(await door.run('sessions list')).toMatchObject({ code: 2 });
    expect(door.seen).toEqual([]);
  });
});

describe('curfew feed', () => {
  const entry = {
    eventId: 'e',
    kind: 'session.theft-detected',
    at: 1_500,
    position: '5',
    tenant: 'default',
    sid: 's1',
    sub: 'u',
    detail: { gen: 3 },
  };

  it('lists as a table or as JSON', async () => {
    const page = { entries: [entry, { ...entry, kind: 'scope.revoked', sid: undefined, sub: undefined }] };
    door.reply = () => json(page);
    const { out } = await door.run('feed --tenant acme --limit 5 --cursor c');
    expect(cells(out)).toEqual([
      ['TIME', 'KIND', 'USER', 'SID', 'DETAIL'],
      ['1970-01-01 00:00:01', 'session.theft-detected', 'u', 's1', '{"gen":3}'],
      ['1970-01-01 00:00:01', 'scope.revoked', '{"gen":3}'],
    ]);
    expect(door.seen[0]?.url).toBe('/v1/security-feed?tenant=acme&limit=5&cursor=c');
    expect(JSON.parse((await door.run('feed --json')).out)).toEqual(JSON.parse(JSON.stringify(page)));
    expect(door.seen[1]?.url).toBe('/v1/security-feed');
  });
});

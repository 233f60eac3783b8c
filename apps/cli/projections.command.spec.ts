import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { json, openFakeDoor, type FakeDoor, type Reply } from './testing/fake-door.js';

const LIVE = {
  name: 'counters',
  state: 'live',
  inline: false,
  version: 2,
  position: '7',
  lagMs: 0,
  lagEvents: 0,
};
const building = (eventsDone: number, version = 3) => ({
  ...LIVE,
  rebuild: { version, state: 'building', eventsDone, eventsTotal: 1_000 },
});
const ACCEPTED: Reply = { status: 202, body: '' };

let door: FakeDoor;
beforeAll(async () => {
  door = await openFakeDoor();
});
beforeEach(() => door.reset());
afterAll(() => door.close());

const isReply = (look: object | 'cut'): look is Reply => look === 'cut' || 'body' in look;
/** What the list says look by look (the last for ever); everything else is accepted. */
const looks = (...all: (object | 'cut')[]) => {
  door.reply = ({ method }) => {
    if (method !== 'GET') return ACCEPTED;
    const next = all.length > 1 ? all.shift()! : all[0]!;
    return isReply(next) ? next : json({ projections: [next] });
  };
};
const calls = () => door.seen.map(({ method, url }) => `${method} ${url}`);
const LIST = 'GET /v1/projections';
const REBUILD = 'POST /v1/projections/counters/rebuild';

describe('curfew projections list', () => {
  it('lists as a table or as JSON', async () => {
    const failure = { position: '8', eventId: 'e1', eventType: 'session.created', error: 'TypeError' };
    const projections = [
      { ...LIVE, name: 'sessions', inline: true },
      { ...building(450), state: 'paused', lagEvents: 12, lagMs: 1_500, failure },
    ];
    door.reply = () => json({ projections });
    const { out } = await door.run('projections list');
    expect(out.split('\n').map((line) => line.split(/\s{2,}/))).toEqual([
      ['NAME', 'STATE', 'VERSION', 'POSITION', 'LAG', 'REBUILD'],
      ['sessions', 'live', '2', '7', 'none'],
      ['counters', 'paused', '2', '7', '12 events, 1.5 s', 'version 3: 45 % (450 of 1,000 events)'],
      [''],
      ['counters is paused at session.created e1 (8): TypeError'],
    ]);
    expect(JSON.parse((await door.run('projections list --json')).out)).toEqual({ projections });
  });
});

describe('curfew projections rebuild', () => {
  const DONE = { ...LIVE, version: 3 };

  it('waits until the new version is live, and says a line for each tenth', async () => {
    looks(LIVE, building(0), building(50), building(130), building(190), building(1_000), DONE);
    const { code, out, err } = await door.run('projections rebuild counters');
    expect([code, err]).toEqual([0, '']);
    expect(out.split('\n')).toEqual([
      'counters version 3: 0 % (0 of 1,000 events)',
      'counters version 3: 13 % (130 of 1,000 events)',
      'counters version 3: 100 % (1,000 of 1,000 events)',
      'counters is rebuilt: version 3 is live',
    ]);
    expect(calls()).toEqual([LIST, REBUILD, ...Array<string>(6).fill(LIST)]);
  });

  it('draws a bar at a terminal, and wipes it out', async () => {
    looks(LIVE, building(0), building(500), DONE);
    const drawn: string[] = [];
    const { out } = await door.run('projections rebuild counters', { draw: (line) => drawn.push(line) });
    expect(drawn).toEqual([
      'counters [..............................] version 3: 0 % (0 of 1,000 events)',
      'counters [###############...............] version 3: 50 % (500 of 1,000 events)',
      '',
    ]);
    expect(out).toBe('counters is rebuilt: version 3 is live');
  });

  it('prints nothing but the result as JSON', async () => {
    looks(LIVE, building(500), DONE);
    expect(JSON.parse((await door.run('projections rebuild counters --json')).out)).toEqual(DONE);
  });

  it('goes on looking while the service restarts', async () => {
    looks(LIVE, building(10), 'cut', json({ code: 'ERR_UNAVAILABLE' }, 503), building(20), DONE);
    expect(await door.run('projections rebuild counters')).toMatchObject({ code: 0 });
  });

  it('says why a rebuild failed', async () => {
    const rebuild = { version: 3, state: 'failed', eventsDone: 5, eventsTotal: 9, error: 'TypeError' };
    looks(LIVE, building(1), { ...LIVE, rebuild });
    expect(await door.run('projections rebuild counters')).toMatchObject({
      code: 1,
      err: 'curfew: the rebuild of counters failed: version 3 failed: TypeError',
    });
  });

  it('does not wait for ever for what is not under way', async () => {
    looks(LIVE);
    expect(await door.run('projections rebuild counters')).toMatchObject({
      code: 1,
      err: 'curfew: no rebuild of counters is under way',
    });
  });

  it('gives up on what is not passing', async () => {
    looks(LIVE, building(1), json({ code: 'ERR_FORBIDDEN', title: 't' }, 403));
    expect(await door.run('projections rebuild counters')).toMatchObject({ code: 1 });
  });

  it('at Ctrl-C leaves it running, says so, and ends with 130', async () => {
    let interrupt: (() => void) | undefined;
    let released = false;
    looks(LIVE, building(100));
    const { code, err } = await door.run('projections rebuild counters', {
      pollMs: 60_000,
      print: () => interrupt?.(),
      onInterrupt: (callback) => {
        interrupt = callback;
        return () => (released = true);
      },
    });
    expect([code, released]).toEqual([130, true]);
    expect(err).toBe('curfew: the rebuild of counters goes on in the service: curfew projections list');
    expect(calls()).toEqual([LIST, REBUILD, LIST]);
  });

  it('at Ctrl-C does not wait for an answer that hangs', async () => {
    let interrupt: (() => void) | undefined;
    let answer: ((reply: Reply) => void) | undefined;
    door.reply = ({ method }) => {
      if (method !== 'GET') return ACCEPTED;
      if (door.seen.length === 1) return json({ projections: [LIVE] });
      interrupt?.();
      return new Promise<Reply>((resolve) => (answer = resolve));
    };
    const { code } = await door.run('projections rebuild counters', {
      onInterrupt: (callback) => {
        interrupt = callback;
        return () => undefined;
      },
    });
    expect(code).toBe(130);
    answer?.('cut');
  });

  it('does not wait with --no-wait', async () => {
    door.reply = () => ACCEPTED;
    const { code, out } = await door.run('projections rebuild counters --no-wait');
    expect([code, out]).toEqual([0, 'the rebuild of counters has begun; see curfew projections list']);
    expect(calls()).toEqual([REBUILD]);
  });

  it('says what the service refuses', async () => {
    door.reply = ({ method }) =>
      method === 'GET' ? json({ projections: [LIVE] }) : json({ code: 'ERR_NOT_FOUND', title: 't' }, 404);
    expect(await door.run(['projections', 'rebuild', '../x'])).toMatchObject({
      code: 1,
      err: 'curfew: ERR_NOT_FOUND: t',
    });
    expect(calls()[1]).toBe('POST /v1/projections/..%2Fx/rebuild');
  });
});

describe('curfew projections resume', () => {
  it('lets it try again', async () => {
    door.reply = () => ACCEPTED;
    expect(await door.run('projections resume counters')).toMatchObject({
      code: 0,
      out: 'counters tries again',
    });
    expect(calls()).toEqual(['POST /v1/projections/counters/resume']);
  });

  it('wants a name', async () => {
    expect(await door.run('projections resume')).toMatchObject({ code: 2 });
    expect(door.seen).toEqual([]);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { json, openFakeDoor, type FakeDoor, type Reply } from './testing/fake-door.js';

const DONE = { revocationId: 'r1', epoch: 4, repeated: false, position: '9.1' };
const SID = 'a'.repeat(32);

let door: FakeDoor;
beforeAll(async () => {
  door = await openFakeDoor();
});
beforeEach(() => {
  door.reset();
  door.reply = () => json(DONE);
});
afterAll(() => door.close());

/** Answers in turn; the last one for ever. */
const inTurn = (...replies: Reply[]) => {
  door.reply = () => (replies.length > 1 ? replies.shift()! : replies[0]!);
};

describe('curfew revoke', () => {
  it('ends one session, and says when it had ended before', async () => {
    door.reply = () => json({ revoked: true, position: '1' });
    expect(await door.run('revoke --sid a/b --tenant acme --reason logout')).toMatchObject({
      code: 0,
      out: 'ended session a/b',
    });
    door.reply = () => json({ revoked: false, position: '1' });
    expect((await door.run(`revoke --sid ${SID}`)).out).toBe(`session ${SID} had ended before`);
    expect(door.seen).toMatchObject([
      { method: 'DELETE', url: '/v1/sessions/a%2Fb?tenant=acme', body: { reason: 'logout' } },
      { method: 'DELETE', url: `/v1/sessions/${SID}`, body: undefined },
    ]);
  });

  it.each([
    ['--user u', { scope: 'user', sub: 'u' }, 'of user u'],
    ['--user u --tenant acme', { scope: 'user', sub: 'u', tenant: 'acme' }, 'of user u in tenant acme'],
    ['--client web --yes', { scope: 'client', client: 'web' }, 'of client web'],
    ['--tenant-wide --yes', { scope: 'tenant' }, "of the API key's tenant"],
    ['--tenant-wide --tenant acme --yes', { scope: 'tenant', tenant: 'acme' }, 'of tenant acme'],
    ['--all --yes --reason policy', { scope: 'global', reason: 'policy' }, 'of everyone, in every tenant'],
    [`--user u --except ${SID} b --yes`, { scope: 'user', sub: 'u', except: [SID, 'b'] }, 'of user u but 2'],
  ])('ends all of a scope: %s', async (words, body, described) => {
    const { code, out } = await door.run(`revoke ${words}`);
    expect([code, out]).toEqual([
      0,
      `ended every session ${described}\nrevocation r1, epoch 4, position 9.1`,
    ]);
    expect(door.seen).toMatchObject([{ method: 'POST', url: '/v1/revocations', body }]);
    expect(door.seen[0]?.body).toEqual(body);
  });

  it('prints the answer as JSON', async () => {
    expect(JSON.parse((await door.run('revoke --all --yes --json')).out)).toEqual(DONE);
  });

  it('sends 256 random bits as the Idempotency-Key, and others each time', async () => {
    await door.run('revoke --user u');
    await door.run('revoke --user u');
    const [first, second] = door.seen.map(({ idempotencyKey }) => idempotencyKey);
    expect(first).toMatch(/^[\w-]{43}$/);
    expect(second).toMatch(/^[\w-]{43}$/);
    expect(second).not.toBe(first);
  });

  it('repeats once, with the same key, when the answer is lost', async () => {
    inTurn('cut', json({ ...DONE, repeated: true }));
    expect(await door.run('revoke --all --yes')).toMatchObject({ code: 0, err: '' });
    expect(door.seen.length).toBe(2);
    expect(door.seen[1]).toEqual(door.seen[0]);
  });

  it('says that nobody knows when the second answer is lost, too', async () => {
    inTurn('cut');
    const { code, out, err } = await door.run('revoke --all --yes');
    expect([code, out]).toEqual([3, '']);
    expect(err).toContain('not known whether it was done');
    expect(door.seen.length).toBe(2);
  });

  it('does not repeat what was refused, or what never arrived', async () => {
    inTurn(json({ code: 'ERR_EXCEPTION_NOT_ALIVE', title: 't' }, 409));
    expect(await door.run(`revoke --user u --except ${SID}`)).toMatchObject({
      code: 1,
      err: 'curfew: ERR_EXCEPTION_NOT_ALIVE: t',
    });
    expect(door.seen.length).toBe(1);
    const env = { CURFEW_URL: 'http://127.0.0.1:1', CURFEW_API_KEY: 'cfk_x' };
    const { code, err } = await door.run('revoke --user u', { env });
    expect(code).toBe(3);
    expect(err).not.toContain('not known');
  });

  it.each(['--user u', '--client c', '--tenant-wide', '--all'])(
    'asks first at a terminal: %s',
    async (words) => {
      const asked: string[] = [];
      const answering = (answer: string) => (question: string) => {
        asked.push(question);
        return Promise.resolve(answer);
      };
      for (const no of ['', 'n', 'nope', 'yesterday'])
        expect(await door.run(`revoke ${words}`, { ask: answering(no) })).toEqual({
          code: 1,
          out: '',
          err: 'curfew: nothing was ended',
        });
      expect(door.seen).toEqual([]);
      for (const yes of ['y', 'YES ']) await door.run(`revoke ${words}`, { ask: answering(yes) });
      expect(door.seen.length).toBe(2);
      expect(asked[0]).toMatch(/^This ends every session of .*\? \[y\/N\] $/);
      asked.length = 0;
      await door.run(`revoke ${words} --yes`, { ask: answering('n') });
      expect([asked, door.seen.length]).toEqual([[], 3]);
    },
  );

  it('does not ask for one session', async () => {
    door.reply = () => json({ revoked: true });
    const ask = () => Promise.reject(new Error('asked'));
    expect((await door.run(`revoke --sid ${SID}`, { ask })).code).toBe(0);
  });

  it.each([
    ['nothing', '', 'say what to end'],
    ['two things', '--user u --client c', 'say what to end'],
    ['a session and all', `--sid ${SID} --all --yes`, 'say what to end'],
    ['exceptions of one session', `--sid ${SID} --except ${SID}`, '--except'],
    ['one tenant of everyone', '--all --tenant acme --yes', '--tenant'],
    ['a client without a terminal', '--client c', '--yes'],
    ['a tenant without a terminal', '--tenant-wide', '--yes'],
    ['everyone without a terminal', '--all', '--yes'],
    ["a reason that is the service's own", '--user u --reason theft', 'credential-changed'],
    ['no exceptions behind --except', '--user u --except', '--except'],
  ])('refuses %s with 2, and ends nothing', async (_name, words, complaint) => {
    const { code, out, err } = await door.run(`revoke ${words}`.trim());
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(complaint);
    expect(door.seen).toEqual([]);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { NodeReceipt, Receipt } from '#contracts';
import { json, openFakeDoor, type FakeDoor } from './testing/fake-door.js';

const SID = 'a'.repeat(32);
const node = (nodeId: string, state: NodeReceipt['state']): NodeReceipt => ({
  nodeId,
  state,
  via: 'watch',
  boundMs: 2_000,
  lastReportMs: Date.UTC(2026, 10, 23, 12),
});
const receipt = (...nodes: NodeReceipt[]): Receipt => ({
  id: SID,
  scope: 'session',
  position: '1',
  recordedAtMs: 5,
  complete: nodes.every(({ state }) => state !== 'outstanding'),
  nodes,
});
const REPORTING = receipt(node('api-1', 'applied'), node('api-22', 'outstanding'));
const COMPLETE = receipt(node('api-1', 'applied'), node('api-22', 'bounded'));

let door: FakeDoor;
beforeAll(async () => {
  door = await openFakeDoor();
});
beforeEach(() => {
  door.reset();
});
afterAll(() => door.close());

/** Ends at once what is to be ended; of the receipt it shows these, one after the other. */
const answering = (...receipts: Receipt[]) => {
  door.reply = ({ method }) =>
    method === 'GET'
      ? json(receipts.length > 1 ? receipts.shift() : receipts[0])
      : json({ revoked: true, revocationId: SID, position: '1' });
};
const withoutTimes = (out: string) => out.replace(/\d+ ms/g, 'N ms').split('\n');

describe('curfew revoke --wait', () => {
  it('prints nodes as they report, and ends with 0 when none is outstanding', async () => {
    answering(REPORTING, REPORTING, COMPLETE);
    const { code, out, err } = await door.run(`revoke --sid ${SID} --tenant acme --wait`);
    expect([code, err]).toEqual([0, '']);
    expect(withoutTimes(out)).toEqual([
      `ended session ${SID}`,
      'api-1   applied      N ms',
      'api-22  bounded      N ms',
      '2 nodes: 1 applied, 1 bounded, 0 outstanding after N ms',
    ]);
    expect(door.seen.map(({ url }) => url?.replace(/timeout=\d+/, 'timeout=N'))).toEqual([
      `/v1/sessions/${SID}?tenant=acme`,
      ...Array<string>(3).fill(`/v1/revocations/${SID}?tenant=acme&wait=all&timeout=N`),
    ]);
  });

  it('ends with 4 when the deadline comes first, and says who is outstanding', async () => {
    answering(REPORTING);
    const { code, out, err } = await door.run(`revoke --sid ${SID} --wait --timeout 0.05`);
    expect(code).toBe(4);
    expect(withoutTimes(out)).toContain('api-22  outstanding  N ms');
    expect(err).toContain(`curfew receipt ${SID}`);
  });

  it('asks again while the service is away for a moment', async () => {
    answering(COMPLETE);
    const { reply } = door;
    let refused = 0;
    door.reply = (request) =>
      request.method === 'GET' && refused++ < 2
        ? json({ code: 'ERR_UNAVAILABLE', title: 't' }, 503)
        : reply(request);
    expect(await door.run(`revoke --sid ${SID} --wait`)).toMatchObject({ code: 0, err: '' });
  });

  it('waits for a mass revocation, and prints one JSON document', async () => {
    const done = { revocationId: 'r1', epoch: 4, repeated: false, position: '9.1' };
    door.reply = ({ method }) => json(method === 'GET' ? COMPLETE : done);
    const { code, out } = await door.run('revoke --user u --yes --wait --json');
    expect([code, JSON.parse(out)]).toEqual([0, { ...done, receipt: COMPLETE }]);
    expect(door.seen[1]?.url).toContain('/v1/revocations/r1?wait=all');
  });

  it.each([
    ['--timeout 5', '--wait'],
    ['--wait --timeout 0', '--timeout'],
    ['--wait --timeout x', '--timeout'],
    ['--wait --timeout 601', '--timeout'],
  ])('ends nothing with %s', async (words, complaint) => {
    const { code, err } = await door.run(`revoke --sid ${SID} ${words}`);
    expect(code).toBe(2);
    expect(err).toContain(complaint);
    expect(door.seen).toEqual([]);
  });
});

describe('curfew receipt', () => {
  it('shows which nodes have applied it, at once', async () => {
    answering(REPORTING);
    const { code, out } = await door.run(`receipt ${SID} --tenant acme`);
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      'NODE    STATE        VIA    BOUND    LAST REPORT',
      'api-1   applied      watch  2000 ms  2026-11-23 12:00:00',
      'api-22  outstanding  watch  2000 ms  2026-11-23 12:00:00',
      '',
      '2 nodes: 1 applied, 0 bounded, 1 outstanding',
    ]);
    expect(door.seen[0]?.url).toBe(`/v1/revocations/${SID}?tenant=acme`);
  });

  it('prints JSON, waits, and says what is unknown', async () => {
    answering(COMPLETE);
    expect(JSON.parse((await door.run(`receipt ${SID} --json`)).out)).toEqual(COMPLETE);
    expect((await door.run(`receipt ${SID} --wait`)).out).toContain('0 outstanding after');
    door.reply = () => json({ code: 'ERR_NOT_FOUND', title: 't' }, 404);
    expect(await door.run('receipt r1')).toMatchObject({ code: 1, err: 'curfew: ERR_NOT_FOUND: t' });
  });
});

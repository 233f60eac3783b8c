import { describe, expect, it } from '@jest/globals';
import type { RevocationMessage } from '#contracts';
import type { NodeReport } from '../../ports/node-reports.port.js';
import { receiptOf } from './receipt-of.js';

const RECORDED = 1_000_000;
const session: RevocationMessage = {
  scope: 'session',
  tenant: 'acme',
  sub: 'u',
  sid: 's1',
  reason: 'admin',
  initiator: 'admin',
  position: '7',
};
const everyone: RevocationMessage = {
  ...session,
  scope: 'global',
  revocationId: 'r1',
  tenant: '',
  sub: '',
  client: '',
  epoch: 1,
  excepted: {},
};

const node = (nodeId: string, changes: Partial<NodeReport> = {}): NodeReport => ({
  nodeId,
  tenants: ['acme'],
  via: 'watch',
  boundMs: 2_000,
  cursor: 'before',
  reportedAt: RECORDED,
  ...changes,
});

/** @param after milliseconds since it was recorded, by reference time and by the monotonic clock */
function receipt(reports: readonly NodeReport[], after = 0, message = session, knownForMs = after) {
  const revocation = { message, mark: 'm', recordedAt: RECORDED, knownForMs: () => knownForMs };
  const shows = (cursor: string, mark: string) => cursor === 'after' && mark === 'm';
  return receiptOf(revocation, { now: RECORDED + after, reports, shows });
}
const states = (...args: Parameters<typeof receipt>) =>
  Object.fromEntries(receipt(...args).nodes.map(({ nodeId, state }) => [nodeId, state]));

describe('a receipt', () => {
  it('given nodes that have and have not applied it, says so', () => {
    expect(receipt([node('b', { cursor: 'after' }), node('a', { cursor: '', via: 'kafka' })], 10)).toEqual({
      id: 's1',
      scope: 'session',
      position: '7',
      recordedAtMs: RECORDED,
      complete: false,
      nodes: [
        { nodeId: 'a', state: 'outstanding', via: 'kafka', boundMs: 2_000, lastReportMs: RECORDED },
        { nodeId: 'b', state: 'applied', via: 'watch', boundMs: 2_000, lastReportMs: RECORDED },
      ],
    });
  });

  it('given no node that is outstanding, is complete', () => {
    expect(receipt([node('a', { cursor: 'after' })])).toMatchObject({ complete: true });
    expect(receipt([])).toMatchObject({ complete: true, nodes: [] });
  });

  it('G2: given a silent node, calls it bounded when its bound and the age of reports are over', () => {
    expect(states([node('a')], 5_000)).toEqual({ a: 'outstanding' });
    expect(states([node('a')], 5_001)).toEqual({ a: 'bounded' });
    const patient = [node('a', { boundMs: 30_000 })];
    expect(states(patient, 33_000)).toEqual({ a: 'outstanding' });
    expect(states(patient, 33_001)).toEqual({ a: 'bounded' });
  });

  it('G2: given a node that does not tell its bound, waits for the longest there is', () => {
    expect(states([node('a', { boundMs: 0 })], 63_000)).toEqual({ a: 'outstanding' });
    expect(states([node('a', { boundMs: 0 })], 63_001)).toEqual({ a: 'bounded' });
  });

  it('G2: given a clock that jumped, or reports that were not written, no node is bounded before its bound is over', () => {
    // By reference time ten minutes have passed; by the monotonic clock of the process, not yet two seconds.
    expect(states([node('a')], 600_000, session, 1_999)).toEqual({ a: 'outstanding' });
    expect(states([node('a')], 600_000, session, 2_000)).toEqual({ a: 'bounded' });
    // Its row is old already when the revocation comes, but not so old that it must be gone.
    const late = [node('a', { reportedAt: RECORDED - 4_999 })];
    expect(states(late, 2, session, 2)).toEqual({ a: 'outstanding' });
  });

  it('given a node that had applied it and then fell silent, says applied', () => {
    expect(states([node('a', { cursor: 'after' })], 100_000)).toEqual({ a: 'applied' });
  });

  it('given a node that was gone before, leaves it out', () => {
    const gone = node('gone', { reportedAt: RECORDED - 5_001 });
    expect(states([gone, node('here', { reportedAt: RECORDED - 5_000 })], 1)).toEqual({
      here: 'outstanding',
    });
  });

  it('G2: given a clock that jumped, leaves out no node that is heard at this instance', () => {
    const before = { reportedAt: RECORDED - 600_000 };
    expect(states([node('here', { ...before, silentForMs: 400 })], 1)).toEqual({ here: 'outstanding' });
    expect(states([node('gone', { ...before, silentForMs: 5_002 })], 1)).toEqual({});
  });

  it('G10: names only nodes whose key may see the tenant; of everyone, all', () => {
    const nodes = [
      node('ours'),
      node('both', { tenants: ['acme', 'other'] }),
      node('all', { tenants: ['*'] }),
      node('theirs', { tenants: ['other'] }),
    ];
    expect(Object.keys(states(nodes))).toEqual(['all', 'both', 'ours']);
    expect(Object.keys(states(nodes, 0, everyone))).toEqual(['all', 'both', 'ours', 'theirs']);
    expect(receipt(nodes, 0, everyone)).toMatchObject({ id: 'r1', scope: 'global' });
  });
});

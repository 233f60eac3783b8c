import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { IssuedSession } from '#contracts';
import { eventually } from '../support/cluster.js';
import { restClient } from '../support/rest.js';
import { ChaosCluster } from './chaos-cluster.js';
import type { ChaosNode } from './chaos-node.js';
import { deposePrimary } from './deposed-primary.js';
import type { Instance } from './instance.js';
import { whyNoBrokers } from './own-brokers.js';

const B = 1_000;
const SESSIONS = 20;

jest.setTimeout(120_000);

const withKafka = whyNoBrokers === undefined ? it : it.skip;

type Login = IssuedSession & { readonly accessToken: string };

describe('the oracle, in a run with a broken part beside the same part as it is', () => {
  let cluster: ChaosCluster;
  const ends: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(ends.splice(0).map((end) => end()));
    await (cluster as ChaosCluster | undefined)?.stop();
  });

  const acceptedBy = ({ last }: ChaosNode): number => last?.counts.accepted ?? 0;

  /** Sessions that every node has accepted. */
  async function knownSessions(): Promise<readonly Login[]> {
    const rest = restClient(cluster.urls()[0]!, cluster.apiKey);
    const logins: Login[] = [];
    for (let i = 0; i < SESSIONS; i += 1) {
      const { status, body } = await rest.call<Login>('POST', '/v1/sessions', { sub: `user-${i}` });
      expect(status).toBe(201);
      cluster.oracle.created(body.sid);
      logins.push(body);
    }
    const tokens = logins.map(({ sid, accessToken }) => [sid, accessToken] as const);
    for (const node of cluster.nodes) node.tell(tokens);
    await eventually(() => cluster.nodes.every((node) => acceptedBy(node) > 5 * SESSIONS), {
      what: 'acceptance at every node',
    });
    return logins;
  }

  async function revokeAt(instance: Instance, logins: readonly Login[]): Promise<void> {
    const rest = restClient(instance.service.http, cluster.apiKey);
    for (const { sid } of logins) {
      cluster.oracle.ending([sid]);
      const { status } = await rest.call('DELETE', `/v1/sessions/${sid}`);
      expect(status).toBe(200);
      cluster.oracle.ended([sid]);
    }
  }

  /** Past the bound of the last revocation; returns who has broken it. */
  async function guilty(): Promise<readonly string[]> {
    await sleep(B + 1_000);
    // On a busy machine the broken part is slow as well.
    await eventually(() => cluster.oracle.violations.length > 0, { what: 'a violation' });
    await Promise.all(cluster.nodes.map((node) => node.ask()));
    return [...new Set(cluster.oracle.violations.map(({ node }) => node))];
  }

  it('G2: finds a node that does not look at its lease, cut off from the service', async () => {
    cluster = await ChaosCluster.start({
      nodes: [
        { name: 'as-it-is', bound: B },
        { name: 'lease-unchecked', bound: B, mutant: 'lease-unchecked' },
      ],
    });
    const logins = await knownSessions();
    for (const { paths } of cluster.nodes) for (const path of paths) path.blackHole();
    await revokeAt(cluster.instances[0]!, logins);
    expect(await guilty()).toEqual(['lease-unchecked']);
  });

  it('G2: nodes of an instance on a replaced primary go stale; it finds the instance that takes a read for a barrier', async () => {
    cluster = await ChaosCluster.start({ nodes: [] });
    const [asItIs] = cluster.instances;
    const mutant = await cluster.startInstance('reads', cluster.postgres.url, 'barrier-reads-only');
    await cluster.startNode({ name: 'at-the-instance-as-it-is', bound: B }, [asItIs!]);
    await cluster.startNode({ name: 'at-the-one-that-reads', bound: B }, [mutant]);
    const logins = await knownSessions();
    const failover = await deposePrimary(cluster);
    ends.push(() => failover.end());
    await revokeAt(failover.promoted, logins);
    expect(await guilty()).toEqual(['at-the-one-that-reads']);
    expect(cluster.nodes[0]?.last?.fresh).toBe(false);
  });

  withKafka(
    'G2: finds a node that does not look for gaps, when revocations are lost on their way to Kafka',
    async () => {
      const drop = join(tmpdir(), `curfew-chaos-drop-${process.pid}`);
      await rm(drop, { force: true });
      ends.push(() => rm(drop, { force: true }));
      cluster = await ChaosCluster.start({
        brokers: 1,
        mutant: 'records-dropped',
        env: { CHAOS_DROP: drop },
        nodes: [
          { name: 'as-it-is', bound: B, kafka: 'none' },
          { name: 'contiguity-unchecked', bound: B, kafka: 'none', mutant: 'contiguity-unchecked' },
        ],
      });
      const logins = await knownSessions();
      await writeFile(drop, '');
      await revokeAt(cluster.instances[0]!, logins);
      expect(await guilty()).toEqual(['contiguity-unchecked']);
      expect(cluster.nodes[0]?.last?.fresh).toBe(false);
    },
  );
});

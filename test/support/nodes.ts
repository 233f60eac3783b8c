import { built, Child } from '#local-cluster';
import { createCurfew, type Curfew, type CurfewOptions } from '#sdk';
import { AUDIENCE, ISSUER, type TestService } from './cluster.js';

/** Options of a node that talks to the service. */
export const nodeOptions = (service: TestService, changes: Partial<CurfewOptions> = {}): CurfewOptions => ({
  service: service.http,
  watch: service.grpc,
  apiKey: service.key,
  issuer: ISSUER,
  audience: AUDIENCE,
  tenant: 'default',
  ...changes,
});

/** A node in this process, ready. */
export async function startNode(service: TestService, changes: Partial<CurfewOptions> = {}): Promise<Curfew> {
  const node = createCurfew(nodeOptions(service, changes));
  await node.ready({ timeoutMs: 10_000 });
  return node;
}

export interface NodeProcess {
  readonly name: string;
  readonly url: string;
}

/** The demo's API node, a process of its own: `GET /whoami` needs a session. */
export function startNodeProcess(service: TestService, name: string): Promise<Child<NodeProcess>> {
  const { http, grpc, key } = service;
  const settings = { name, service: http, watch: grpc, apiKey: key, issuer: ISSUER, audience: AUDIENCE };
  return Child.start<NodeProcess>({
    args: [built('apps/demo/api-node.js')],
    env: { NODE_SETTINGS: JSON.stringify(settings) },
  });
}

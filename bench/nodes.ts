import { createCurfew, type Curfew } from '#sdk';
import { AUDIENCE, ISSUER } from './environment.js';

/** Where a node finds the service, and as whom. */
export interface NodeAddress {
  readonly http: string;
  readonly grpc: string;
  readonly key: string;
}

/** A node in this process that watches and may decide. @param tenant of the tokens that it accepts; `*`: every one */
export async function startNode({ http, grpc, key }: NodeAddress, tenant = 'default'): Promise<Curfew> {
  const node = createCurfew({
    service: http,
    watch: grpc,
    apiKey: key,
    issuer: ISSUER,
    audience: AUDIENCE,
    tenant,
  });
  await node.ready();
  return node;
}

/** Ends when the last node refuses the token. */
export async function refusedByAll(nodes: readonly Curfew[], token: string): Promise<void> {
  // The last is what counts: a node that has refused is not asked again, so that asking costs little.
  const accepting = [...nodes];
  for (let next = accepting.at(-1); next; next = accepting.at(-1)) {
    if (!(await accepts(next, token))) accepting.pop();
    // Lets the streams of these very nodes be read.
    else await new Promise((resolve) => setImmediate(resolve));
  }
}

const accepts = (node: Curfew, token: string): Promise<boolean> =>
  node.verify(token).then(
    () => true,
    () => false,
  );

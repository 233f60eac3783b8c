import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { loadPackageDefinition, Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { projectRoot } from '#local-cluster';

/** What the SDK needs to hold a lease and to check signatures: a JWKS and a Watch that answers. A double of the service. */
export interface StubService {
  readonly http: string;
  readonly grpc: string;
  stop(): void;
}

interface WatchCall {
  on(event: 'data', listener: (message: { renew?: { id: number } }) => void): void;
  on(event: 'end' | 'error', listener: () => void): void;
  write(message: object): void;
  end(): void;
}

export async function startStubService(jwk: object): Promise<StubService> {
  const http = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));

  const definition = loadSync('curfew/v1/revocation.proto', {
    includeDirs: [join(projectRoot(), 'libs/contracts/proto')],
    longs: Number,
    oneofs: true,
  });
  const { v1 } = (loadPackageDefinition(definition) as unknown as { curfew: { v1: Record<string, unknown> } })
    .curfew;
  const { service } = v1['RevocationService'] as { service: ServiceDefinition };
  const grpc = new Server();
  grpc.addService(service, {
    Revoke: () => undefined,
    Watch: (call: WatchCall) => {
      call.on('data', ({ renew }) => {
        if (renew) call.write({ renewed: renewedNow(renew.id) });
      });
      call.on('end', () => call.end());
      call.on('error', () => undefined);
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    http: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    grpc: `http://127.0.0.1:${port}`,
    stop: () => {
      http.close();
      http.closeAllConnections();
      grpc.forceShutdown();
    },
  };
}

const renewedNow = (id: number): object => ({
  id,
  cursor: '',
  referenceTimeMs: Date.now(),
  maxAccessTtlMs: 3_600_000,
  renewAfterMs: 500,
  ageMs: 0,
});

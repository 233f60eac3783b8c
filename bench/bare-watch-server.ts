import { join } from 'node:path';
import { loadPackageDefinition, Server, ServerCredentials, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { projectRoot } from '#local-cluster';

/**
 * NOT the service: a bare gRPC server of the same protocol that writes one message to every open Watch stream when `Revoke` is
 * called. `position` says when, in nanoseconds of the machine's monotonic clock.
 */
interface WatchCall {
  on(event: 'data' | 'end' | 'error' | 'cancelled', listener: () => void): void;
  write(message: object): void;
  end(): void;
}

const definition = loadSync('curfew/v1/revocation.proto', {
  includeDirs: [join(projectRoot(), 'libs/contracts/proto')],
  oneofs: true,
});
const { v1 } = (loadPackageDefinition(definition) as unknown as { curfew: { v1: Record<string, unknown> } })
  .curfew;
const streams = new Set<WatchCall>();
const server = new Server();
server.addService((v1['RevocationService'] as { service: ServiceDefinition }).service, {
  Revoke: ({ request }: { request: { sid: string } }, answer: (error: null, message: object) => void) => {
    const position = process.hrtime.bigint().toString();
    for (const stream of streams)
      stream.write({ revocation: { scope: 'session', sid: request.sid, position } });
    answer(null, { revoked: true, position });
  },
  Watch: (call: WatchCall) => {
    streams.add(call);
    const forget = (): void => void streams.delete(call);
    call.on('data', () => undefined);
    call.on('end', () => call.end());
    for (const event of ['end', 'error', 'cancelled'] as const) call.on(event, forget);
  },
});
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  process.send?.({ ready: { grpc: `http://127.0.0.1:${port}` } });
});
process.once('disconnect', () => process.exit(0));
process.once('SIGTERM', () => process.exit(0));

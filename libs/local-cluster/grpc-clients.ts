import { join } from 'node:path';
import { credentials, loadPackageDefinition, Metadata, type Client, type ServiceError } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { projectRoot } from './service.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- clients are made from the protos at run time
type AnyClient = Client & Record<string, any>;

/** grpc-js would let all clients of an address share one: 200 streams of 200 processes have 200. */
const OWN_CONNECTION = { 'grpc.use_local_subchannel_pool': 1 };

export interface GrpcClients {
  /** A unary call: `call('SessionService', 'Create', {…})`. Rejects with a `ServiceError`. */
  call<T = Record<string, unknown>>(service: string, method: string, request: object): Promise<T>;
  /** The raw client of a service, for streams. */
  client(service: string): AnyClient;
  metadata(): Metadata;
  close(): void;
}

/** Calls a service's gRPC door with a stock client. Opens nothing until it is used. @param apiKey undefined: none is sent */
export function grpcClients(baseUrl: string, apiKey: string | undefined): GrpcClients {
  const folder = join(projectRoot(), 'libs/contracts/proto');
  const definition = loadSync(
    ['session', 'revocation', 'audit'].map((name) => `curfew/v1/${name}.proto`),
    { includeDirs: [folder], longs: Number, enums: String, defaults: false, oneofs: true },
  );
  const { v1 } = (loadPackageDefinition(definition) as unknown as { curfew: { v1: Record<string, never> } })
    .curfew;
  const clients = new Map<string, AnyClient>();
  const metadata = (): Metadata => {
    const made = new Metadata();
    if (apiKey !== undefined) made.set('authorization', `Bearer ${apiKey}`);
    return made;
  };
  const client = (service: string): AnyClient => {
    const known = clients.get(service);
    if (known) return known;
    const Constructor = v1[service] as unknown as new (
      address: string,
      channel: unknown,
      options: object,
    ) => AnyClient;
    const made = new Constructor(new URL(baseUrl).host, credentials.createInsecure(), OWN_CONNECTION);
    clients.set(service, made);
    return made;
  };
  return {
    client,
    metadata,
    call: (service, method, request) =>
      new Promise((resolve, reject) => {
        const unary = client(service)[method] as (
          request: object,
          metadata: Metadata,
          done: (error: ServiceError | null, answer: never) => void,
        ) => void;
        unary.call(client(service), request, metadata(), (error, answer) => {
          if (error) reject(error);
          else resolve(answer);
        });
      }),
    close: () => clients.forEach((each) => each.close()),
  };
}

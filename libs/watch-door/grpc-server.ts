import { Server, ServerCredentials } from '@grpc/grpc-js';

/** A certificate chain and its key, PEM. */
export interface Tls {
  readonly cert: Buffer;
  readonly key: Buffer;
}

const SERVER_OPTIONS = {
  'grpc.max_receive_message_length': 64 * 1024,
  'grpc.max_concurrent_streams': 2_000,
  // A peer that is gone without a word is found in 15 s, and its streams are closed.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  'grpc.keepalive_permit_without_calls': 1,
  // Its counts of every message are read by nobody.
  'grpc.enable_channelz': 0,
};

/** A gRPC server as every door of ours is set up. */
export const createGrpcServer = (): Server => new Server(SERVER_OPTIONS);

export interface GrpcAddress {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly tls?: Tls | undefined;
}

/** @returns the port that it listens on. @throws Error when it cannot be had */
export function bindGrpcServer(server: Server, { host, port, tls }: GrpcAddress): Promise<number> {
  const credentials = tls
    ? ServerCredentials.createSsl(null, [{ cert_chain: tls.cert, private_key: tls.key }])
    : ServerCredentials.createInsecure();
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
}

/** Takes nothing new, and cuts what has not ended by itself within the patience. */
export async function closeGrpcServer(server: Server, patienceMs: number): Promise<void> {
  const cut = setTimeout(() => server.forceShutdown(), patienceMs);
  await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  clearTimeout(cut);
}

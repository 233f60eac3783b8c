import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/proto-loader';
import { loadProtos } from '#watch-door';

const protos = loadProtos();

export function methodAt(path: string): MethodDefinition<object, object> {
  const [, service, method] = path.split('/');
  const definition = protos[service ?? ''];
  const found = definition && !('format' in definition) ? definition[method ?? ''] : undefined;
  if (!found) throw new Error(`no method ${path}`);
  return found;
}

export interface Outcome {
  readonly answer?: object;
  readonly status?: {
    readonly code: number;
    readonly details: string;
    readonly metadata: Record<string, unknown>;
  };
}

export const toMetadata = (headers: Readonly<Record<string, string>>): Metadata => {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
};

export const statusOf = ({
  code,
  details,
  metadata,
}: Pick<ServiceError, 'code' | 'details' | 'metadata'>) => ({
  code,
  details,
  metadata: metadata.getMap(),
});

/** A plain gRPC client: messages as objects, or as bytes of any kind. */
export class GrpcCaller {
  readonly client: Client;

  constructor(url: string) {
    this.client = new Client(new URL(url).host, credentials.createInsecure());
  }

  /** @param path `/curfew.v1.SessionService/Create` */
  call(path: string, message: object | Buffer, headers: Readonly<Record<string, string>>): Promise<Outcome> {
    const method = methodAt(path);
    const serialize = (value: object) => (Buffer.isBuffer(value) ? value : method.requestSerialize(value));
    return new Promise((resolve) => {
      this.client.makeUnaryRequest(
        path,
        serialize,
        method.responseDeserialize,
        message,
        toMetadata(headers),
        (error, answer) => {
          resolve(error ? { status: statusOf(error) } : { answer: answer as object });
        },
      );
    });
  }

  close(): void {
    this.client.close();
  }
}

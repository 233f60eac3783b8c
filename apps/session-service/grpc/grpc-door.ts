import type { Server, ServerDuplexStream } from '@grpc/grpc-js';
import type { PackageDefinition } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';
import { ServerGrpc, type CustomTransportStrategy } from '@nestjs/microservices';
import {
  bindGrpcServer,
  closeGrpcServer,
  createGrpcServer,
  loadProtos,
  PACKAGES,
  toGrpcStatus,
  type GrpcAddress,
} from '#watch-door';
import { toCurfewError } from '../errors/to-curfew-error.js';

export interface GrpcDoorOptions extends GrpcAddress {
  /** How long calls under way may take to end when the door closes. */
  readonly closingPatienceMs: number;
  /** Lets a call of the reflection service in; throws the error it is refused with. */
  readonly admitReflection: (call: ServerDuplexStream<object, object>) => Promise<unknown>;
}

type StreamHandler = (call: ServerDuplexStream<object, object>) => void;

/**
 * Nest's gRPC transport, with what it leaves out: the port that was taken, services that are there before the port is open,
 * reflection, and a status for a stream that a guard refuses (Nest lets that rejection end the process).
 */
export class GrpcDoor extends ServerGrpc implements CustomTransportStrategy {
  private boundPort = 0;
  private readonly definition: PackageDefinition;

  constructor(private readonly door: GrpcDoorOptions) {
    const packageDefinition = loadProtos();
    super({ package: PACKAGES, packageDefinition });
    this.definition = packageDefinition;
  }

  /** The port it listens on; 0 before it does. */
  get port(): number {
    return this.boundPort;
  }

  override async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      const server = createGrpcServer();
      this.grpcClient = server;
      await this.bindEvents();
      this.addReflection(server);
      this.boundPort = await bindGrpcServer(server, this.door);
      callback();
    } catch (error) {
      callback(error);
    }
  }

  override async close(): Promise<void> {
    const server = this.grpcClient as Server | null;
    if (server) await closeGrpcServer(server, this.door.closingPatienceMs);
  }

  override createStreamCallMethod(methodHandler: never, isResponseStream: boolean): never {
    const handle = super.createStreamCallMethod(methodHandler, isResponseStream) as unknown as (
      call: ServerDuplexStream<object, object>,
    ) => Promise<void>;
    const refusable = (call: ServerDuplexStream<object, object>) => {
      // What is refused is a status already: the filter has been there.
      handle(call).catch((status: unknown) => call.emit('error', status));
    };
    return refusable as never;
  }

  /** Reflection shows the contract to callers with any API key: without one there are the key set and health only. */
  private addReflection(server: Server): void {
    new ReflectionService(this.definition).addToServer({
      addService: (service, implementation) => {
        const guarded = Object.entries(implementation).map(([name, handler]) => [
          name,
          (call: ServerDuplexStream<object, object>) => {
            this.door.admitReflection(call).then(
              () => (handler as StreamHandler)(call),
              (error: unknown) => call.emit('error', toGrpcStatus(toCurfewError(error))),
            );
          },
        ]);
        server.addService(service, Object.fromEntries(guarded) as never);
      },
    });
  }
}

import type { ServerDuplexStream } from '@grpc/grpc-js';
import { Controller, Inject, type OnApplicationShutdown } from '@nestjs/common';
import { GrpcStreamCall, Payload } from '@nestjs/microservices';
import { START_STOPWATCH, type CallContext, type StartStopwatch } from '#application';
import { NodeRegistry, WatchHub, type WatchMessage } from '#revocation-bus';
import { WatchStreams, type WatchRequest } from '#watch-door';
import { RequireScope } from '../auth/access.js';
import { Authenticator } from '../auth/authenticator.js';
import { Context, fromGrpc } from '../auth/call-context.js';
import { toCurfewError } from '../errors/to-curfew-error.js';

/** The revocation stream (DESIGN §6): a thin coat over the hub, which knows the protocol's order and pace. */
@Controller()
export class WatchGrpcController implements OnApplicationShutdown {
  private readonly streams: WatchStreams;

  constructor(
    hub: WatchHub,
    nodes: NodeRegistry,
    authenticator: Authenticator,
    @Inject(START_STOPWATCH) startStopwatch: StartStopwatch,
  ) {
    this.streams = new WatchStreams({
      hub,
      nodes,
      startStopwatch,
      authenticate: (authorization) =>
        authenticator.authenticate(authorization).catch((error: unknown) => {
          throw toCurfewError(error);
        }),
    });
  }

  @GrpcStreamCall('RevocationService', 'Watch')
  @RequireScope('revocations:watch')
  watch(
    @Payload() call: ServerDuplexStream<WatchRequest, WatchMessage>,
    @Context() { caller }: CallContext,
  ): void {
    this.streams.open(call, fromGrpc(call).header('authorization'), caller.tenants);
  }

  onApplicationShutdown(): void {
    this.streams.close();
  }
}

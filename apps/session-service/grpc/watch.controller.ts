import type { ServerDuplexStream } from '@grpc/grpc-js';
import { Controller, Inject, type OnApplicationShutdown } from '@nestjs/common';
import { GrpcStreamCall, Payload } from '@nestjs/microservices';
import { START_STOPWATCH, type CallContext, type StartStopwatch } from '#application';
import { NodeRegistry, WatchHub, type WatchMessage } from '#revocation-bus';
import { RequireScope } from '../auth/access.js';
import { Authenticator } from '../auth/authenticator.js';
import { Context, fromGrpc } from '../auth/call-context.js';
import { WatchStream, type WatchRequest } from './watch-stream.js';

/** How often an open stream's API key is looked at again. With the authenticator's second this is well within B. */
const REAUTHENTICATE_MS = 500;

/** The revocation stream (DESIGN §6): a thin coat over the hub, which knows the protocol's order and pace. */
@Controller()
export class WatchGrpcController implements OnApplicationShutdown {
  private readonly streams = new Set<WatchStream>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly hub: WatchHub,
    private readonly nodes: NodeRegistry,
    private readonly authenticator: Authenticator,
    @Inject(START_STOPWATCH) private readonly startStopwatch: StartStopwatch,
  ) {}

  @GrpcStreamCall('RevocationService', 'Watch')
  @RequireScope('revocations:watch')
  watch(
    @Payload() call: ServerDuplexStream<WatchRequest, WatchMessage>,
    @Context() { caller }: CallContext,
  ): void {
    const authorization = fromGrpc(call).header('authorization');
    const stream = new WatchStream(call, {
      hub: this.hub,
      nodes: this.nodes,
      tenants: caller.tenants,
      authenticate: () => this.authenticator.authenticate(authorization),
      startStopwatch: this.startStopwatch,
      ended: () => this.forget(stream),
    });
    this.streams.add(stream);
    this.timer ??= setInterval(() => {
      for (const open of this.streams) void open.reauthenticate();
    }, REAUTHENTICATE_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private forget(stream: WatchStream): void {
    this.streams.delete(stream);
    if (this.streams.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}

import type { sendUnaryData, ServerDuplexStream, ServerUnaryCall, ServiceDefinition } from '@grpc/grpc-js';
import { status, type Metadata, type Server, type ServiceError } from '@grpc/grpc-js';
import { CurfewError, isCurfewError } from '#contracts';
import { startStopwatch } from '#platform';
import { MemoryCursors, systemTimers, UpstreamFollower, WatchHub, type WatchMessage } from '#revocation-bus';
import {
  bindGrpcServer,
  closeGrpcServer,
  createGrpcServer,
  loadProtos,
  MalformedMessage,
  toGrpcStatus,
  WatchStreams,
  type WatchRequest,
} from '#watch-door';
import { addHealth } from './health.js';
import { KeyChecks } from './key-checks.js';
import { LowerNodes } from './lower-nodes.js';
import type { RelaySettings } from './settings.js';
import { openUpstream, RenewClient } from './upstream.js';

const CLOSING_PATIENCE_MS = 3_000;

export interface Relay {
  readonly port: number;
  /** Cuts the streams, so that nodes go elsewhere, and closes the door. */
  stop(): Promise<void>;
}

export interface RelaySurroundings {
  /** The upstream's stream ended: why, for people. */
  readonly onUpstreamEnd: (detail: string) => void;
}

/**
 * A Watch door over another one's Watch stream (ADR 20). Opens when the upstream has answered once; keeps trying until then.
 * @throws Error when the address cannot be had; then nothing is left open
 */
export async function startRelay(settings: RelaySettings, outside: RelaySurroundings): Promise<Relay> {
  const { upstream, apiKey, bound, nodeId } = settings;
  const timers = systemTimers;
  const follower: UpstreamFollower = new UpstreamFollower({
    open: openUpstream({ upstream, apiKey, nodeId, nodes: () => nodes }),
    timers,
    bound,
    onEnd: ({ detail }) => outside.onUpstreamEnd(detail),
  });
  const nodes = new LowerNodes(follower, bound, startStopwatch);
  // What nodes are told of `maxAccessTtl` comes with each answer.
  const hub = new WatchHub({ follower, log: new MemoryCursors(follower), timers, maxAccessTtl: 0 });
  const renewals = new RenewClient(upstream);
  const server = createGrpcServer();
  const keys = new KeyChecks(renewals, apiKey, startStopwatch);
  const authenticate = (authorization: string | undefined) => keys.admit(authorization);
  const streams = new WatchStreams({ hub, nodes, authenticate, startStopwatch });
  const health = addHealth(server, () => follower.age() <= bound);
  addDoor(server, keys, streams, renewals);
  const stop = async (): Promise<void> => {
    health.stop();
    const closed = closeGrpcServer(server, CLOSING_PATIENCE_MS);
    hub.stop();
    await closed;
    streams.close();
    follower.stop();
    renewals.close();
  };
  try {
    await follower.start();
    return { port: await bindGrpcServer(server, settings), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const authorizationOf = ({ metadata }: { readonly metadata: Metadata }): string | undefined =>
  metadata.get('authorization').map(String).join(', ') || undefined;

const statusOf = (error: unknown) =>
  toGrpcStatus(isCurfewError(error) ? error : new CurfewError('ERR_INTERNAL', { cause: error }));

function addDoor(server: Server, keys: KeyChecks, streams: WatchStreams, renewals: RenewClient): void {
  const watch = (call: ServerDuplexStream<WatchRequest, WatchMessage>): void => {
    const authorization = authorizationOf(call);
    keys.admit(authorization).then(
      (tenants) => {
        if (!call.cancelled) streams.open(call, authorization, tenants);
      },
      (error: unknown) => call.emit('error', statusOf(error)),
    );
  };
  // The barrier must be the log's: the call is handed on as it came, with the caller's own key. Checked first, so that
  // whoever has none cannot have the upstream asked without a limit.
  const renew = (call: ServerUnaryCall<object, object>, answer: sendUnaryData<object>): void => {
    const { request } = call;
    if (request instanceof MalformedMessage) {
      answer(statusOf(new CurfewError('ERR_MALFORMED_BODY', { detail: request.detail })));
      return;
    }
    const authorization = authorizationOf(call) ?? '';
    keys
      .check(authorization)
      .then(() => renewals.renew(authorization, request))
      .then(
        (answered) => answer(null, answered),
        (error: unknown) =>
          answer(isCurfewError(error) ? statusOf(error) : handedOn(error as Partial<ServiceError>)),
      );
  };
  const service = loadProtos()['curfew.v1.RevocationService'] as unknown as ServiceDefinition;
  server.addService(service, { Watch: watch, Renew: renew });
}

function handedOn({ code, details, metadata }: Partial<ServiceError>): Partial<ServiceError> {
  if (code === undefined || code === status.DEADLINE_EXCEEDED || metadata === undefined)
    return statusOf(new CurfewError('ERR_UNAVAILABLE', { detail: 'the upstream did not answer' }));
  return { code, details: details ?? '', metadata };
}

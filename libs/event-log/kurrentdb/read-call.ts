import type { CallOptions, Metadata } from '@grpc/grpc-js';
import type { KurrentDBClient } from '@kurrent/kurrentdb-client';
import grpcV1, {
  type StreamsClient,
} from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_grpc_pb.js';
import streamsV1, {
  type ReadReq,
  type ReadResp,
} from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import sharedV1 from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/shared_pb.js';
import type { AllPosition } from './kurrent-position.js';
import type { Patience } from './deadline.js';
import type { KurrentEvent } from './recorded-event.js';

/**
 * Reads, over the client's own channel and with its generated messages, and not with its `readStream` and `readAll`: those go
 * through a native bridge (0.2.2) that leaves Nagle's algorithm on and has no deadline. Behind a delayed acknowledgement each
 * read of a busy connection then takes 40 ms.
 */
interface ClientInternals {
  getGRPCClient(constructor: typeof StreamsClient, name: string): Promise<StreamsClient>;
  callArguments(
    options: { readonly requiresLeader: boolean },
    call: { readonly deadline: number },
  ): [Metadata, CallOptions];
}

const NOT_FOUND = 5;
const { BACKWARDS, FORWARDS } = streamsV1.ReadReq.Options.ReadDirection;

export interface ReadLimits {
  readonly backwards: boolean;
  readonly max: number;
}

/** @param from revision; from the stream's end if undefined */
export function streamRequest(stream: string, from: number | undefined, limits: ReadLimits): ReadReq {
  const options = new streamsV1.ReadReq.Options.StreamOptions();
  options.setStreamIdentifier(
    new sharedV1.StreamIdentifier().setStreamName(Buffer.from(stream, 'utf8').toString('base64')),
  );
  if (from === undefined) options.setEnd(new sharedV1.Empty());
  else options.setRevision(from.toString());
  const request = readRequest(limits);
  request.getOptions()!.setStream(options).setNoFilter(new sharedV1.Empty());
  return request;
}

/** @param from a position, which is included if read forwards @param typeFilter regular expression; all events if undefined */
export function allRequest(
  from: AllPosition | 'start' | 'end',
  typeFilter: string | undefined,
  limits: ReadLimits,
): ReadReq {
  const all = new streamsV1.ReadReq.Options.AllOptions();
  if (from === 'start') all.setStart(new sharedV1.Empty());
  else if (from === 'end') all.setEnd(new sharedV1.Empty());
  else {
    const position = new streamsV1.ReadReq.Options.Position();
    position.setCommitPosition(from.commit.toString()).setPreparePosition(from.prepare.toString());
    all.setPosition(position);
  }
  const request = readRequest(limits);
  const options = request.getOptions()!.setAll(all);
  if (typeFilter === undefined) options.setNoFilter(new sharedV1.Empty());
  else {
    const filter = new streamsV1.ReadReq.Options.FilterOptions();
    filter.setEventType(new streamsV1.ReadReq.Options.FilterOptions.Expression().setRegex(typeFilter));
    filter.setCount(new sharedV1.Empty()).setCheckpointintervalmultiplier(1);
    options.setFilter(filter);
  }
  return request;
}

/** Gives each event to `take`. A stream that does not exist has none. @throws errors of gRPC */
export async function read(
  client: KurrentDBClient,
  request: ReadReq,
  { extend, signal }: Patience,
  take: (event: KurrentEvent) => void,
): Promise<void> {
  const internals = client as unknown as ClientInternals;
  const streams = await internals.getGRPCClient(grpcV1.StreamsClient, 'read');
  const [metadata, options] = internals.callArguments({ requiresLeader: true }, { deadline: Infinity });
  if (signal.aborted) return;
  await new Promise<void>((resolve, reject) => {
    const call = streams.read(request, metadata, options);
    signal.addEventListener('abort', () => call.cancel());
    call.on('data', (response: ReadResp) => {
      extend();
      const event = response.getEvent()?.getEvent();
      if (event === undefined) return;
      try {
        take(toKurrentEvent(event));
      } catch (error) {
        reject(error instanceof Error ? error : new Error('an event cannot be read', { cause: error }));
        call.cancel();
      }
    });
    call.on('end', resolve);
    call.on('error', (error: Error & { code?: number }) => {
      if (error.code === NOT_FOUND) resolve();
      else reject(error);
    });
  });
}

function readRequest({ backwards, max }: ReadLimits): ReadReq {
  const options = new streamsV1.ReadReq.Options()
    .setReadDirection(backwards ? BACKWARDS : FORWARDS)
    .setResolveLinks(false)
    .setCount(max.toString())
    .setUuidOption(new streamsV1.ReadReq.Options.UUIDOption().setString(new sharedV1.Empty()))
    .setControlOption(new streamsV1.ReadReq.Options.ControlOption().setCompatibility(1));
  return new streamsV1.ReadReq().setOptions(options);
}

function toKurrentEvent(event: ReadResp.ReadEvent.RecordedEvent): KurrentEvent {
  return {
    id: event.getId()!.getString(),
    type: event.getMetadataMap().get('type') ?? '',
    streamId: Buffer.from(event.getStreamIdentifier()!.getStreamName_asU8()).toString('utf8'),
    revision: BigInt(event.getStreamRevision()),
    data: parsed(event.getData_asU8()),
    metadata: parsed(event.getCustomMetadata_asU8()),
    position: { commit: BigInt(event.getCommitPosition()), prepare: BigInt(event.getPreparePosition()) },
  };
}

/** Undefined for what is no JSON: it is not ours. */
function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

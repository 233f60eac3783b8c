import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import type { ReadResp as ReadRespMessage } from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import sharedV1 from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/shared_pb.js';
import streamsV1 from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import errorsV2 from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v2/streams/errors_pb.js';
import type { StoredDoubleEvent } from './double-store.js';

/** Answers of the double as the client's own generated messages. */

const TICKS_PER_MS = 10_000n;

function streamIdentifier(name: string): InstanceType<typeof sharedV1.StreamIdentifier> {
  return new sharedV1.StreamIdentifier().setStreamName(Buffer.from(name, 'utf8'));
}

export function eventAnswer(event: StoredDoubleEvent): ReadRespMessage {
  const position = event.position.toString();
  const recorded = new streamsV1.ReadResp.ReadEvent.RecordedEvent()
    .setId(new sharedV1.UUID().setString(event.id))
    .setStreamIdentifier(streamIdentifier(event.stream))
    .setStreamRevision(event.revision.toString())
    .setCommitPosition(position)
    .setPreparePosition(position)
    .setData(event.data)
    .setCustomMetadata(event.metadata);
  recorded
    .getMetadataMap()
    .set('type', event.type)
    .set('content-type', event.contentType)
    .set('created', (BigInt(event.created) * TICKS_PER_MS).toString());
  const readEvent = new streamsV1.ReadResp.ReadEvent().setEvent(recorded).setCommitPosition(position);
  return new streamsV1.ReadResp().setEvent(readEvent);
}

export function streamNotFoundAnswer(stream: string): ReadRespMessage {
  return new streamsV1.ReadResp().setStreamNotFound(
    new streamsV1.ReadResp.StreamNotFound().setStreamIdentifier(streamIdentifier(stream)),
  );
}

export function confirmationAnswer(id: string): ReadRespMessage {
  return new streamsV1.ReadResp().setConfirmation(
    new streamsV1.ReadResp.SubscriptionConfirmation().setSubscriptionId(id),
  );
}

const wirePosition = (position: bigint): InstanceType<typeof streamsV1.ReadResp.Position> =>
  new streamsV1.ReadResp.Position()
    .setCommitPosition(position.toString())
    .setPreparePosition(position.toString());

export function caughtUpAnswer(position: bigint): ReadRespMessage {
  return new streamsV1.ReadResp().setCaughtUp(
    new streamsV1.ReadResp.CaughtUp().setPosition(wirePosition(position)),
  );
}

export function fellBehindAnswer(position: bigint): ReadRespMessage {
  return new streamsV1.ReadResp().setFellBehind(
    new streamsV1.ReadResp.FellBehind().setPosition(wirePosition(position)),
  );
}

export function checkpointAnswer(position: bigint): ReadRespMessage {
  const checkpoint = new streamsV1.ReadResp.Checkpoint()
    .setCommitPosition(position.toString())
    .setPreparePosition(position.toString());
  return new streamsV1.ReadResp().setCheckpoint(checkpoint);
}

export function unavailable(): ServiceError {
  return serviceError(status.UNAVAILABLE, 'the double refuses');
}

/** `FAILED_PRECONDITION` with the details in which the second protocol tells of a conflict. */
export function revisionConflict(stream: string, expected: number, actual: number): ServiceError {
  const details = new errorsV2.StreamRevisionConflictErrorDetails()
    .setStream(stream)
    .setExpectedRevision(expected.toString())
    .setActualRevision(actual.toString());
  const type = 'type.googleapis.com/kurrentdb.protocol.v2.streams.errors.StreamRevisionConflictErrorDetails';
  const packed = [...lengthDelimited(1, Buffer.from(type)), ...lengthDelimited(2, details.serializeBinary())];
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(lengthDelimited(STATUS_DETAILS, packed)));
  return serviceError(status.FAILED_PRECONDITION, 'revision conflict', metadata);
}

function serviceError(code: status, details: string, metadata = new Metadata()): ServiceError {
  return Object.assign(new Error(details), { code, details, metadata });
}

/** Number of the field `details` in the protocol's `Status`. */
const STATUS_DETAILS = 3;

/** A field of bytes in protobuf's encoding: an `Any` has no generated class in the client's package. */
function lengthDelimited(field: number, bytes: ArrayLike<number>): number[] {
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>= 7) {
    length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
    if (rest <= 0x7f) return [(field << 3) | 2, ...length, ...Array.from(bytes)];
  }
}

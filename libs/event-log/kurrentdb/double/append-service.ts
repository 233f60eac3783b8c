import { randomUUID } from 'node:crypto';
import type { sendUnaryData, ServerReadableStream } from '@grpc/grpc-js';
import streamsV1 from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import type {
  AppendReq,
  AppendResp,
} from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import streamsV2 from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v2/streams/streams_pb.js';
import type {
  AppendRecord,
  AppendRequest,
  AppendSessionResponse,
} from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v2/streams/streams_pb.js';
import type { AmbiguousAnswer, DoubleFaults } from './double-faults.js';
import { EXPECTED, type DoubleAppend, type DoubleEvent, type DoubleStore } from './double-store.js';
import { revisionConflict, unavailable } from './wire-messages.js';

const JSON_TYPE = 'application/json';

/** `Streams.Append` (stream metadata) and `StreamsService.AppendSession` (everything else). */
export class AppendService {
  constructor(
    private readonly store: DoubleStore,
    private readonly faults: DoubleFaults,
  ) {}

  readonly append = (
    call: ServerReadableStream<AppendReq, AppendResp>,
    respond: sendUnaryData<AppendResp>,
  ): void => {
    whenWhole(call, (messages) => {
      if (this.faults.refuse) {
        respond(unavailable());
        return;
      }
      const result = this.store.append([fromFirstProtocol(messages)]);
      respond(null, result.appended ? success(result) : wrongVersion(result));
    });
  };

  readonly appendSession = (
    call: ServerReadableStream<AppendRequest, AppendSessionResponse>,
    respond: sendUnaryData<AppendSessionResponse>,
  ): void => {
    whenWhole(call, (requests) => {
      const delayMs = this.faults.appendDelayMs();
      if (this.faults.refuse) respond(unavailable());
      else if (delayMs === 0) this.commit(requests, respond);
      else setTimeout(() => this.commit(requests, respond), delayMs);
    });
  };

  private commit(requests: readonly AppendRequest[], respond: sendUnaryData<AppendSessionResponse>): void {
    const lost = this.faults.nextLost();
    if (lost !== undefined) {
      failAs(lost, respond);
      return;
    }
    const result = this.store.append(requests.map(fromSecondProtocol));
    const ambiguous = this.faults.nextAmbiguous();
    if (ambiguous !== undefined) {
      failAs(ambiguous, respond);
    } else if (result.appended) {
      const answer = new streamsV2.AppendSessionResponse().setPosition(result.position.toString());
      requests.forEach((request, i) => {
        const output = new streamsV2.AppendResponse();
        output.setStream(request.getStream()).setStreamRevision(result.revisions[i]!.toString());
        answer.addOutput(output);
      });
      respond(null, answer);
    } else {
      respond(revisionConflict(result.stream, result.expected, result.actual));
    }
  }
}

/** A call whose connection was cut ends, too, with what had come by then: a part of an append is none. */
function whenWhole<Request>(
  call: ServerReadableStream<Request, unknown>,
  then: (messages: readonly Request[]) => void,
): void {
  const messages: Request[] = [];
  call.on('data', (message: Request) => messages.push(message));
  call.on('end', () => {
    setImmediate(() => {
      if (!call.cancelled) then(messages);
    });
  });
}

function failAs(answer: AmbiguousAnswer, respond: (error: ReturnType<typeof unavailable>) => void): void {
  if (answer === 'unavailable') respond(unavailable());
}

function fromSecondProtocol(request: AppendRequest): DoubleAppend {
  return {
    stream: request.getStream(),
    expected: Number(request.getExpectedRevision() ?? EXPECTED.any),
    events: request.getRecordsList().map(fromRecord),
  };
}

/** A server keeps a record's properties as the event's metadata, with what it knows of the schema beside them. */
function fromRecord(record: AppendRecord): DoubleEvent {
  const properties: Record<string, string> = { '$schema.format': 'Json' };
  record.getPropertiesMap().forEach((value, key) => {
    properties[key] = value.getStringValue();
  });
  return {
    id: record.getRecordId() ?? randomUUID(),
    type: record.getSchema()!.getName(),
    contentType: JSON_TYPE,
    data: record.getData_asU8(),
    metadata: Buffer.from(JSON.stringify(properties)),
  };
}

function fromFirstProtocol(messages: readonly AppendReq[]): DoubleAppend {
  const options = messages[0]!.getOptions()!;
  const events = messages.slice(1).map((message): DoubleEvent => {
    const proposed = message.getProposedMessage()!;
    return {
      id: proposed.getId()!.getString() || randomUUID(),
      type: proposed.getMetadataMap().get('type')!,
      contentType: proposed.getMetadataMap().get('content-type')!,
      data: proposed.getData_asU8(),
      metadata: proposed.getCustomMetadata_asU8(),
    };
  });
  return {
    stream: Buffer.from(options.getStreamIdentifier()!.getStreamName_asU8()).toString('utf8'),
    expected: expectedOf(options),
    events,
  };
}

function expectedOf(options: AppendReq.Options): number {
  if (options.hasRevision()) return Number(options.getRevision());
  if (options.hasNoStream()) return EXPECTED.none;
  return options.hasStreamExists() ? EXPECTED.exists : EXPECTED.any;
}

function success({ position, revisions }: { position: bigint; revisions: readonly number[] }): AppendResp {
  return new streamsV1.AppendResp().setSuccess(
    new streamsV1.AppendResp.Success()
      .setCurrentRevision(revisions[0]!.toString())
      .setPosition(
        new streamsV1.AppendResp.Position()
          .setCommitPosition(position.toString())
          .setPreparePosition(position.toString()),
      ),
  );
}

function wrongVersion({ expected, actual }: { expected: number; actual: number }): AppendResp {
  const wrong = new streamsV1.AppendResp.WrongExpectedVersion().setExpectedRevision(expected.toString());
  if (actual >= 0) wrong.setCurrentRevision(actual.toString());
  return new streamsV1.AppendResp().setWrongExpectedVersion(wrong);
}

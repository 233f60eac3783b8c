import { join } from 'node:path';
import protobuf from 'protobufjs';
import type { CallHandlers, DialGrpc, GrpcCall } from '../watch/grpc-call.js';

const proto = new protobuf.Root();
proto.loadSync(join(import.meta.dirname, '../../contracts/proto/curfew/v1/revocation.proto'));
const RequestType = proto.lookupType('curfew.v1.RenewRequest');
const ResponseType = proto.lookupType('curfew.v1.RenewResponse');

export const GOOD_ANSWER = {
  barrier: 42,
  referenceTimeMs: 1_790_000_000_000,
  maxAccessTtlMs: 900_000,
  renewAfterMs: 500,
  streamId: 's-1',
  lanes: 4,
  tenants: ['*'],
};

/** Encoded by protobufjs, so that the codec is not its own judge. */
const encodeAnswer = (fields: object): Buffer => Buffer.from(ResponseType.encode(fields).finish());
const decodeRequest = (bytes: Uint8Array): unknown =>
  RequestType.toObject(RequestType.decode(bytes), { defaults: true });

/** One call of `Renew` as the service sees it. */
export class RenewCall implements GrpcCall {
  request: unknown;
  ended = false;

  constructor(
    readonly url: string,
    readonly apiKey: string,
    private readonly handlers: CallHandlers,
  ) {}

  send(message: Uint8Array, last = false): void {
    this.request = decodeRequest(message);
    this.ended = last;
  }

  destroy(): void {
    // A call is ended with its connection here.
  }

  answer(fields: object = {}): void {
    this.raw(encodeAnswer({ ...GOOD_ANSWER, ...fields }));
  }

  raw(bytes: Buffer): void {
    this.handlers.onMessage(bytes);
    this.handlers.onEnd({ status: 0, message: '' });
  }

  fail(status: number): void {
    this.handlers.onEnd({ status, message: `status ${status}` });
  }
}

export class RenewDoorDouble {
  readonly calls: RenewCall[] = [];
  readonly dialled: string[] = [];
  destroyed = 0;

  get last(): RenewCall {
    const call = this.calls.at(-1);
    if (call === undefined) throw new Error('nothing was called');
    return call;
  }

  readonly dial: DialGrpc = (url, apiKey) => {
    this.dialled.push(url);
    return {
      call: (path, handlers) => {
        if (path !== '/curfew.v1.RevocationService/Renew') throw new Error(path);
        const call = new RenewCall(url, apiKey, handlers);
        this.calls.push(call);
        return call;
      },
      destroy: () => {
        this.destroyed += 1;
      },
    };
  };
}

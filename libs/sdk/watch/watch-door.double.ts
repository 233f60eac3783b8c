import { join } from 'node:path';
import { expect } from '@jest/globals';
import protobuf from 'protobufjs';
import type { CallHandlers, DialGrpc, GrpcCall } from './grpc-call.js';

const proto = new protobuf.Root();
proto.loadSync(join(import.meta.dirname, '../../contracts/proto/curfew/v1/revocation.proto'), {
  keepCase: false,
});
export const WatchRequestType = proto.lookupType('curfew.v1.WatchRequest');
export const RenewRequestType = proto.lookupType('curfew.v1.RenewRequest');
export const RenewResponseType = proto.lookupType('curfew.v1.RenewResponse');
export const WatchResponseType = proto.lookupType('curfew.v1.WatchResponse');

export interface RenewedFields {
  cursor: string;
  referenceTimeMs: number;
  maxAccessTtlMs: number;
  renewAfterMs: number;
  ageMs: number;
}

export interface MassRevocationFields {
  readonly tenant: string;
  readonly sub: string;
  readonly client: string;
  readonly excepted: Readonly<Record<string, number>>;
}

interface Request {
  readonly hello?: { readonly nodeId: string; readonly cursor: string; readonly boundMs: number };
  readonly renew?: { readonly id: number; readonly applied: number };
}

/** The service's end of one stream, as the specs see it. Encoded by protobufjs, so that the codec is not its own judge. */
export class FakeStream implements GrpcCall {
  readonly requests: Request[] = [];
  destroyed = false;

  constructor(
    readonly url: string,
    readonly apiKey: string,
    private readonly handlers: CallHandlers,
    private readonly door: WatchDoorDouble,
  ) {}

  get renewals(): number[] {
    return this.requests.flatMap(({ renew }) => (renew === undefined ? [] : [renew.id]));
  }

  get cursor(): string | undefined {
    return this.requests[0]?.hello?.cursor;
  }

  send(message: Uint8Array): void {
    const request = WatchRequestType.toObject(WatchRequestType.decode(message), {
      longs: Number,
      defaults: true,
    }) as Request;
    this.requests.push(request);
    const { renew } = request;
    if (renew !== undefined && this.door.answers) queueMicrotask(() => this.renewed(renew.id));
  }

  destroy(): void {
    this.destroyed = true;
  }

  renewed(id: number, fields: Partial<RenewedFields> = {}): void {
    this.say({ renewed: { id, ...this.door.fields, ...fields } });
  }

  revoke(sid: string, { tenant = 'acme', scope = 'session' } = {}): void {
    this.say({ revocation: { scope, tenant, sub: 'user-1', sid, reason: 'user', initiator: 'user' } });
  }

  /** A mass revocation. What is not of its scope is left out, as the service does. */
  revokeAll(scope: string, epoch: number, changes: Partial<MassRevocationFields> = {}): void {
    const tenant = scope === 'global' ? '' : 'acme';
    const sub = scope === 'user' ? 'user-1' : '';
    const client = scope === 'client' ? 'web' : '';
    this.say({ revocation: { scope, epoch, tenant, sub, client, reason: 'admin', ...changes } });
  }

  say(response: object): void {
    this.raw(Buffer.from(WatchResponseType.encode(response).finish()));
  }

  raw(bytes: Buffer): void {
    if (!this.destroyed) this.handlers.onMessage(bytes);
  }

  end(message: string, status?: number): void {
    if (!this.destroyed) this.handlers.onEnd({ message, status });
  }
}

/** The gRPC door as the watch client's transport. */
export class WatchDoorDouble {
  readonly streams: FakeStream[] = [];
  /** Whether renewals are answered by themselves. */
  answers = true;
  /** Whether a stream cannot even be opened. */
  broken = false;
  fields: RenewedFields;

  constructor(referenceTimeMs: number) {
    this.fields = { cursor: 'c1', referenceTimeMs, maxAccessTtlMs: 900_000, renewAfterMs: 500, ageMs: 0 };
  }

  get last(): FakeStream {
    const stream = this.streams.at(-1);
    if (stream === undefined) throw new Error('no stream was opened');
    return stream;
  }

  readonly dial: DialGrpc = (url, apiKey) => {
    if (this.broken) throw new Error('no descriptors left');
    let stream: FakeStream | undefined;
    return {
      call: (path, handlers) => {
        expect(path).toBe('/curfew.v1.RevocationService/Watch');
        stream = new FakeStream(url, apiKey, handlers, this);
        this.streams.push(stream);
        return stream;
      },
      destroy: () => stream?.destroy(),
    };
  };
}

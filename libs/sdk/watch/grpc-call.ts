import { connect, constants, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from 'node:http2';
import { frame, frameReader } from './frames.js';

const { NGHTTP2_CANCEL } = constants;
const MAX_MESSAGE_BYTES = 1 << 20;

/** Why a stream ended. */
export interface StreamEnd {
  /** A gRPC status (google.rpc.Code), if the service gave one. */
  readonly status?: number | undefined;
  /** For people. */
  readonly message: string;
}

export interface CallHandlers {
  onMessage(message: Buffer): void;
  /** Once, unless call or connection was destroyed from this side. No message follows. Status 0: all went well. */
  onEnd(end: StreamEnd): void;
}

export interface GrpcCall {
  /** @param last nothing follows: what a unary method waits for before it answers. */
  send(message: Uint8Array, last?: boolean): void;
  /** Ends this call; the connection stays. */
  destroy(): void;
}

export interface GrpcConnection {
  /**
   * Begins a call, `/package.Service/Method`. On a connection that is gone its end is told.
   * @throws Error for the same, in older versions of Node (seen with 20, not with 24).
   */
  call(path: string, handlers: CallHandlers): GrpcCall;
  /** Ends the calls, too. */
  destroy(): void;
}

export type DialGrpc = (url: string, apiKey: string) => GrpcConnection;

/** The end that a response's headers or trailers tell, if they do. */
function endOf(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): StreamEnd | undefined {
  const { 'grpc-status': status, 'grpc-message': reason = '', 'content-type': type = '' } = headers;
  const http = headers[':status'];
  if (status) {
    const code = Number(status);
    const text = String(reason).slice(0, 200).replaceAll('%20', ' ');
    return { status: code, message: `gRPC status ${code} ${text}` };
  }
  const good = !http || (http === 200 && type.startsWith('application/grpc'));
  return good ? undefined : { message: `HTTP status ${http}, ${type}` };
}

/**
 * gRPC over HTTP/2 (https://grpc.io/docs/…/PROTOCOL-HTTP2) on node:http2, with prior knowledge for `http:`. A connection that
 * cannot be made, or breaks, ends its calls. Keeps no process alive.
 */
export const dialGrpc: DialGrpc = (url, apiKey) => {
  const session = connect(url, { settings: { enablePush: false } });
  session.unref();
  // Its calls tell; and a destroyed connection may report once more.
  session.on('error', () => undefined);
  let connected = true;

  const call: GrpcConnection['call'] = (path, handlers) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: `Bearer ${apiKey}`,
    });
    const read = frameReader(MAX_MESSAGE_BYTES);
    let open = true;
    const destroy = (): void => {
      open = false;
      stream.close(NGHTTP2_CANCEL);
    };
    const end = (reason: StreamEnd): void => {
      if (!open || !connected) return;
      destroy();
      handlers.onEnd(reason);
    };
    const fail = ({ message }: Error): void => end({ message });
    const onHeaders = (headers: IncomingHttpHeaders & IncomingHttpStatusHeader): void => {
      const reason = endOf(headers);
      if (reason) end(reason);
    };
    stream.on('response', onHeaders);
    stream.on('trailers', onHeaders);
    stream.on('error', fail);
    stream.on('close', () => end({ message: 'closed' }));
    stream.on('data', (chunk: Buffer) => {
      try {
        for (const message of read(chunk)) {
          if (open && connected) handlers.onMessage(message);
        }
      } catch (error) {
        fail(error as Error);
      }
    });
    return {
      send: (message, last) => {
        if (open && connected) stream[last ? 'end' : 'write'](frame(message));
      },
      destroy,
    };
  };

  return {
    call,
    destroy: () => {
      connected = false;
      session.destroy();
    },
  };
};

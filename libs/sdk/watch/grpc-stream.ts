import { connect, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from 'node:http2';
import { unescape } from 'node:querystring';
import { frame, frameReader } from './frames.js';

const PATH = '/curfew.v1.RevocationService/Watch';
const MAX_MESSAGE_BYTES = 1 << 20;

/** Why a stream ended. */
export interface StreamEnd {
  /** A gRPC status (google.rpc.Code), if the service gave one. */
  readonly status?: number | undefined;
  /** For people. */
  readonly message: string;
}

export interface StreamHandlers {
  onMessage(message: Buffer): void;
  /** Once, unless the stream was destroyed from this side. No message follows. */
  onEnd(end: StreamEnd): void;
}

export interface WatchStream {
  send(message: Uint8Array): void;
  destroy(): void;
}

export type OpenWatchStream = (url: string, apiKey: string, handlers: StreamHandlers) => WatchStream;

/** The end that a response's headers or trailers tell, if they do. */
function endOf(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): StreamEnd | undefined {
  const { 'grpc-status': status, 'grpc-message': reason = '', ':status': http } = headers;
  if (status !== undefined) {
    const code = Number(status);
    return { status: code, message: `gRPC status ${code} ${unescape(String(reason)).slice(0, 200)}` };
  }
  const type = headers['content-type'] ?? '';
  const good = http === undefined || (http === 200 && type.startsWith('application/grpc'));
  return good ? undefined : { message: `HTTP status ${http}, ${type}` };
}

/**
 * One call of `Watch` on a connection of its own: gRPC over HTTP/2 (https://grpc.io/docs/…/PROTOCOL-HTTP2) on node:http2,
 * with prior knowledge for `http:`. Keeps no process alive. Whatever fails ends both call and connection.
 */
export const openGrpcStream: OpenWatchStream = (url, apiKey, handlers) => {
  const session = connect(url, { settings: { enablePush: false } });
  session.unref();
  const read = frameReader(MAX_MESSAGE_BYTES);
  let open = true;
  const destroy = (): void => {
    open = false;
    session.destroy();
  };
  const end = (reason: StreamEnd): void => {
    if (!open) return;
    destroy();
    handlers.onEnd(reason);
  };
  const fail = ({ message }: Error): void => end({ message });
  // `error` keeps a listener after the end: the destroyed connection may report once more.
  session.on('error', fail);

  const stream = session.request(
    {
      ':method': 'POST',
      ':path': PATH,
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: `Bearer ${apiKey}`,
    },
    { endStream: false },
  );
  const onHeaders = (headers: IncomingHttpHeaders & IncomingHttpStatusHeader): void => {
    const reason = endOf(headers);
    if (reason !== undefined) end(reason);
  };
  stream.on('response', onHeaders);
  stream.on('trailers', onHeaders);
  stream.on('error', fail);
  stream.on('close', () => end({ message: 'closed' }));
  stream.on('data', (chunk: Buffer) => {
    try {
      for (const message of read(chunk)) {
        if (open) handlers.onMessage(message);
      }
    } catch (error) {
      fail(error as Error);
    }
  });
  return { send: (message) => open && stream.write(frame(message)), destroy };
};

import type { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import type { RequestFacts } from '../browser-session/facts.js';

const headerOf = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
};

const socketIsTls = (request: IncomingMessage): boolean =>
  (request.socket as { encrypted?: boolean }).encrypted === true;

/** Reads Express lazily: `secure`, `host` and `ip` follow its "trust proxy" and cost more than a field. */
class ExpressFacts implements RequestFacts {
  constructor(private readonly request: Request) {}

  get method(): string {
    return this.request.method;
  }
  get url(): string {
    return this.request.originalUrl;
  }
  get host(): string | undefined {
    return this.request.host;
  }
  get encrypted(): boolean {
    return this.request.secure;
  }
  get remoteAddress(): string | undefined {
    return this.request.socket.remoteAddress;
  }
  get localAddress(): string | undefined {
    return this.request.socket.localAddress;
  }
  get ip(): string | undefined {
    return this.request.ip;
  }
  header(name: string): string | undefined {
    return headerOf(this.request, name);
  }
}

export const factsOfRequest = (request: Request): RequestFacts => new ExpressFacts(request);

/** A WebSocket upgrade does not pass Express: no proxy header is trusted. */
export function factsOfUpgrade(request: IncomingMessage): RequestFacts {
  const { remoteAddress, localAddress } = request.socket;
  return {
    method: request.method ?? 'GET',
    url: request.url ?? '/',
    host: request.headers.host,
    encrypted: socketIsTls(request),
    remoteAddress,
    localAddress,
    ip: remoteAddress,
    header: (name) => headerOf(request, name),
  };
}

import { Agent, request } from 'node:http';
import type { Client, Metadata, ServiceError } from '@grpc/grpc-js';
import { grpcClients } from '#local-cluster';
import type { IssuedSession } from '#sdk';
import type { BenchService } from './environment.js';

/** One of the service's doors, as a login service calls it. */
export interface Door {
  readonly name: string;
  create(sub: string): Promise<IssuedSession>;
  refresh(refreshToken: string): Promise<IssuedSession>;
  close(): void;
}

type Unary = (
  request: object,
  metadata: Metadata,
  done: (error: ServiceError | null, answer: IssuedSession) => void,
) => void;

export function grpcDoor(service: BenchService): Door {
  const clients = grpcClients(service.grpc, service.key);
  const client = clients.client('SessionService') as Client & Record<'Create' | 'Refresh', Unary>;
  const metadata = clients.metadata();
  const call = (method: 'Create' | 'Refresh', body: object): Promise<IssuedSession> =>
    new Promise((resolve, reject) => {
      client[method](body, metadata, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
  return {
    name: 'gRPC',
    create: (sub) => call('Create', { sub }),
    refresh: (refreshToken) => call('Refresh', { refreshToken }),
    close: () => clients.close(),
  };
}

export function restDoor(service: BenchService): Door {
  const agent = new Agent({ keepAlive: true, maxSockets: 128 });
  const call = (path: string, body: object): Promise<IssuedSession> =>
    new Promise((resolve, reject) => {
      const outgoing = request(
        service.http + path,
        {
          method: 'POST',
          agent,
          headers: { authorization: `Bearer ${service.key}`, 'content-type': 'application/json' },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => (text += chunk));
          response.on('end', () => {
            if ((response.statusCode ?? 500) < 300) resolve(JSON.parse(text) as IssuedSession);
            else reject(new Error(`HTTP ${response.statusCode ?? 0}: ${text}`));
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(JSON.stringify(body));
    });
  return {
    name: 'REST',
    create: (sub) => call('/v1/sessions', { sub }),
    refresh: (refreshToken) => call('/v1/sessions/refresh', { refreshToken }),
    close: () => agent.destroy(),
  };
}

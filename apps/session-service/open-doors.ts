import type { AddressInfo } from 'node:net';
import type { LoggerService, Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { CurfewError } from '#contracts';
import type { Tls } from '#watch-door';
import { AppModule, type Parts } from './app.module.js';
import { ApiKeyGuard } from './auth/api-key.guard.js';
import { fromGrpc } from './auth/call-context.js';
import { GrpcDoor } from './grpc/grpc-door.js';
import { createFastifyDoor } from './http/fastify-door.js';
import { describeRestDoor, OpenApiDocument } from './http/openapi.js';

interface Address {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
}

export interface DoorOptions<T> {
  readonly parts: Parts;
  readonly http: Address;
  readonly grpc: Address;
  readonly tls?: Tls;
  readonly logger: LoggerService | false;
  readonly useCases?: readonly Provider[];
  /** What must be done before anybody can call. */
  readonly beforeListening: (app: NestFastifyApplication) => Promise<T>;
}

/** Where the doors are, as URLs. */
export interface Endpoints {
  readonly http: string;
  readonly grpc: string;
}

export interface OpenDoors<T> {
  readonly endpoints: Endpoints;
  /** What `beforeListening` answered. */
  readonly prepared: T;
  /** Takes nothing new, lets calls under way end for a moment, then cuts them. */
  close(): Promise<void>;
}

/** How long calls under way may take to end when the doors close. */
const CLOSING_PATIENCE_MS = 3_000;

/** Connections that may wait to be taken (the system's own limit counts as well): nodes that lost their leases come together. */
const HTTP_BACKLOG = 4096;

/** A host as it stands in a URL; in place of every address of the machine, one that can be called. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

const cannotListen =
  (door: 'HTTP' | 'GRPC') =>
  (cause: unknown): never => {
    const reason = /E[A-Z]{4,}/.exec(cause instanceof Error ? cause.message : '')?.[0] ?? 'no reason given';
    throw new CurfewError('ERR_CONFIG', {
      detail: `CURFEW_${door}_HOST, CURFEW_${door}_PORT: cannot listen there (${reason})`,
      cause,
    });
  };

/** @throws CurfewError ERR_CONFIG when an address cannot be had; then nothing is left open. */
export async function openDoors<T>(options: DoorOptions<T>): Promise<OpenDoors<T>> {
  const { parts, http, grpc, tls } = options;
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.on(parts, options.useCases),
    createFastifyDoor(tls),
    { bodyParser: false, logger: options.logger, abortOnError: false },
  );
  const guard = app.get(ApiKeyGuard);
  const door = new GrpcDoor({
    ...grpc,
    ...(tls ? { tls } : {}),
    closingPatienceMs: CLOSING_PATIENCE_MS,
    admitReflection: (call) => guard.admit(fromGrpc(call), { kind: 'any-key' }),
  });
  // Without it the gRPC door would have neither guard nor filter.
  app.connectMicroservice({ strategy: door }, { inheritAppConfig: true });
  app.get(OpenApiDocument).document = describeRestDoor(app);
  const close = async () => {
    const server = app.getHttpServer();
    const cut = setTimeout(() => server.closeAllConnections(), CLOSING_PATIENCE_MS);
    await app.close().finally(() => {
      clearTimeout(cut);
    });
  };
  let prepared: T;
  try {
    await app.init();
    prepared = await options.beforeListening(app);
    await app.startAllMicroservices().catch(cannotListen('GRPC'));
    await app.listen({ ...http, backlog: HTTP_BACKLOG }).catch(cannotListen('HTTP'));
  } catch (error) {
    await close();
    throw error;
  }
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = (host: string, at: number) => `${tls ? 'https' : 'http'}://${reachable(host)}:${at}`;
  return { endpoints: { http: url(http.host, port), grpc: url(grpc.host, door.port) }, prepared, close };
}

import 'reflect-metadata';
import { RequestMethod, type Type } from '@nestjs/common';
import { accessOf, type Access } from './auth/access.js';
import { AuditGrpcController } from './grpc/audit.controller.js';
import { HealthGrpcController } from './grpc/health.controller.js';
import { ReceiptGrpcController } from './grpc/receipt.controller.js';
import { RenewGrpcController } from './grpc/renew.controller.js';
import { SessionGrpcController } from './grpc/unary.controllers.js';
import { WatchGrpcController } from './grpc/watch.controller.js';
import { ApiKeysController } from './http/api-keys.controller.js';
import { AuditController, SecurityFeedController } from './http/audit.controllers.js';
import { IntrospectionController } from './http/introspection.controller.js';
import { MetricsController } from './http/metrics.controller.js';
import { ProjectionsController } from './http/projections.controller.js';
import { HealthController, JwksController, OpenApiController } from './http/public.controllers.js';
import { ReceiptsController } from './http/receipts.controller.js';
import { RenewalsController } from './http/renewals.controller.js';
import { RevocationsController } from './http/revocations.controller.js';
import { SessionsController } from './http/sessions.controller.js';
import { TenantsController } from './http/tenants.controller.js';
import { UserSessionsController } from './http/user-sessions.controller.js';

/** Every way in, of both doors. */
export const CONTROLLERS: readonly Type[] = [
  SessionsController,
  UserSessionsController,
  TenantsController,
  RevocationsController,
  RenewalsController,
  ReceiptsController,
  AuditController,
  SecurityFeedController,
  ProjectionsController,
  IntrospectionController,
  ApiKeysController,
  JwksController,
  HealthController,
  OpenApiController,
  MetricsController,
  SessionGrpcController,
  AuditGrpcController,
  WatchGrpcController,
  RenewGrpcController,
  ReceiptGrpcController,
  HealthGrpcController,
];

export type Door =
  | {
      readonly kind: 'http';
      readonly method: string;
      /** With its parameters: `/v1/sessions/:sid`. */
      readonly path: string;
      readonly access: Access | undefined;
    }
  | {
      readonly kind: 'grpc';
      readonly service: string;
      readonly method: string;
      readonly access: Access | undefined;
    };

/** Keys under which Nest's decorators leave their metadata. */
const PATH = 'path';
const METHOD = 'method';
const PATTERN = 'microservices:pattern';

const methodsOf = (controller: Type): object[] =>
  Object.values(Object.getOwnPropertyDescriptors(controller.prototype as object))
    .map(({ value }) => value as unknown)
    .filter((value): value is object => typeof value === 'function' && value !== controller);

function doorsAt(handler: object, base: string): Door[] {
  const access = accessOf(handler);
  const path = Reflect.getMetadata(PATH, handler) as string | undefined;
  if (path !== undefined) {
    const method = RequestMethod[Reflect.getMetadata(METHOD, handler) as RequestMethod];
    return [
      { kind: 'http', method, path: `/${base}/${path}`.replace(/\/+/g, '/').replace(/(.)\/$/, '$1'), access },
    ];
  }
  const patterns = (Reflect.getMetadata(PATTERN, handler) ?? []) as { service: string; rpc: string }[];
  return patterns.map(({ service, rpc }) => ({ kind: 'grpc', service, method: rpc, access }));
}

/** Every route and method, found by reflection: a new one is in the list without anybody's help. */
export const listDoors = (): readonly Door[] =>
  CONTROLLERS.flatMap((controller) => {
    const base = (Reflect.getMetadata(PATH, controller) as string | undefined) ?? '';
    return methodsOf(controller).flatMap((handler) => doorsAt(handler, base));
  });

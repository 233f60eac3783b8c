import {
  status,
  type sendUnaryData,
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { loadProtos } from '#watch-door';

type HealthStatus = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
interface HealthRequest {
  readonly service?: string;
}
interface HealthAnswer {
  readonly status: HealthStatus;
}

const SERVICE = 'curfew.v1.RevocationService';
const POLL_MS = 500;
/** No key is asked for. */
const MAX_WATCHERS = 64;

/** grpc.health.v1, for orchestrators: without an API key. */
export function addHealth(server: Server, isServing: () => boolean): { stop(): void } {
  const open = new Set<() => void>();
  const now = (service = ''): HealthStatus => {
    if (service !== '' && service !== SERVICE) return 'SERVICE_UNKNOWN';
    return isServing() ? 'SERVING' : 'NOT_SERVING';
  };
  const check = (
    { request }: ServerUnaryCall<HealthRequest, HealthAnswer>,
    answer: sendUnaryData<HealthAnswer>,
  ): void => {
    const found = now(request.service);
    if (found === 'SERVICE_UNKNOWN') answer({ code: status.NOT_FOUND });
    else answer(null, { status: found });
  };
  const watch = (call: ServerWritableStream<HealthRequest, HealthAnswer>): void => {
    if (open.size >= MAX_WATCHERS) {
      call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'too many watchers' });
      return;
    }
    let told: HealthStatus | undefined;
    const tell = (): void => {
      const found = now(call.request.service);
      if (found !== told) call.write({ status: found });
      told = found;
    };
    const timer = setInterval(tell, POLL_MS).unref();
    const end = (): void => {
      clearInterval(timer);
      open.delete(end);
      call.end();
    };
    open.add(end);
    for (const event of ['cancelled', 'error']) call.on(event, end);
    tell();
  };
  const service = loadProtos()['grpc.health.v1.Health'] as unknown as ServiceDefinition;
  server.addService(service, { Check: check, Watch: watch });
  return {
    stop: () => {
      for (const end of [...open]) end();
    },
  };
}

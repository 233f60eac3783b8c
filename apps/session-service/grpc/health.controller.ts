import { Controller, type OnModuleDestroy } from '@nestjs/common';
import { GrpcMethod, Payload } from '@nestjs/microservices';
import { distinctUntilChanged, map, Subject, takeUntil, timer, type Observable } from 'rxjs';
import { CurfewError } from '#contracts';
import { PACKAGES } from '#watch-door';
import { Public } from '../auth/access.js';
import { Readiness } from '../readiness.js';

interface HealthStatus {
  readonly status: 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
}

const POLL_MS = 500;
const SERVICES = ['SessionService', 'RevocationService', 'AuditService'].map(
  (service) => `${PACKAGES[0]}.${service}`,
);

/** Health as every gRPC client and orchestrator asks for it (grpc.health.v1). All services are as well as the instance. */
@Controller()
export class HealthGrpcController implements OnModuleDestroy {
  private readonly closing = new Subject<void>();

  constructor(private readonly readiness: Readiness) {}

  @GrpcMethod('Health', 'Check')
  @Public()
  check(@Payload() { service }: { service?: string }): HealthStatus {
    // The protocol asks for this status, and `Watch` for SERVICE_UNKNOWN.
    if (!this.knows(service)) throw new CurfewError('ERR_NOT_FOUND');
    return this.now();
  }

  @GrpcMethod('Health', 'Watch')
  @Public()
  watch(@Payload() { service }: { service?: string }): Observable<HealthStatus> {
    return timer(0, POLL_MS).pipe(
      map((): HealthStatus => (this.knows(service) ? this.now() : { status: 'SERVICE_UNKNOWN' })),
      takeUntil(this.closing),
      distinctUntilChanged((before, now) => before.status === now.status),
    );
  }

  /** The doors close: a stream that stays open would hold them. */
  onModuleDestroy(): void {
    this.closing.next();
  }

  private knows(service: string | undefined): boolean {
    return service === undefined || service === '' || SERVICES.includes(service);
  }

  private now(): HealthStatus {
    return { status: this.readiness.isReady() ? 'SERVING' : 'NOT_SERVING' };
  }
}

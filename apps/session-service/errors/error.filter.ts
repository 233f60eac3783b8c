import { randomUUID } from 'node:crypto';
import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { throwError, type Observable } from 'rxjs';
import type { CurfewError } from '#contracts';
import { toGrpcStatus } from '#watch-door';
import type { HttpReply } from '../http/http-types.js';
import { toProblem } from './problem.js';
import { toCurfewError } from './to-curfew-error.js';

/** The one exception filter of both doors: every error leaves as an entry of the catalogue, and never with a stack. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('errors');

  catch(exception: unknown, host: ArgumentsHost): Observable<never> | undefined {
    const error = toCurfewError(exception);
    const errorId = this.report(error);
    if (host.getType() !== 'http') return throwError(() => toGrpcStatus(error, errorId));
    const reply = host.switchToHttp().getResponse<HttpReply>();
    const { status, headers, body } = toProblem(error, errorId);
    // The caller may have gone, or the answer may have begun.
    if (!reply.sent && !reply.raw.headersSent) void reply.status(status).headers(headers).send(body);
    return undefined;
  }

  /** @returns an id for the caller to quote, if the error is a defect of ours */
  report(error: CurfewError): string | undefined {
    const { code, entry, field } = error;
    if (entry.http === 500) {
      const errorId = randomUUID();
      const cause = error.cause ?? error;
      this.logger.error(
        `${code} ${errorId}: ${cause instanceof Error ? cause.message : 'something was thrown that is no error'}`,
        cause instanceof Error ? cause.stack : undefined,
      );
      return errorId;
    }
    const line = field === undefined ? code : `${code} (${field})`;
    if (entry.log === 'warn') this.logger.warn(line);
    else if (entry.log === 'info') this.logger.log(line);
    else this.logger.debug(line);
    return undefined;
  }
}

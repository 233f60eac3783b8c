import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import { mergeMap, type Observable } from 'rxjs';
import { ReadYourWrites } from '#application';

/** Answers to writes carry a position, and answers to queries do not. */
const isWriteAnswer = (answer: unknown): answer is { readonly position: string } =>
  typeof answer === 'object' &&
  answer !== null &&
  typeof (answer as { position?: unknown }).position === 'string';

/** On a store whose views follow the log, the answer to a write waits for the view, bounded, and says when it did not come. */
@Injectable()
export class ReadYourWritesInterceptor implements NestInterceptor {
  constructor(private readonly writes: ReadYourWrites) {}

  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next
      .handle()
      .pipe(
        mergeMap((answer: unknown) =>
          isWriteAnswer(answer) ? this.writes.after(answer) : Promise.resolve(answer),
        ),
      );
  }
}

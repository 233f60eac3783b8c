import { Query } from '@nestjs/cqrs';
import type { CallContext } from '../../caller.js';
import type { ProjectionStatus } from '../../ports/projections.port.js';

/** Every read model with its state, lag and rebuild. Scope: admin, with a key for every tenant. Errors: ERR_FORBIDDEN. */
export class ListProjections extends Query<readonly ProjectionStatus[]> {
  constructor(readonly context: CallContext) {
    super();
  }
}

import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { readAtLeast } from '../dto/position.js';
import { incomingCall } from './call-context.js';

/** Metadata has lower-case names only; an error names what the caller wrote. */
const HEADER = { http: 'Curfew-At-Least', rpc: 'curfew-at-least' };

/** To be spread into a query's input: without the header there is no such field. */
export interface AtLeastInput {
  readonly atLeast?: string;
}

/** Parameter of both doors: the position that the answer must show at least, from header or metadata (G8). */
export const AtLeast = createParamDecorator((_data: unknown, context: ExecutionContext): AtLeastInput => {
  const header = incomingCall(context).header(HEADER.rpc);
  const atLeast = readAtLeast(header, context.getType() === 'http' ? HEADER.http : HEADER.rpc);
  return atLeast === undefined ? {} : { atLeast };
});

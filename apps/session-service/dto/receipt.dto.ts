import { AnyText, Choice, Integer, QueryFlag, QueryInteger } from './fields.js';
import { TenantQuery } from './session.dto.js';

const TIMEOUT = { min: 1, max: 60_000, description: 'How long to wait, milliseconds; 10,000 if absent.' };

export class ReceiptQuery extends TenantQuery {
  @Choice(['all'], { description: 'Answer when no node is outstanding, or when the time is over.' })
  readonly wait?: 'all';

  @QueryInteger(TIMEOUT)
  readonly timeout?: number;
}

export class GetReceiptMessage extends TenantQuery {
  @AnyText({ required: true, description: '`revocation_id` of the revocation.' })
  readonly id!: string;

  @QueryFlag({ description: 'Answer when no node is outstanding, or when the time is over.' })
  readonly wait?: boolean;

  @Integer(TIMEOUT)
  readonly timeoutMs?: number;
}

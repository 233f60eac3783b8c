import { Instant, Line, QueryFlag, QueryInteger } from './fields.js';
import { CursorField } from './list.dto.js';
import { POSITION } from './position.js';
import { TenantField } from './session.dto.js';

const AT = 'What was recorded until then, it included: RFC 3339, or milliseconds since the epoch.';

const AtPositionField = () =>
  Line({
    ...POSITION,
    description: 'What stands in the log up to this position, it included; in place of an instant.',
  });

/** A moment: an instant or a position. That it is exactly one of them is checked by the use case. */
export class SessionAtQuery {
  @TenantField()
  readonly tenant?: string;

  @Instant({ description: AT })
  readonly at?: number;

  @AtPositionField()
  readonly atPosition?: string;
}

export class UserSessionsAtQuery extends SessionAtQuery {
  @QueryInteger({ min: 1, max: 100, description: 'Sessions a page; 50 if absent.' })
  readonly limit?: number;

  @CursorField()
  readonly cursor?: string;

  @QueryFlag({ description: 'Sessions that had ended by then, too.' })
  readonly includeEnded?: boolean;
}

export class SecurityFeedQuery {
  @TenantField()
  readonly tenant?: string;

  @QueryInteger({ min: 1, max: 200, description: 'Entries a page; 100 if absent.' })
  readonly limit?: number;

  @CursorField()
  readonly cursor?: string;
}

export class CountersQuery {
  @Instant({ required: true, description: 'Begin, included: RFC 3339, or milliseconds since the epoch.' })
  readonly from!: number;

  @Instant({ required: true, description: 'End, not included; at most 31 days after `from`.' })
  readonly to!: number;
}

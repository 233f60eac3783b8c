import { Line, QueryFlag, QueryInteger } from './fields.js';
import { SID, TenantField } from './session.dto.js';

export const CursorField = () => Line({ max: 512, description: '`nextCursor` of the page before.' });

export class TenantSessionsQuery {
  @QueryInteger({ min: 1, max: 100, description: 'Sessions a page; 50 if absent.' })
  readonly limit?: number;

  @CursorField()
  readonly cursor?: string;

  @QueryFlag({ description: 'Ended sessions too.' })
  readonly includeEnded?: boolean;
}

export class ListSessionsQuery extends TenantSessionsQuery {
  @TenantField()
  readonly tenant?: string;

  @Line({ ...SID, description: 'A sid: that session is marked as the current one.' })
  readonly current?: string;
}

export class HistoryQuery {
  @TenantField()
  readonly tenant?: string;

  @QueryInteger({ min: 1, max: 200, description: 'Events a page; 100 if absent.' })
  readonly limit?: number;

  @CursorField()
  readonly cursor?: string;
}

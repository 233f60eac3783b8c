import { Line, QueryFlag, QueryInteger } from './fields.js';
import { TenantField } from './session.dto.js';

const CursorField = () => Line({ max: 512, description: '`nextCursor` of the page before.' });

export class ListSessionsQuery {
  @TenantField()
  readonly tenant?: string;

  @QueryInteger({ min: 1, max: 100, description: 'Sessions a page; 50 if absent.' })
  readonly limit?: number;

  @CursorField()
  readonly cursor?: string;

  @QueryFlag({ description: 'Ended sessions too.' })
  readonly includeEnded?: boolean;
}

export class HistoryQuery {
  @TenantField()
  readonly tenant?: string;

  @QueryInteger({ min: 1, max: 200, description: 'Events a page; 100 if absent.' })
  readonly limit?: number;

  @CursorField()
  readonly cursor?: string;
}

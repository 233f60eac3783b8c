import type { EventMetadata, RecordedEvent } from '#application';
import { toPosition } from '../position.js';

export const EVENT_COLUMNS = `e.tx::text as tx_text, e.position::text as position_text, e.stream, e.revision, e.event_id,
  e.type, e.schema_version, e.data, e.metadata`;

/** A row of `EVENT_COLUMNS`. */
export interface EventRow {
  readonly tx_text: string;
  readonly position_text: string;
  readonly stream: string;
  readonly revision: number;
  readonly event_id: string;
  readonly type: string;
  readonly schema_version: number;
  readonly data: Record<string, unknown>;
  readonly metadata: EventMetadata;
}

export const toRecordedEvent = (row: EventRow): RecordedEvent => ({
  id: row.event_id,
  type: row.type,
  schemaVersion: row.schema_version,
  data: row.data,
  metadata: row.metadata,
  stream: row.stream,
  revision: row.revision,
  position: toPosition(row.tx_text, row.position_text),
});

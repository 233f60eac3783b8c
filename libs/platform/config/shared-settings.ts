import { Duration, Text } from './setting.js';

const SECOND = 1_000;

/** What `CURFEW_MAX_ACCESS_TTL` is unless set; the setting is {@link MaxAccessTtl}. */
export const DEFAULT_MAX_ACCESS_TTL = 900 * SECOND;

/** Declares `CURFEW_MAX_ACCESS_TTL`, for the service and for what prepares its topics. */
export const MaxAccessTtl = Duration({
  doc: 'No access token lives longer, and nodes refuse one that does. Nodes remember revocations for this long.',
  default: '900s',
  min: SECOND,
  max: 86_400 * SECOND,
});

/** Declares `NODE_ENV`. */
export const NodeEnv = Text('any text', {
  doc: 'With `production`, a missing `DATABASE_URL` stops the start (an empty database by accident would sign everybody out), and topics are asked for with three copies.',
  max: 64,
});

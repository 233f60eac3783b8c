import type { StreamAppend } from '#application';
import { CurfewError } from '#contracts';

/** In JSON text: an escaped NUL or half of a surrogate pair. The escape may follow escaped backslashes. */
const UNSTORABLE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/;

/**
 * JSON of what is appended.
 * @throws CurfewError ERR_VALIDATION for text with a NUL or half a surrogate pair: jsonb cannot hold it, and every adapter
 *   refuses it alike.
 */
export function storableJson(value: unknown): string {
  const json = JSON.stringify(value);
  if (json.includes('\\u') && UNSTORABLE.test(json)) {
    throw new CurfewError('ERR_VALIDATION', { detail: 'text must not contain NUL or half a surrogate pair' });
  }
  return json;
}

/** Defects of the caller: no event, or a stream named twice. */
export function assertWellFormed(appends: readonly StreamAppend[]): void {
  const streams = new Set(appends.map(({ stream }) => stream));
  if (appends.length === 0 || streams.size !== appends.length) {
    throw new TypeError('an append names one or several different streams');
  }
  for (const { events, expectedRevision } of appends) {
    if (events.length === 0) throw new TypeError('an append to a stream holds at least one event');
    if (!Number.isSafeInteger(expectedRevision) || expectedRevision < -1) {
      throw new TypeError('an expected revision is -1 or above');
    }
  }
}

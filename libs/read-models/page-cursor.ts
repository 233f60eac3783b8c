import { CurfewError } from '#contracts';

/** Sort key of the last entry of a page, newest first; the next page has what is older. */
export interface PageEnd {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Orders what is of one instant. */
  readonly id: string;
}

/** Before the first page: newer than every entry. */
const BEFORE_FIRST_PAGE: PageEnd = { at: Number.MAX_SAFE_INTEGER, id: '' };

const LONGEST_CURSOR = 512;

export const pageCursor = ({ at, id }: PageEnd): string =>
  Buffer.from(JSON.stringify([at, id])).toString('base64url');

/** @throws CurfewError ERR_VALIDATION for text that `pageCursor` did not make. */
export function parsePageCursor(cursor: string | undefined): PageEnd {
  if (cursor === undefined) return BEFORE_FIRST_PAGE;
  if (cursor.length <= LONGEST_CURSOR) {
    const end = pageEnd(Buffer.from(cursor, 'base64url').toString());
    // Buffer ignores what is not base64url: only the very text that was given out is taken.
    if (end !== undefined && pageCursor(end) === cursor) return end;
  }
  throw new CurfewError('ERR_VALIDATION', { field: 'cursor', detail: 'not a cursor of this list' });
}

function pageEnd(json: string): PageEnd | undefined {
  try {
    const parsed: unknown = JSON.parse(json);
    if (!Array.isArray(parsed)) return undefined;
    const [at, id] = parsed as unknown[];
    const valid = typeof at === 'number' && Number.isSafeInteger(at) && typeof id === 'string';
    return valid && !id.includes('\0') ? { at, id } : undefined;
  } catch {
    return undefined;
  }
}

import { CurfewError } from '#contracts';

/** The last session of a page; the next page has what is older. */
export interface PageEnd {
  readonly createdAt: number;
  readonly sid: string;
}

const LONGEST_CURSOR = 512;

export const pageCursor = ({ createdAt, sid }: PageEnd): string =>
  Buffer.from(JSON.stringify([createdAt, sid])).toString('base64url');

/** @throws CurfewError ERR_VALIDATION for text that `pageCursor` did not make. */
export function parsePageCursor(cursor: string): PageEnd {
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
    const [createdAt, sid] = parsed as unknown[];
    const valid = typeof createdAt === 'number' && Number.isSafeInteger(createdAt) && typeof sid === 'string';
    return valid && !sid.includes('\0') ? { createdAt, sid } : undefined;
  } catch {
    return undefined;
  }
}

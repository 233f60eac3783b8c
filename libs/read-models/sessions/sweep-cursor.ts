/** The last session that a step of the sweep looked at, in the order of the index that it walks. */
export interface SweepEnd {
  readonly tenant: string;
  readonly createdAt: number;
  readonly sid: string;
}

const BEGIN: SweepEnd = { tenant: '', createdAt: -1, sid: '' };

export const sweepCursor = ({ tenant, createdAt, sid }: SweepEnd): string =>
  JSON.stringify([tenant, createdAt, sid]);

/** @throws SyntaxError for text that `sweepCursor` did not make: it comes from no caller. */
export function parseSweepCursor(cursor: string): SweepEnd {
  if (cursor === '') return BEGIN;
  const [tenant, createdAt, sid] = JSON.parse(cursor) as [string, number, string];
  return { tenant, createdAt, sid };
}

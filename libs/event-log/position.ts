import type { Position } from '#application';

/** Order in the log: the transaction first, then the number within it (DESIGN §8). Both decimal. */
export interface LogOrder {
  readonly tx: string;
  readonly number: string;
}

const TX_DIGITS = 20;
const NUMBER_DIGITS = 19;
const POSITION = /^(\d{20}):(\d{19})$/;

/** Zero-padded, so that comparing the texts compares the positions. */
export const toPosition = (tx: string, number: string): Position =>
  `${tx.padStart(TX_DIGITS, '0')}:${number.padStart(NUMBER_DIGITS, '0')}`;

/** @throws RangeError for what is no position of this log. */
export function parsePosition(position: Position): LogOrder {
  if (position === '') return { tx: '0', number: '0' };
  const match = POSITION.exec(position);
  if (!match) throw new RangeError('not a position of this log');
  // PostgreSQL would read leading zeros of an xid8 as octal.
  return { tx: BigInt(match[1]!).toString(), number: BigInt(match[2]!).toString() };
}

/** Whether the text can be a position of this log. */
export const isPosition = (text: string): boolean => text === '' || POSITION.test(text);

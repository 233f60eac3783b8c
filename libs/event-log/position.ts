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

/** The largest xid8 and bigint: PostgreSQL refuses what is above. */
const LAST_TX = (2n ** 64n - 1n).toString();
const LAST_NUMBER = (2n ** 63n - 1n).toString();

/** Whether the text can be a position of this log. */
export function isPosition(text: string): boolean {
  if (text === '') return true;
  const match = POSITION.exec(text);
  return match !== null && match[1]! <= LAST_TX && match[2]! <= LAST_NUMBER;
}

/** @throws RangeError for what is no position of this log. */
export function parsePosition(position: Position): LogOrder {
  if (position === '') return { tx: '0', number: '0' };
  if (!isPosition(position)) throw new RangeError('not a position of this log');
  const [tx = '', number = ''] = position.split(':');
  // PostgreSQL would read leading zeros of an xid8 as octal.
  return { tx: BigInt(tx).toString(), number: BigInt(number).toString() };
}

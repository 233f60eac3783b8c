import type { Position } from '#application';

/** Where an event stands in `$all`. */
export interface AllPosition {
  readonly commit: bigint;
  readonly prepare: bigint;
}

/** Of the largest unsigned 64-bit number. */
const DIGITS = 20;
const POSITION = /^(\d{20})\/(\d{20})$/;

/** Zero-padded, so that comparing the texts compares the positions. */
export const toPosition = ({ commit, prepare }: AllPosition): Position =>
  `${commit.toString().padStart(DIGITS, '0')}/${prepare.toString().padStart(DIGITS, '0')}`;

/** Whether the text can be a position of an event. */
export const isEventPosition = (text: string): boolean => POSITION.test(text);

/** Whether the text can be a position of this log. */
export const isPosition = (text: string): boolean => text === '' || isEventPosition(text);

/** Before the first event, as a position that is not empty. */
export const BEGINNING: Position = toPosition({ commit: 0n, prepare: 0n });

/** @throws RangeError for what is no position of this log. '' is the beginning. */
export function parsePosition(position: Position): AllPosition {
  const match = POSITION.exec(position === '' ? BEGINNING : position);
  if (!match) throw new RangeError('not a position of this log');
  return { commit: BigInt(match[1]!), prepare: BigInt(match[2]!) };
}

/** The later of two positions. */
export const later = (a: Position, b: Position): Position => (a > b ? a : b);

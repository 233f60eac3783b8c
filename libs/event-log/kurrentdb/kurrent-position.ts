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

/** Positions of events are signed on the server. */
const LAST = (2n ** 63n - 1n).toString().padStart(DIGITS, '0');

/** Whether the text can be a position of an event. */
export function isEventPosition(text: string): boolean {
  const match = POSITION.exec(text);
  return match !== null && match[1]! <= LAST && match[2]! <= LAST;
}

/** Whether the text can be a position of this log. */
export const isPosition = (text: string): boolean => text === '' || isEventPosition(text);

/** Before the first event, as a position that is not empty. */
export const BEGINNING: Position = toPosition({ commit: 0n, prepare: 0n });

/** @throws RangeError for what is no position of this log. '' is the beginning. */
export function parsePosition(position: Position): AllPosition {
  const text = position === '' ? BEGINNING : position;
  if (!isEventPosition(text)) throw new RangeError('not a position of this log');
  const [commit = '', prepare = ''] = text.split('/');
  return { commit: BigInt(commit), prepare: BigInt(prepare) };
}

/** The later of two positions. */
export const later = (a: Position, b: Position): Position => (a > b ? a : b);

/** Control characters (C0, DEL, C1) and halves of surrogate pairs: nothing that a person typed. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;
const ALL_UNPRINTABLE = /[\p{Cc}\p{Cs}]/gu;

/** Well-formed Unicode without control characters. */
export const isClean = (text: string): boolean => !UNPRINTABLE.test(text);

/** Whether a value is a clean string of `min` to `max` UTF-16 units. */
export const isLine = (value: unknown, min: number, max: number): value is string =>
  typeof value === 'string' && value.length >= min && value.length <= max && isClean(value);

export const MAX_USER_AGENT = 512;

/**
 * A user agent as it may be kept: cut, and cleaned of what could not be stored. It is never refused: the browser wrote it,
 * and a login must not fail on it. Undefined when nothing is left.
 */
export function tidyUserAgent(text: string): string | undefined {
  const cut = text.slice(0, MAX_USER_AGENT).replace(ALL_UNPRINTABLE, '\ufffd');
  return cut === '' ? undefined : cut;
}

/** A name for an error's `field`: what the caller wrote may be anything, and long. */
export const tidyFieldName = (name: string): string => name.slice(0, 100).replace(ALL_UNPRINTABLE, '\ufffd');

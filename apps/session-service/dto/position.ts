import { CurfewError } from '#contracts';

/** Positions are opaque to callers, and made to stand in a header. */
export const POSITION = { max: 128, pattern: /^[\x21-\x7e]+$/, accepts: '1 to 128 visible ASCII characters' };

/**
 * Reads the `Curfew-At-Least` header, or its metadata: a position that the answer must show (G8). An empty one is the position
 * of a write that wrote nothing, and asks for nothing.
 * @param name of the header, for the error
 * @throws CurfewError ERR_VALIDATION
 */
export function readAtLeast(header: string | undefined, name: string): string | undefined {
  if (header === undefined || header === '') return undefined;
  if (header.length > POSITION.max || !POSITION.pattern.test(header))
    throw new CurfewError('ERR_VALIDATION', { field: name, detail: `must be ${POSITION.accepts}` });
  return header;
}

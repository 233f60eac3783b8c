import { isUtf8 } from 'node:buffer';
import { CurfewError } from '#contracts';

/** A body that came as `application/x-www-form-urlencoded`; a class, so that no JSON body can pass for one. */
export class Form {
  constructor(readonly fields: ReadonlyMap<string, string>) {}
}

const malformed = (detail: string, field?: string) =>
  new CurfewError('ERR_MALFORMED_BODY', field === undefined ? { detail } : { detail, field });

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw malformed('the form is not well-formed');
  }
}

/**
 * Parses a form strictly: well-formed UTF-8 behind the percent signs, no field twice (RFC 6749 §3.1).
 * @throws CurfewError ERR_MALFORMED_BODY
 */
export function parseForm(source: Buffer): Form {
  if (!isUtf8(source)) throw malformed('the body is not UTF-8');
  const fields = new Map<string, string>();
  for (const pair of source.toString().split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    if (fields.has(name)) throw malformed('a field is named twice', name);
    fields.set(name, equals < 0 ? '' : decode(pair.slice(equals + 1)));
  }
  return new Form(fields);
}

import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import type { CurfewError } from '#contracts';

/** Fields that carry their unit or form in the proto files' names; `atLeast` is metadata. */
const PROTO_NAMES = new Map([
  ['claims', 'claims_json'],
  ['at', 'at_ms'],
  ['from', 'from_ms'],
  ['to', 'to_ms'],
  ['atLeast', 'curfew-at-least'],
]);

/** A field by its name in the proto files: `device.userAgent` is `device.user_agent` there. */
const protoName = (field: string): string =>
  PROTO_NAMES.get(field) ?? field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Metadata values are visible ASCII. */
const headerSafe = (text: string): string => text.replace(/[^\x21-\x7e]/g, '?');

/** An error as a gRPC status, with the catalogue's code, the field at fault and the delay to retry after in the trailer. */
export function toGrpcStatus(error: CurfewError, errorId?: string): StatusObject {
  const metadata = new Metadata();
  metadata.set('curfew-error-code', error.code);
  if (error.field !== undefined) metadata.set('curfew-error-field', headerSafe(protoName(error.field)));
  if (error.retryAfter !== undefined) metadata.set('retry-after', String(Math.ceil(error.retryAfter)));
  if (errorId !== undefined) metadata.set('curfew-error-id', errorId);
  const details = error.detail === undefined ? error.entry.title : `${error.entry.title}: ${error.detail}`;
  return { code: status[error.entry.grpc], details, metadata };
}

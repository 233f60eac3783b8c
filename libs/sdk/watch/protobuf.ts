/**
 * The messages of `RevocationService.Watch` (libs/contracts/proto/curfew/v1/revocation.proto), and nothing else of protocol
 * buffers: https://protobuf.dev/programming-guides/encoding/. Unknown fields are skipped.
 */
export interface Revocation {
  readonly scope: string;
  readonly tenant: string;
  readonly sid: string;
}

export interface Renewed {
  readonly id: number;
  readonly cursor: string;
  readonly referenceTimeMs: number;
  readonly maxAccessTtlMs: number;
  readonly renewAfterMs: number;
  readonly ageMs: number;
}

export interface WatchResponse {
  readonly revocation?: Revocation;
  readonly renewed?: Renewed;
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Above 2^53 a value loses digits; no id that was sent is that great, so none can be mistaken for another. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  return [...bytes, value];
}

function bytesField(field: number, value: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([(field << 3) | BYTES, ...varint(value.length)]), value]);
}

export function encodeHello(nodeId: string, cursor: string): Buffer {
  return bytesField(
    1,
    Buffer.concat([bytesField(1, Buffer.from(nodeId)), bytesField(2, Buffer.from(cursor))]),
  );
}

/** @param id 1 to 2^53 - 1. */
export function encodeRenew(id: number): Buffer {
  return bytesField(2, Buffer.from([(1 << 3) | VARINT, ...varint(id)]));
}

const malformed = (): RangeError => new RangeError('malformed message');

/** The last value of each field by number. @throws RangeError if the bytes are no message. */
function fieldsOf(message: Buffer): Map<number, number | Buffer> {
  const fields = new Map<number, number | Buffer>();
  let at = 0;
  const readVarint = (): number => {
    let value = 0;
    for (let factor = 1; factor < 2 ** 70; factor *= 0x80) {
      const byte = message.readUInt8(at++);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw malformed();
  };
  const skip = (length: number): Buffer => {
    if (length > message.length - at) throw malformed();
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = readVarint();
    const field = Math.floor(tag / 8);
    const type = tag % 8;
    if (field === 0) throw malformed();
    if (type === VARINT) fields.set(field, readVarint());
    else if (type === BYTES) fields.set(field, skip(readVarint()));
    else if (type === FIXED64) skip(8);
    else if (type === FIXED32) skip(4);
    else throw malformed();
  }
  return fields;
}

type Fields = ReturnType<typeof fieldsOf>;

const textOf = (fields: Fields, field: number): string => {
  const value = fields.get(field);
  return value instanceof Buffer ? value.toString() : '';
};

const numberOf = (fields: Fields, field: number): number => {
  const value = fields.get(field);
  return typeof value === 'number' ? value : 0;
};

/** @throws RangeError if the bytes are no message. A kind of message that is not known here comes back empty. */
export function decodeWatchResponse(bytes: Buffer): WatchResponse {
  const message = fieldsOf(bytes);
  const revocation = message.get(1);
  const renewed = message.get(2);
  if (revocation instanceof Buffer) {
    const fields = fieldsOf(revocation);
    return {
      revocation: {
        scope: textOf(fields, 1),
        tenant: textOf(fields, 2),
        sid: textOf(fields, 4),
      },
    };
  }
  if (!(renewed instanceof Buffer)) return {};
  const fields = fieldsOf(renewed);
  return {
    renewed: {
      id: numberOf(fields, 1),
      cursor: textOf(fields, 2),
      referenceTimeMs: numberOf(fields, 3),
      maxAccessTtlMs: numberOf(fields, 4),
      renewAfterMs: numberOf(fields, 5),
      ageMs: numberOf(fields, 6),
    },
  };
}

/**
 * The messages of `RevocationService.Watch` (libs/contracts/proto/curfew/v1/revocation.proto), and nothing else of protocol
 * buffers: https://protobuf.dev/programming-guides/encoding/. Unknown fields are skipped.
 */
export interface Revocation {
  readonly scope: string;
  readonly tenant: string;
  readonly sub: string;
  readonly sid: string;
  readonly clientId: string;
  /** 0 for a session, which has none. */
  readonly epoch: number;
  /** sid → from. */
  readonly excepted: ReadonlyMap<string, number>;
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

export const numberField = (field: number, value: number): Buffer =>
  Buffer.from([(field << 3) | VARINT, ...varint(value)]);

/** Text, or a message of these fields. */
export function bytesField(field: number, ...value: readonly (Buffer | string)[]): Buffer {
  const bytes = Buffer.concat(value.map((part) => Buffer.from(part as string)));
  return Buffer.concat([Buffer.from([(field << 3) | BYTES, ...varint(bytes.length)]), bytes]);
}

/** @param bound B in milliseconds. */
export const encodeHello = (nodeId: string, cursor: string, bound: number): Buffer =>
  bytesField(1, bytesField(1, nodeId), bytesField(2, cursor), numberField(3, bound));

/** @param id @param applied 1 to 2^53 - 1; `applied` is 0 when no answer came yet. */
export const encodeRenew = (id: number, applied: number): Buffer =>
  bytesField(2, numberField(1, id), numberField(2, applied));

export const malformed = (): RangeError => new RangeError('malformed message');

/** A message's fields by number. What is absent, or of another wire type, reads as the default. */
interface Fields {
  readonly text: (field: number) => string;
  readonly number: (field: number) => number;
  /** Each value of a repeated field, or of one with a message. */
  readonly messages: (field: number) => Fields[];
}

/** @throws RangeError if the bytes are no message. */
export function fieldsOf(message: Buffer): Fields {
  /** By tag, which is field and wire type: a value of another type is that of an unknown field. */
  const fields = new Map<number, (number | Buffer)[]>();
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
    const type = tag % 8;
    if (tag < 8) throw malformed();
    const values = fields.get(tag) ?? [];
    fields.set(tag, values);
    if (type === VARINT) values.push(readVarint());
    else if (type === BYTES) values.push(skip(readVarint()));
    else if (type === FIXED64) skip(8);
    else if (type === FIXED32) skip(4);
    else throw malformed();
  }
  const all = (field: number, type: number): (number | Buffer)[] => fields.get(field * 8 + type) ?? [];
  return {
    // The last value of a field counts, unless it is repeated.
    text: (field) => String(all(field, BYTES).at(-1) ?? ''),
    number: (field) => Number(all(field, VARINT).at(-1) ?? 0),
    messages: (field) => all(field, BYTES).map((bytes) => fieldsOf(bytes as Buffer)),
  };
}

/** @throws RangeError if the bytes are no message. A kind of message that is not known here comes back empty. */
export function decodeWatchResponse(bytes: Buffer): WatchResponse {
  const message = fieldsOf(bytes);
  const [revocation] = message.messages(1);
  const [renewed] = message.messages(2);
  if (revocation) {
    const { text, number, messages } = revocation;
    const excepted = new Map(messages(10).map((entry) => [entry.text(1), entry.number(2)]));
    return {
      revocation: {
        scope: text(1),
        tenant: text(2),
        sub: text(3),
        sid: text(4),
        clientId: text(8),
        epoch: number(9),
        excepted,
      },
    };
  }
  if (!renewed) return {};
  const { text, number } = renewed;
  return {
    renewed: {
      id: number(1),
      cursor: text(2),
      referenceTimeMs: number(3),
      maxAccessTtlMs: number(4),
      renewAfterMs: number(5),
      ageMs: number(6),
    },
  };
}

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeWatchResponse, encodeHello, encodeRenew } from './protobuf.js';
import { WatchRequestType, WatchResponseType } from './watch-door.double.js';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const text = fc.string({ unit: 'grapheme', maxLength: 300 });
const uint32 = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 0xffff_ffff }));
const safe = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }));

const revocation = fc.record({
  scope: text,
  tenant: text,
  sub: text,
  sid: text,
  reason: text,
  initiator: text,
  position: text,
  client: text,
  epoch: uint32,
  excepted: fc.dictionary(text, uint32, { maxKeys: 32 }),
});
const renewed = fc.record({
  id: safe,
  cursor: text,
  referenceTimeMs: safe,
  maxAccessTtlMs: uint32,
  renewAfterMs: uint32,
  ageMs: uint32,
});

/** A revocation without a field. */
const NOBODY = { scope: '', tenant: '', sub: '', sid: '', clientId: '', epoch: 0, excepted: new Map() };

/** Fields that this version does not know, of each wire type. */
const unknownField = fc
  .tuple(fc.integer({ min: 20, max: 0xffff }), fc.constantFrom(0, 1, 2, 5), fc.uint8Array({ maxLength: 40 }))
  .map(([field, type, bytes]) => {
    const varint = (value: number): number[] =>
      value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))];
    const tag = varint(field * 8 + type);
    if (type === 0) return [...tag, ...Array.from({ length: 9 }, () => 0xff), 1];
    if (type === 2) return [...tag, ...varint(bytes.length), ...bytes];
    return [...tag, ...Array.from({ length: type === 1 ? 8 : 4 }, () => 0xee)];
  });

describe(`the codec against protobufjs (seed ${seed})`, () => {
  it('writes what protobufjs reads', () => {
    fc.assert(
      fc.property(text, text, safe, safe, (nodeId, cursor, id, applied) => {
        const read = (bytes: Uint8Array): object =>
          WatchRequestType.toObject(WatchRequestType.decode(bytes), { longs: Number, defaults: true });
        expect(read(encodeHello(nodeId, cursor, 2000))).toEqual({
          hello: { nodeId, cursor, boundMs: 2000, passesOn: false },
        });
        expect(read(encodeRenew(id, applied))).toEqual({ renew: { id, applied } });
      }),
      { seed },
    );
  });

  it('reads what protobufjs writes, with unknown fields in between', () => {
    const message = fc.oneof(
      revocation.map((value) => ({ revocation: value })),
      renewed.map((value) => ({ renewed: value })),
    );
    fc.assert(
      fc.property(message, fc.array(unknownField, { maxLength: 3 }), (value, unknown) => {
        const bytes = Buffer.concat([
          Buffer.from(unknown.flat()),
          WatchResponseType.encode(value).finish(),
          Buffer.from(unknown.flat()),
        ]);
        expect(decodeWatchResponse(bytes)).toEqual(
          'renewed' in value
            ? value
            : {
                revocation: {
                  scope: value.revocation.scope,
                  tenant: value.revocation.tenant,
                  sub: value.revocation.sub,
                  sid: value.revocation.sid,
                  clientId: value.revocation.client,
                  epoch: value.revocation.epoch,
                  excepted: new Map(Object.entries(value.revocation.excepted)),
                },
              },
        );
      }),
      { seed },
    );
  });

  it('reads fields that are absent as their defaults, and an unknown message as nothing', () => {
    expect(decodeWatchResponse(Buffer.from([0x12, 0x00]))).toEqual({
      renewed: { id: 0, cursor: '', referenceTimeMs: 0, maxAccessTtlMs: 0, renewAfterMs: 0, ageMs: 0 },
    });
    expect(decodeWatchResponse(Buffer.from([0x1a, 0x01, 0xff]))).toEqual({});
    expect(decodeWatchResponse(Buffer.alloc(0))).toEqual({});
  });

  it('takes a field of another wire type for an unknown one', () => {
    expect(decodeWatchResponse(Buffer.from([0x08, 0x05]))).toEqual({});
    expect(decodeWatchResponse(Buffer.from([0x0a, 0x02, 0x08, 0x05]))).toEqual({
      revocation: NOBODY,
    });
  });

  it('takes exceptions of another wire type for unknown ones, and reads absent keys and values as defaults', () => {
    const revocation = [0x0a, 0x08, 0x50, 0x05, 0x52, 0x00, 0x52, 0x02, 0x0a, 0x00];
    expect(decodeWatchResponse(Buffer.from(revocation))).toEqual({
      revocation: { ...NOBODY, excepted: new Map([['', 0]]) },
    });
  });

  it('takes the last of several values of one field', () => {
    expect(decodeWatchResponse(Buffer.from([0x0a, 0x04, 0x48, 0x05, 0x48, 0x07])).revocation?.epoch).toBe(7);
  });

  it('takes no id above 2^53 for one that was sent', () => {
    const bytes = WatchResponseType.encode({ renewed: { id: 7 } }).finish();
    const huge = Buffer.from([0x12, 0x0b, 0x08, 0x87, ...Array.from({ length: 8 }, () => 0x80), 0x01]);
    expect(decodeWatchResponse(Buffer.from(bytes)).renewed?.id).toBe(7);
    expect(decodeWatchResponse(huge).renewed?.id).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
  });

  it('refuses every cut-off message and never hangs or reads on over bytes of any kind', () => {
    const bytes = Buffer.from(
      WatchResponseType.encode({ renewed: { id: 300, cursor: 'cursor', referenceTimeMs: 1e12 } }).finish(),
    );
    for (let length = 1; length < bytes.length; length += 1) {
      expect(() => decodeWatchResponse(bytes.subarray(0, length))).toThrow();
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        try {
          decodeWatchResponse(Buffer.from(noise));
        } catch (error) {
          expect((error as Error).name).toBe('RangeError');
        }
      }),
      { seed, numRuns: 1000 },
    );
  });

  it.each([
    ['a varint without an end', [0x08, ...Array.from({ length: 11 }, () => 0xff)]],
    ['field 0', [0x00, 0x00]],
    ['a group', [0x0b, 0x0c]],
    ['a length beyond the message', [0x0a, 0x7f, 0x00]],
    ['a length of 2^63', [0x0a, ...Array.from({ length: 8 }, () => 0xff), 0x7f]],
  ])('refuses %s', (_, bytes) => {
    expect(() => decodeWatchResponse(Buffer.from(bytes))).toThrow();
  });
});

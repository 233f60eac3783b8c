import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { frame, frameReader } from './frames.js';

describe('gRPC frames', () => {
  it('puts messages together again however the bytes were cut', () => {
    const cuts = fc.array(fc.nat(64), { maxLength: 60 });
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 90 }), { maxLength: 12 }), cuts, (messages, sizes) => {
        const bytes = Buffer.concat(messages.map((message) => frame(message)));
        const read = frameReader(90);
        const found: Buffer[] = [];
        let at = 0;
        for (const size of [...sizes, bytes.length]) {
          found.push(...read(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(found.map((message) => [...message])).toEqual(messages.map((message) => [...message]));
      }),
    );
  });

  it('refuses a compressed message', () => {
    expect(() => frameReader(10)(Buffer.from([1, 0, 0, 0, 0]))).toThrow(RangeError);
  });

  it('refuses a message that is too long as soon as its length is known', () => {
    expect(frameReader(10)(frame(new Uint8Array(10)))).toHaveLength(1);
    expect(() => frameReader(10)(Buffer.from([0, 0, 0, 0, 11]))).toThrow(RangeError);
    expect(() => frameReader(10)(Buffer.from([0, 255, 255, 255, 255]))).toThrow(RangeError);
  });
});

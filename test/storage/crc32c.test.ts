import { describe, expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import { crc32c } from '../../src/storage/crc32c.ts';
import { viewOf } from '../../src/storage/record.ts';

/** Bit by bit, straight from the definition. */
function naiveCrc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
    }
  }
  return ~crc >>> 0;
}

describe('crc32c', () => {
  test('gives the check value of the standard', () => {
    const bytes = new TextEncoder().encode('123456789');

    expect(crc32c(viewOf(bytes), 0, bytes.length, 0)).toBe(0xe306_9283);
  });

  test('agrees with the definition at every length and offset, and continues from a seed', () => {
    const prng = createPrng(5);
    const bytes = Uint8Array.from({ length: 90 }, () => prng.nextInt(0, 256));
    const view = viewOf(bytes);
    for (let start = 0; start < 20; start++) {
      for (let end = start; end <= bytes.length; end++) {
        const whole = naiveCrc32c(bytes.subarray(start, end));
        const middle = start + Math.floor((end - start) / 3);
        expect(crc32c(view, start, end, 0)).toBe(whole);
        expect(crc32c(view, middle, end, crc32c(view, start, middle, 0))).toBe(whole);
      }
    }
  });

  test('stops at a read beyond the view', () => {
    expect(() => crc32c(new DataView(new ArrayBuffer(8)), 0, 9, 0)).toThrow(RangeError);
  });
});

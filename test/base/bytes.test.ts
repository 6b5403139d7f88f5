import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compareBytes,
  concatBytes,
  emptyBytes,
  equalBytes,
  InvariantViolation,
  prefixEnd,
  readUint32,
  readUint64,
  writeUint32,
  writeUint64,
} from '../../src/base/index.ts';

/** Few different bytes, the extremes among them, so that prefixes and ties are frequent. */
const someBytes = fc
  .array(fc.constantFrom(0, 1, 0x7f, 0x80, 0xfe, 0xff), { maxLength: 6 })
  .map((bytes) => Uint8Array.from(bytes));
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe('byte strings', () => {
  test('are ordered as Buffer orders them', () => {
    fc.assert(
      fc.property(someBytes, someBytes, (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b));
        expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0);
      }),
    );
  });

  test('are joined into a fresh one', () => {
    fc.assert(
      fc.property(fc.array(someBytes, { maxLength: 4 }), (parts) => {
        expect(concatBytes(...parts)).toEqual(new Uint8Array(Buffer.concat(parts)));
      }),
    );
    const part = bytes(1);
    const joined = concatBytes(part);
    joined[0] = 2;
    expect(part).toEqual(bytes(1));
    expect(concatBytes()).toEqual(emptyBytes);
  });

  test('with a prefix are exactly those from the prefix up to its end', () => {
    fc.assert(
      fc.property(someBytes, someBytes, (prefix, key) => {
        const end = prefixEnd(prefix);
        const hasPrefix = equalBytes(key.subarray(0, prefix.length), prefix);
        const isInside =
          compareBytes(key, prefix) >= 0 && (end === undefined || compareBytes(key, end) < 0);

        expect(isInside).toBe(hasPrefix);
      }),
    );
  });
});

describe('prefixEnd', () => {
  test.each([
    [[0x61], [0x62]],
    [
      [0x61, 0x62],
      [0x61, 0x63],
    ],
    [[0x61, 0xff, 0xff], [0x62]],
    [[0x00], [0x01]],
  ])('of %j is %j', (prefix, expected) => {
    expect(prefixEnd(Uint8Array.from(prefix))).toEqual(Uint8Array.from(expected));
  });

  test.each([[[]], [[0xff]], [[0xff, 0xff]]])('of %j is none', (prefix) => {
    expect(prefixEnd(Uint8Array.from(prefix))).toBeUndefined();
  });

  test('leaves the prefix as it is, even a Buffer', () => {
    const prefix = Buffer.from('a');

    const end = prefixEnd(prefix);

    expect(prefix).toEqual(Buffer.from('a'));
    expect(end).toEqual(Uint8Array.from([0x62]));
  });
});

describe('integers', () => {
  const uint64 = fc.oneof(
    fc.maxSafeNat(),
    fc.nat(),
    fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER),
  );

  test('of 64 bits are written as a DataView would, and read back', () => {
    fc.assert(
      fc.property(uint64, fc.nat(3), (value, offset) => {
        const target = new Uint8Array(12);
        writeUint64(target, offset, value);

        expect(new DataView(target.buffer).getBigUint64(offset)).toBe(BigInt(value));
        expect(readUint64(target, offset)).toBe(value);
      }),
    );
  });

  test('of 32 bits are written as a DataView would, and read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), fc.nat(3), (value, offset) => {
        const target = new Uint8Array(8);
        writeUint32(target, offset, value);

        expect(new DataView(target.buffer).getUint32(offset)).toBe(value);
        expect(readUint32(target, offset)).toBe(value);
      }),
    );
  });

  test('sort as bytes as they do as numbers', () => {
    fc.assert(
      fc.property(uint64, uint64, (a, b) => {
        const [encodedA, encodedB] = [new Uint8Array(8), new Uint8Array(8)];
        writeUint64(encodedA, 0, a);
        writeUint64(encodedB, 0, b);

        expect(Math.sign(compareBytes(encodedA, encodedB))).toBe(Math.sign(a - b));
      }),
    );
  });

  test.each([-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])(
    '%d is not written: it could not be read back',
    (value) => {
      expect(() => {
        writeUint64(new Uint8Array(8), 0, value);
      }).toThrow(InvariantViolation);
    },
  );

  test('above the safe ones are refused, never rounded', () => {
    const largest = bytes(0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
    const above = bytes(0, 0x20, 0, 0, 0, 0, 0, 0);

    expect(readUint64(largest, 0)).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => readUint64(above, 0)).toThrow(InvariantViolation);
    expect(() => readUint64(new Uint8Array(8).fill(0xff), 0)).toThrow(InvariantViolation);
  });

  test('that are cut off are refused', () => {
    expect(() => readUint32(new Uint8Array(3), 0)).toThrow(InvariantViolation);
    expect(() => readUint32(new Uint8Array(4), 1)).toThrow(InvariantViolation);
    expect(() => readUint64(new Uint8Array(7), 0)).toThrow(InvariantViolation);
  });
});

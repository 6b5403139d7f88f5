import { describe, expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import { ByteReader, ByteWriter, signedMax, writeVarint } from '../../src/kv/varint.ts';

const edges = [0, 1, 127, 128, 16_383, 16_384, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 49, 2 ** 53 - 1];

describe('varint', () => {
  test('an integer survives the round trip', () => {
    const prng = createPrng(1);
    const random = Array.from({ length: 2000 }, () => {
      return Math.floor((prng.nextUint32() * 2 ** 21) / 2 ** prng.nextInt(0, 53));
    });
    for (const value of [...edges, ...random]) {
      const target = new Uint8Array(10);

      const end = writeVarint(target, 1, value);

      const reader = new ByteReader(target.subarray(1, end), 'number');
      expect(reader.varint()).toBe(value);
      expect(reader.remaining).toBe(0);
    }
  });

  test('a signed integer survives the round trip, and is cut off at the edge', () => {
    for (const value of [0, 1, -1, 2, -2, 1000, -1000, signedMax, -signedMax]) {
      const writer = new ByteWriter();
      writer.signedVarint(value);
      expect(new ByteReader(writer.finish(), 'number').signedVarint()).toBe(value);
    }
    const writer = new ByteWriter();
    writer.signedVarint(Number.MAX_SAFE_INTEGER);
    expect(new ByteReader(writer.finish(), 'number').signedVarint()).toBe(signedMax);
  });
});

describe('ByteReader', () => {
  test('a varint above the safe integers is refused', () => {
    const tooLarge = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f);
    expect(() => new ByteReader(tooLarge, 'number').varint()).toThrow('above 2^53-1');
    const endless = new Uint8Array(20).fill(0x80);
    expect(() => new ByteReader(endless, 'number').varint()).toThrow('above 2^53-1');
  });

  test('a padded varint is refused, so equal numbers have equal bytes', () => {
    const padded = Uint8Array.of(0x81, 0x00);
    expect(() => new ByteReader(padded, 'number').varint()).toThrow('padded');
  });

  test('reading past the end is refused with place and length', () => {
    const reader = new ByteReader(Uint8Array.of(3, 1, 2), 'thing');
    expect(() => reader.lengthPrefixed()).toThrow('thing ends too early (at 1 of 3 bytes)');
  });

  test('a format that is not known is refused, by its number', () => {
    const reader = new ByteReader(Uint8Array.of(1, 2), 'record');
    reader.format(1);

    expect(() => {
      reader.format(1);
    }).toThrow('record has the unknown format 2');
  });

  test('bytes left over are refused', () => {
    const reader = new ByteReader(Uint8Array.of(1, 2), 'thing');
    reader.byte();
    expect(() => {
      reader.end();
    }).toThrow('left over');
  });

  test('what is taken is a view of the source', () => {
    const source = Uint8Array.of(2, 10, 20);
    const taken = new ByteReader(source, 'thing').lengthPrefixed();
    source[1] = 99;
    expect([...taken]).toEqual([99, 20]);
  });
});

describe('ByteWriter', () => {
  test('the buffer grows with what is written', () => {
    const writer = new ByteWriter();
    writer.lengthPrefixed(new Uint8Array(1000).fill(7));
    writer.bigint64(-2n);
    const reader = new ByteReader(writer.finish(), 'thing');
    expect(reader.lengthPrefixed()).toEqual(new Uint8Array(1000).fill(7));
    expect(reader.bigint64()).toBe(-2n);
    reader.end();
  });

  test('a number that is no unsigned safe integer is refused', () => {
    const writer = new ByteWriter();
    for (const value of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => {
        writer.varint(value);
      }).toThrow('no unsigned safe integer');
    }
  });
});

describe('the memory of a ByteWriter', () => {
  test('writers that nest, and follow one another, keep their bytes apart', () => {
    const finished: Uint8Array[] = [];
    for (let round = 0; round < 3; round++) {
      const outer = new ByteWriter();
      outer.byte(1);
      const inner = new ByteWriter();
      inner.bytes(new Uint8Array(3000).fill(2));
      expect(inner.written()).toEqual(new Uint8Array(3000).fill(2));
      outer.byte(3);
      finished.push(inner.finish(), outer.finish());
    }
    for (let at = 0; at < finished.length; at += 2) {
      expect(finished[at]).toEqual(new Uint8Array(3000).fill(2));
      expect(finished[at + 1]).toEqual(Uint8Array.of(1, 3));
    }
  });

  test('is empty after it has given its bytes, or given them up', () => {
    const writer = new ByteWriter();
    writer.varint(300);
    expect(writer.finish()).toHaveLength(2);
    writer.byte(7);
    expect(writer.written()).toEqual(Uint8Array.of(7));
    writer.release();
    expect(writer.finish()).toHaveLength(0);
  });
});

import { describe, expect, test } from 'vitest';
import { compareBytes, createPrng } from '../../src/base/index.ts';
import {
  isPoint,
  keysKey,
  keysRange,
  mapKeyOf,
  revisionKey,
  revisionOf,
  revisionsRange,
  successorKey,
  userKeyOf,
} from '../../src/kv/key-layout.ts';
import { bytes } from './map-store.ts';

describe('key layout', () => {
  test('a user key survives the round trip', () => {
    for (const key of ['a', '\0', '\xff\xff', 'k']) {
      expect(userKeyOf(keysKey(bytes(key)))).toEqual(bytes(key));
    }
  });

  test('the byte order of revision keys is the order of revisions', () => {
    const revisions = [
      [0, 0],
      [1, 0],
      [1, 1],
      [1, 2 ** 32 - 1],
      [255, 0],
      [256, 0],
      [2 ** 32 - 1, 5],
      [2 ** 32, 0],
      [2 ** 53 - 1, 0],
    ] as const;
    const keys = revisions.map(([main, sub]) => revisionKey(main, sub));
    expect([...keys].sort(compareBytes)).toEqual(keys);
    expect(keys.map(revisionOf)).toEqual(revisions.map(([main, sub]) => ({ main, sub })));
  });

  test('an absent or empty range end means a point', () => {
    expect(isPoint({ key: bytes('a') })).toBe(true);
    expect(isPoint({ key: bytes('a'), rangeEnd: bytes('') })).toBe(true);
    expect(isPoint({ key: bytes('a'), rangeEnd: bytes('\0') })).toBe(false);
  });

  test('a zero byte as range end means all keys from the key on, and no other table', () => {
    const { gte, lt } = keysRange({ key: bytes('a'), rangeEnd: bytes('\0') });
    const isInside = (key: Uint8Array): boolean => {
      return compareBytes(key, gte) >= 0 && compareBytes(key, lt) < 0;
    };
    expect(isInside(keysKey(bytes('a')))).toBe(true);
    expect(isInside(keysKey(bytes('\xff\xff\xff')))).toBe(true);
    expect(isInside(keysKey(bytes('Z')))).toBe(false);
    expect(isInside(revisionKey(1, 0))).toBe(false);
  });

  test('a range of revisions ends with the last change of the last revision', () => {
    const { gte, lt } = revisionsRange({ main: 3, sub: 2 }, 5);
    expect(compareBytes(revisionKey(3, 1), gte)).toBeLessThan(0);
    expect(compareBytes(revisionKey(3, 2), gte)).toBe(0);
    expect(compareBytes(revisionKey(5, 2 ** 32 - 1), lt)).toBeLessThan(0);
    expect(compareBytes(revisionKey(6, 0), lt)).toBe(0);
  });

  test('nothing lies between a key and its successor', () => {
    expect([...successorKey(bytes('ab'))]).toEqual([...bytes('ab'), 0]);
  });

  test('map keys are equal exactly for equal bytes, however long', () => {
    const prng = createPrng(1);
    for (const length of [0, 1, 8, 4095, 4096, 4097, 20_000]) {
      const key = Uint8Array.from({ length }, () => prng.nextInt(0, 256));
      expect(mapKeyOf(key)).toHaveLength(length);
      expect(mapKeyOf(key.slice())).toBe(mapKeyOf(key));
      const other = key.slice();
      if (length > 0) {
        other[length - 1] = ((other[length - 1] as number) + 1) % 256;
        expect(mapKeyOf(other)).not.toBe(mapKeyOf(key));
      }
    }
  });
});

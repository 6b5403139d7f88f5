import { describe, expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';

const take = (seed: number, count: number): readonly number[] => {
  const prng = createPrng(seed);
  return Array.from({ length: count }, () => prng.nextUint32());
};

describe('createPrng', () => {
  test('the same seed gives the same sequence, in every version', () => {
    expect(take(1, 100)).toEqual(take(1, 100));
    expect(take(1, 4)).toEqual([573_063_952, 3_268_221_502, 703_077_755, 2_308_299_391]);
    expect(take(2 ** 40 + 5, 4)).toEqual([768542553, 687031625, 3318425858, 2118367875]);
  });

  test('other seeds give other sequences, those beyond 32 bits included', () => {
    const seeds = [0, 1, 2, 3, 2 ** 32, 2 ** 32 + 1, 2 ** 33, 2 ** 47 + 1];
    const sequences = seeds.map((seed) => take(seed, 3).join());

    expect(new Set(sequences).size).toBe(seeds.length);
  });

  test('two generators do not disturb each other', () => {
    const one = createPrng(5);
    const other = createPrng(6);
    const mixed = Array.from({ length: 20 }, () => [one.nextUint32(), other.nextUint32()]);

    expect(mixed.map(([a]) => a)).toEqual(take(5, 20));
    expect(mixed.map(([, b]) => b)).toEqual(take(6, 20));
  });

  test('numbers are unsigned 32-bit integers with each bit set about half of the time', () => {
    const numbers = take(7, 10_000);

    expect(numbers.every((n) => Number.isInteger(n) && n >= 0 && n < 2 ** 32)).toBe(true);
    for (let bit = 0; bit < 32; bit++) {
      const ones = numbers.filter((n) => Math.floor(n / 2 ** bit) % 2 === 1).length;
      expect(Math.abs(ones - 5000)).toBeLessThan(250);
    }
  });

  test.each([
    [0, 1],
    [3, 4],
    [-2, 2],
    [10, 20],
    [0, 6],
  ])('integers of [%i, %i) reach every value and none outside, evenly', (lo, hi) => {
    const prng = createPrng(11);
    const counts = new Map<number, number>();
    const draws = 2000 * (hi - lo);
    for (let i = 0; i < draws; i++) {
      const value = prng.nextInt(lo, hi);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }

    const values = [...counts.keys()].sort((a, b) => a - b);
    expect(values).toEqual(Array.from({ length: hi - lo }, (_, i) => lo + i));
    for (const count of counts.values()) {
      expect(Math.abs(count - 2000)).toBeLessThan(220);
    }
  });
});

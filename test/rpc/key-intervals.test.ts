import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KeyIntervals } from '../../src/rpc/key-intervals.ts';

const keys = fc.string({ unit: fc.constantFrom('\0', 'a', 'b', '\xff'), maxLength: 3 });
const intervals = fc.array(fc.record({ start: keys, end: keys }), { maxLength: 12 });

describe('KeyIntervals', () => {
  test('hold a key exactly if one of the intervals given does', () => {
    fc.assert(
      fc.property(intervals, keys, (given, key) => {
        const expected = given.some(({ start, end }) => start <= key && key < end);

        expect(KeyIntervals.of(given).has(key)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  test('a union holds what either side does', () => {
    fc.assert(
      fc.property(intervals, intervals, keys, (left, right, key) => {
        const a = KeyIntervals.of(left);
        const b = KeyIntervals.of(right);

        expect(a.with(b).has(key)).toBe(a.has(key) || b.has(key));
      }),
      { numRuns: 1000 },
    );
  });

  test('a union leaves both sides as they were', () => {
    const a = KeyIntervals.of([{ start: 'a', end: 'c' }]);
    const b = KeyIntervals.of([{ start: 'x', end: 'z' }]);

    a.with(b);

    expect(a.has('y')).toBe(false);
    expect(b.has('b')).toBe(false);
  });

  test('an interval includes its start and not its end', () => {
    const set = KeyIntervals.of([{ start: 'b', end: 'd' }]);

    expect(['a', 'b', 'c', 'd'].map((key) => set.has(key))).toEqual([false, true, true, false]);
  });
});

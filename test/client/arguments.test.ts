/** What plain JavaScript hands over: what fits, and in which words the rest is refused. */
import { describe, expect, test } from 'vitest';
import * as checks from '../../src/client/arguments.ts';
import { HoldfastError } from '../../src/client/errors.ts';

const { limit, order } = checks.optionChecks.range;
const table = { limit, order };

describe('fields of an object', () => {
  test.each([[{}], [{ limit: 0 }], [{ limit: undefined, order: 'descending' }]])(
    '%j are as the table says',
    (given) => {
      expect(checks.mistakeIn('a read', given, table)).toBeUndefined();
    },
  );

  test.each<readonly [unknown, string]>([
    [{ limt: 1 }, 'a read: unknown field "limt"; known: limit, order'],
    [{ limt: undefined }, 'a read: unknown field "limt"; known: limit, order'],
    [{ toString: 1 }, 'a read: unknown field "toString"; known: limit, order'],
    [{ limit: -1 }, 'a read: limit is -1: give 0 or more, a whole number'],
    [{ limit: 'x' }, 'a read: limit is a string: give 0 or more, a whole number'],
    [{ order: 'up' }, "a read: order is a string: give 'ascending' or 'descending'"],
    [5, 'a read: give an object, not a number'],
    [null, 'a read: give an object, not null'],
    [[], 'a read: give an object, not an array'],
  ])('%j are refused, without their texts', (given, text) => {
    expect(checks.mistakeIn('a read', given, table)).toBe(text);
  });

  test('are refused with an error that says that nothing has happened', () => {
    const act = (): void => checks.checkFields('a read', { limt: 1 }, table);

    expect(act).toThrow(HoldfastError);
    expect(act).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', outcome: 'rejected' }));
  });
});

describe('a check', () => {
  test.each<readonly [string, checks.Check, readonly unknown[], readonly unknown[]]>([
    ['key', checks.key, ['', 'a', Buffer.from('a')], [5, null, {}, ['a']]],
    ['count', checks.optionChecks.range.limit, [0, 7], [-1, 0.5, NaN, Infinity, '1', 1n]],
  ])('of a %s tells what fits from what does not', (_, check, right, wrong) => {
    expect(right.filter((value) => !check.fits(value))).toEqual([]);
    expect(wrong.filter((value) => check.fits(value))).toEqual([]);
  });
});

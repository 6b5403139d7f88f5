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

  test('are refused with all mistakes in one text', () => {
    expect(checks.mistakeIn('a read', { limt: 1, order: 5 }, table)).toBe(
      'a read: unknown field "limt"; known: limit, order; ' +
        "order is 5: give 'ascending' or 'descending'",
    );
  });

  test('are refused with an error that says that nothing has happened', () => {
    const act = (): void => checks.checkFields('a read', { limt: 1 }, table);

    expect(act).toThrow(HoldfastError);
    expect(act).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', outcome: 'rejected' }));
  });
});

describe('a value alone', () => {
  test('is refused with what would fit', () => {
    expect(() => checks.checkValue('run: its handler', 5, checks.callback)).toThrow(
      'run: its handler is 5: give a function',
    );
    expect(() => checks.checkValue('run: its handler', () => 1, checks.callback)).not.toThrow();
  });
});

describe('a listener', () => {
  const functions = { must: ['onEvent'], may: ['onEnd'] };
  const call = (): void => undefined;

  test.each<readonly [unknown, string]>([
    [undefined, 'listen: onEvent is undefined: give a function'],
    [{ onEnd: call }, 'listen: onEvent is undefined: give a function'],
    [{ onEvent: call, onEnd: 5 }, 'listen: onEnd is 5: give a function'],
  ])('%j is refused', (given, text) => {
    expect(() => checks.checkListener(given, functions)).toThrow(text);
  });

  test('may have more than is called', () => {
    expect(() => checks.checkListener({ onEvent: call, seen: 5 }, functions)).not.toThrow();
  });
});

describe('a check', () => {
  test.each<readonly [string, checks.Check, readonly unknown[], readonly unknown[]]>([
    ['key', checks.key, ['', 'a', Buffer.from('a')], [5, null, {}, ['a']]],
    ['text', checks.text, ['a'], ['', 5, null]],
    ['count', checks.count, [0, 7], [-1, 0.5, '1']],
    ['positive count', checks.positiveCount, [1], [0, -1, Infinity, '1']],
    ['positive number', checks.positiveNumber, [0.5, Infinity], [0, -1, NaN, '1']],
    ['time', checks.timeLimit, [1, 2 ** 31 - 1], [0, -1, NaN, 2 ** 31, Infinity, '1']],
    ['wait', checks.waitLimit, [0, 1, 2 ** 31 - 1], [-1, NaN, 2 ** 31, Infinity, '1']],
    ['signal', checks.abortSignal, [new AbortController().signal], [{}, null, { aborted: true }]],
    ['count', checks.optionChecks.range.limit, [0, 7], [-1, 0.5, NaN, Infinity, '1', 1n]],
  ])('of a %s tells what fits from what does not', (_, check, right, wrong) => {
    expect(right.filter((value) => !check.fits(value))).toEqual([]);
    expect(wrong.filter((value) => check.fits(value))).toEqual([]);
  });
});

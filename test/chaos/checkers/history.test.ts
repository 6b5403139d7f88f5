import { describe, expect, test } from 'vitest';
import { checkHistory, HistoryError, precedes } from '../../../chaos/checkers/history.ts';
import { lost, returned } from './recorded-runs.ts';

describe('checkHistory', () => {
  test('accepts a process that goes on after an operation of unknown outcome', () => {
    const history = [returned(0, [5, 7], 'c', 1), lost(0, 3, 'b'), returned(0, [1, 3], 'a', 1)];

    expect(() => {
      checkHistory(history);
    }).not.toThrow();
  });

  test.each([
    [{ process: -1 }, 'field "process" must be a whole number from 0, is -1'],
    [{ call: Number.NaN }, 'field "call" must be a finite number, is NaN'],
    [{ return: 0 }, 'field "return" must not be before the call 1, is 0'],
    [{ output: undefined }, 'field "output" must be given with a return'],
    [{ return: undefined }, 'field "output" must be undefined without a return'],
  ])('refuses %o', (change, message) => {
    const history = [{ ...returned(0, [1, 2], 'a', 1), ...change }];

    expect(() => {
      checkHistory(history, () => 'here');
    }).toThrow(`here: ${message}`);
  });

  test('refuses a process with two operations at a time, and names both', () => {
    const history = [returned(3, [1, 5], 'a', 1), returned(3, [4, 6], 'b', 1)];

    expect(() => {
      checkHistory(history);
    }).toThrow(
      new HistoryError('operation 1', 'call', 'is 4, while process 3 still has operation 0 open'),
    );
  });
});

describe('precedes', () => {
  test('an operation precedes another only if it returned strictly before its call', () => {
    const first = returned(0, [1, 2], 'a', 1);

    expect(precedes(first, returned(1, [3, 4], 'b', 1))).toBe(true);
    expect(precedes(first, returned(1, [2, 4], 'b', 1))).toBe(false);
    expect(precedes(lost(0, 1, 'a'), returned(1, [3, 4], 'b', 1))).toBe(false);
  });
});

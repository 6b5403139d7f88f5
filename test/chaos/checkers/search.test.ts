import { describe, expect, test } from 'vitest';
import { registerModel } from '../../../chaos/checkers/models.ts';
import { searchOrder } from '../../../chaos/checkers/search.ts';
import { lost, read, write } from './recorded-runs.ts';

const bounds = { clock: { nowMs: () => 0 }, deadlineMs: 1, cachedStatesMax: 1_000_000 };

describe('searchOrder', () => {
  test('explains an empty history, and one of nothing but unknown outcomes', () => {
    const open = lost(0, 1, { type: 'write', key: 'r', value: 1 } as const);

    expect(searchOrder([], registerModel(null), bounds).end).toBe('explained');
    expect(searchOrder([open], registerModel(null), bounds).end).toBe('explained');
  });

  test('operations at equal times are concurrent', () => {
    const history = [write(0, [1, 2], 1), read(1, [2, 3], null)];

    expect(searchOrder(history, registerModel(null), bounds).end).toBe('explained');
  });

  test('explores each pair of ordered operations and state once', () => {
    const history = [
      ...Array.from({ length: 10 }, (_, i) => write(i, [1, 50], i % 2)),
      read(20, [51, 52], 9),
    ];

    const { end, cachedStates } = searchOrder(history, registerModel(null), bounds);

    // At most two states for each of the 2^10 sets; the orders are 10! = 3,628,800.
    expect(end).toBe('unexplained');
    expect(cachedStates).toBeLessThanOrEqual(2 * 1024);
  });

  test('a long history of few processes needs one state for each operation', () => {
    const history = Array.from({ length: 5000 }, (_, i) =>
      i % 2 === 0 ? write(0, [2 * i, 2 * i + 1], i % 4) : read(1, [2 * i, 2 * i + 1], (i - 1) % 4),
    );

    expect(searchOrder(history, registerModel(null), bounds)).toEqual({
      end: 'explained',
      cachedStates: 2500,
    });
  });
});

import { describe, expect, test } from 'vitest';
import { type RegisterInput, registerModel } from '../../../chaos/checkers/models.ts';
import { searchOrder } from '../../../chaos/checkers/search.ts';
import { dropUnnoticed, shrinkFailing } from '../../../chaos/checkers/shrink.ts';
import { createPrng } from '../../../src/base/index.ts';
import { lost, read, write } from './recorded-runs.ts';

const model = registerModel(null);
const bounds = { clock: { nowMs: () => 0 }, deadlineMs: 1, cachedStatesMax: 1_000_000 };

type RegisterHistory = Parameters<typeof dropUnnoticed<unknown, RegisterInput, never>>[0];

function shrink(history: ReturnType<typeof busyHistory>) {
  return shrinkFailing(history, model, (part) => {
    return searchOrder(part, model, bounds).end === 'unexplained';
  });
}

/** A right history of writes and reads in turn. */
function busyHistory(from: number, count: number) {
  const prng = createPrng(from);
  return Array.from({ length: count }, (_, i) => {
    const start = 10 * (from + i);
    const value = from + i - (i % 3);
    return i % 3 === 0
      ? write(0, [start, start + prng.nextInt(1, 9)], value)
      : read(prng.nextInt(1, 4), [start, start + prng.nextInt(1, 9)], value);
  });
}

describe('shrinkFailing', () => {
  test('leaves the stale read and the write that it missed', () => {
    const stale = read(7, [2005, 2009], 150);
    const history = [...busyHistory(0, 200), stale, ...busyHistory(300, 100)];

    const smallest = shrink(history);

    expect(smallest).toEqual([history[198], stale]);
  });

  test('leaves the two reads that went back while writes were under way', () => {
    const slow = write(8, [2001, 2999], 777);
    const history = [
      ...busyHistory(0, 200),
      slow,
      read(1, [2010, 2015], 777),
      read(2, [2020, 2025], 198),
      ...busyHistory(300, 100),
    ];

    const smallest = shrink(history);

    expect(smallest.map((it) => it.input.type)).toEqual(['write', 'write', 'read', 'read']);
    // The slow write returned after the proof was complete: when, does not matter.
    expect(smallest[1]).toEqual({ ...slow, return: undefined, output: undefined });
  });

  test('keeps an operation of unknown outcome that an answer may depend on', () => {
    const open = lost(9, 1, { type: 'write', key: 'r', value: 5 } as const);
    const history = [open, write(0, [2, 3], 6), read(1, [4, 5], 5), read(1, [6, 7], 6)];

    expect(shrink(history)).toEqual(history);
  });

  test('keeps what came before a write, as long as a read may have come before it, too', () => {
    const history = [
      write(0, [1, 2], 1),
      write(0, [3, 6.5], 2),
      read(1, [4, 5], 2),
      read(1, [6, 7], 1),
    ];

    expect(shrink(history)).toEqual(history);
  });

  test('gives back the whole history if nothing can be told about its parts', () => {
    const history = [write(0, [1, 2], 1), read(1, [3, 4], 1), read(1, [5, 6], 2)];

    expect(shrinkFailing(history, model, () => false)).toEqual(history);
  });
});

describe('dropUnnoticed', () => {
  test('leaves out unknown reads, and unknown writes of values that nobody saw', () => {
    const history: RegisterHistory = [
      lost(1, 1, { type: 'read', key: 'r' }),
      lost(2, 1, { type: 'write', key: 'r', value: 1 }),
      lost(3, 1, { type: 'cas', key: 'r', expected: 1, value: 2 }),
    ];
    const seen = read(4, [2, 3], 2);

    expect(dropUnnoticed(history, model)).toEqual([]);
    expect(dropUnnoticed([...history, seen], model)).toEqual([...history.slice(1), seen]);
  });
});

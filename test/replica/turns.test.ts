import { describe, expect, test } from 'vitest';
import { Turns } from '../../src/replica/turns.ts';

function start() {
  const state = {
    calls: { count: 0 },
    taken: 0,
    soon: [] as (() => void)[],
    late: [] as (() => void)[],
  };
  const turns = new Turns({
    calls: state.calls,
    take: () => state.taken++,
    eventLoop: {
      afterCallback: (callback) => state.soon.push(callback),
      endOfTurn: (callback) => state.late.push(callback),
    },
  });
  return { state, turns };
}

describe('Turns', () => {
  test('what is asked for several times is one turn', () => {
    const { state, turns } = start();
    turns.schedule();
    turns.schedule();
    expect([state.soon.length, state.taken]).toEqual([1, 0]);

    state.soon[0]?.();
    expect(state.taken).toBe(1);
    turns.schedule();
    expect(state.soon).toHaveLength(2);
  });

  test('with many calls under way a turn waits for what else is due', () => {
    const { state, turns } = start();
    state.calls.count = 9;

    turns.schedule();

    expect([state.soon.length, state.late.length]).toEqual([0, 1]);
  });

  test('a turn that is taken at once does not keep the next from being asked for', () => {
    const { state, turns } = start();
    turns.schedule();

    turns.takeNow();
    turns.schedule();

    expect([state.taken, state.soon.length]).toEqual([1, 2]);
  });
});

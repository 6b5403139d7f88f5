import { describe, expect, test } from 'vitest';
import { Gathering } from '../../src/replica/gathering.ts';

function start() {
  const state = { nowMs: 0, releases: [] as string[], timers: new Set<() => void>() };
  const gathering = new Gathering(
    {
      nowMs: () => state.nowMs,
      after: (_delayMs, callback) => {
        state.timers.add(callback);
        return { cancel: () => state.timers.delete(callback) };
      },
    },
    (isWanted) => state.releases.push(isWanted ? 'wanted' : 'in time'),
  );
  return { state, gathering };
}

describe('Gathering', () => {
  test('work waits until the time of the first has come', () => {
    const { state, gathering } = start();

    expect([gathering.mayWait(), gathering.mayWait()]).toEqual([true, true]);
    expect(state.timers.size).toBe(1);
    expect(gathering.isWaiting).toBe(true);

    for (const fire of state.timers) {
      fire();
    }
    expect(state.releases).toEqual(['in time']);
    expect(gathering.isWaiting).toBe(false);
  });

  test('who wants the state ends the waiting, and none begins for a while', () => {
    const { state, gathering } = start();
    gathering.mayWait();

    gathering.wanted();
    expect(state.releases).toEqual(['wanted']);
    expect(state.timers.size).toBe(0);
    expect(gathering.mayWait()).toBe(false);

    state.nowMs += 100;
    expect(gathering.mayWait()).toBe(true);
  });

  test('nothing is released when nothing waits', () => {
    const { state, gathering } = start();

    gathering.wanted();

    expect(state.releases).toEqual([]);
  });
});

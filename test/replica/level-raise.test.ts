import { describe, expect, test } from 'vitest';
import type { ConfState } from '../../src/raft/index.ts';
import { LevelRaise, levelOfAll } from '../../src/replica/level-raise.ts';

function confState(changes: Partial<ConfState> = {}): ConfState {
  return {
    ...{ voters: [1, 2], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
    ...changes,
  };
}

function levels(newestById: Readonly<Record<number, number>>): ReadonlyMap<number, number> {
  return new Map(Object.entries(newestById).map(([id, newest]) => [Number(id), newest]));
}

/** One that leads in term 3, over a state of `level`, where everybody reads level 2. */
function leading(level = 1): LevelRaise {
  const raise = new LevelRaise();
  raise.applied(level);
  raise.noteLevels(levels({ 1: 2, 2: 2 }));
  return raise;
}

describe('the level of all members', () => {
  test.each([
    ['voters', {}, { 1: 3, 2: 2 }, 2],
    ['voters, one of whom has not said', {}, { 1: 3 }, undefined],
    ['learners', { learners: [5] }, { 1: 3, 2: 3, 5: 1 }, 1],
    ['learners, one of whom has not said', { learners: [5] }, { 1: 3, 2: 3 }, undefined],
    ['those that are leaving', { votersOutgoing: [6] }, { 1: 2, 2: 2 }, undefined],
    ['those that are to learn next', { learnersNext: [6] }, { 1: 3, 2: 3, 6: 2 }, 2],
    ['strangers not', {}, { 1: 2, 2: 2, 9: 1 }, 2],
  ] as const)('counts %s', (_what, changes, newest, level) => {
    expect(levelOfAll(confState(changes), levels(newest))).toBe(level);
  });
});

describe('the level is raised', () => {
  test('by a leader, once for each term', () => {
    const raise = leading();
    expect(raise.due(0, confState())).toBeUndefined();
    expect(raise.due(3, confState())).toBe(2);

    raise.proposed(3, 2);
    expect(raise.due(3, confState())).toBeUndefined();
    // The entry may have been lost with the leader of that term.
    expect(raise.due(5, confState())).toBe(2);
  });

  test('never to what the state is at already', () => {
    expect(leading(2).due(3, confState())).toBeUndefined();
    expect(leading(3).due(3, confState())).toBeUndefined();
  });

  test('not before it is known what the members read, nor once that is forgotten', () => {
    const raise = new LevelRaise();
    raise.applied(1);
    expect(raise.due(3, confState())).toBeUndefined();

    raise.noteLevels(levels({ 1: 2, 2: 2 }));
    expect(raise.due(3, confState())).toBe(2);
    raise.noteLevels(levels({}));
    expect(raise.due(3, confState())).toBeUndefined();
  });

  test('further, when everybody reads more meanwhile', () => {
    const raise = leading();
    raise.proposed(3, 2);
    raise.noteLevels(levels({ 1: 4, 2: 3 }));

    expect(raise.due(3, confState())).toBe(3);
  });
});

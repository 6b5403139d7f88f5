import { describe, expect, test } from 'vitest';
import { checkSplitBrain, rivalBeliefMs } from '../../../chaos/checkers/split-brain.ts';
import { messages, put, read, sample, view } from './planted.ts';

describe('checkSplitBrain', () => {
  test('accepts a leader that was replaced and has not noticed', () => {
    const lines = [
      sample(0, 'n1', 'leader', 1),
      sample(5, 'n2', 'leader', 2),
      sample(9, 'n1', 'leader', 1),
      put(0, [0, 1], ['a', '1'], 2),
      put(0, [2, 3], ['a', '2'], 3),
    ];

    expect(checkSplitBrain(view(lines))).toEqual([]);
  });

  test('rejects two leaders of a term, by samples or by logs', () => {
    const sampled = [sample(0, 'n1', 'leader', 1), sample(5, 'n2', 'leader', 1)];
    const logged = [
      { kind: 'leadership', member: 'n1', term: 3 },
      { kind: 'leadership', member: 'n2', term: 3 },
    ] as const;

    expect(messages(checkSplitBrain(view(sampled)))).toEqual(['term 1 had 2 leaders: n1, n2']);
    expect(messages(checkSplitBrain(view(logged)))).toEqual(['term 3 had 2 leaders: n1, n2']);
  });

  test('rejects two acknowledgements of one revision', () => {
    const lines = [
      put(0, [0, 5], ['a', '1'], 2, { member: 'n1', term: 1 }),
      put(1, [1, 4], ['b', '1'], 2, { member: 'n2', term: 2 }),
    ];

    expect(messages(checkSplitBrain(view(lines)))).toEqual([
      'revision 2 was acknowledged twice, by n1 in term 1 and by n2 in term 2',
    ]);
  });

  test('rejects a revision, or a read, that is older than what was told before', () => {
    const newer = put(0, [0, 1], ['a', '1'], 5);

    expect(checkSplitBrain(view([newer, put(1, [2, 3], ['b', '1'], 4)]))).toHaveLength(1);
    expect(checkSplitBrain(view([newer, read(1, [2, 3], 'b', [], { revision: 4 })]))).toHaveLength(
      1,
    );
    expect(checkSplitBrain(view([newer, put(1, [0, 3], ['b', '1'], 4)]))).toEqual([]);
  });
});

describe('rivalBeliefMs', () => {
  test('adds up how long two members believed to lead', () => {
    const lines = [
      sample(0, 'n1', 'leader', 1),
      sample(5, 'n2', 'leader', 2),
      sample(25, 'n1', 'follower', 2),
    ];

    expect(rivalBeliefMs(view(lines))).toBe(20);
  });
});

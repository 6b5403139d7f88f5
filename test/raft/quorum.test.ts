/** Quorum arithmetic against naive twins, and over every small case. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isVoter,
  majorityOf,
  membersOf,
  quorumValue,
  quorumVote,
  type VoteOutcome,
} from '../../src/raft/quorum.ts';
import type { ConfState } from '../../src/raft/index.ts';

function confOf(voters: readonly number[], votersOutgoing: readonly number[] = []): ConfState {
  return { voters, votersOutgoing, learners: [], learnersNext: [], autoLeave: false };
}

/** Tries every value: is it held by more than half of each half? */
function naiveValue(conf: ConfState, values: ReadonlyMap<number, number>): number {
  const halves = [conf.voters, conf.votersOutgoing].filter((half) => half.length > 0);
  let best = halves.length === 0 ? Number.POSITIVE_INFINITY : 0;
  for (const candidate of values.values()) {
    const isHeld = halves.every(
      (half) => half.filter((id) => (values.get(id) ?? 0) >= candidate).length * 2 > half.length,
    );
    best = isHeld ? Math.max(best, candidate) : best;
  }
  return best;
}

/** Tries every way the missing votes could fall. */
function naiveVote(conf: ConfState, votes: ReadonlyMap<number, boolean>): VoteOutcome {
  const wins = (fill: boolean): boolean =>
    [conf.voters, conf.votersOutgoing].every(
      (half) =>
        half.length === 0 || half.filter((id) => votes.get(id) ?? fill).length * 2 > half.length,
    );
  if (wins(false)) {
    return 'won';
  }
  return wins(true) ? 'pending' : 'lost';
}

const half = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 7 });

describe('quorum', () => {
  test('E02, M01, M03, M04, M17: the value a quorum holds is that of the naive twin', () => {
    const values = fc.array(fc.tuple(fc.integer({ min: 1, max: 7 }), fc.nat({ max: 9 })));
    fc.assert(
      fc.property(half, half, values, (voters, outgoing, pairs) => {
        const known = new Map(pairs);
        const conf = confOf(voters, outgoing);
        const valueOf = (id: number): number | undefined => known.get(id);

        expect(quorumValue(conf, valueOf)).toBe(naiveValue(conf, known));
        expect(quorumValue(confOf(outgoing, voters), valueOf)).toBe(naiveValue(conf, known));
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  test('A05, M02, M03, M17: a vote stands as in the naive twin, in any order of halves', () => {
    const votes = fc.array(fc.tuple(fc.integer({ min: 1, max: 7 }), fc.boolean()));
    fc.assert(
      fc.property(half, half, votes, (voters, outgoing, pairs) => {
        const known = new Map(pairs);
        const conf = confOf(voters, outgoing);

        const expected = naiveVote(conf, known);
        expect(quorumVote(conf, (id) => known.get(id))).toBe(expected);
        expect(quorumVote(confOf(outgoing, voters), (id) => known.get(id))).toBe(expected);
      }),
      { seed: 1, numRuns: 1000 },
    );
  });

  test('J11: two quorums of a joint configuration share a member of each half', () => {
    const picked = fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 7 });
    fc.assert(
      fc.property(half, half, picked, picked, (voters, outgoing, one, other) => {
        const conf = confOf(voters, outgoing);
        const isQuorum = (ids: readonly number[]): boolean =>
          quorumVote(conf, (id) => ids.includes(id)) === 'won';
        fc.pre(isQuorum(one) && isQuorum(other));

        for (const each of [voters, outgoing].filter((ids) => ids.length > 0)) {
          expect(each.some((id) => one.includes(id) && other.includes(id))).toBe(true);
        }
      }),
      { seed: 1, numRuns: 500 },
    );
  });

  test('two majorities of one set always share a member', () => {
    for (let count = 1; count <= 9; count++) {
      expect(2 * majorityOf(count)).toBeGreaterThan(count);
      expect(2 * (majorityOf(count) - 1)).toBeLessThanOrEqual(count);
    }
  });

  test('L15: members ascend without repetition; voters are those of either half', () => {
    const conf = { ...confOf([3, 1], [2, 3]), learners: [9] };

    expect(membersOf(conf)).toEqual([1, 2, 3, 9]);
    expect([1, 2, 9].map((id) => isVoter(conf, id))).toEqual([true, true, false]);
  });
});

/**
 * Logs that have parted are brought together: leader changes, overwritten tails, messages out of
 * order. Ids in titles: `README.md`.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RaftOptions } from '../../src/raft/index.ts';
import { RaftNetwork } from './network.ts';
import { bytesOf, converse, only, Subject } from './subject.ts';

const plain: Partial<RaftOptions> = { preVote: false, checkQuorum: false };

/** The terms of each node's stored log. */
function logsOf(network: RaftNetwork): number[][] {
  return network.nodes.map(({ entries }) => entries.map(({ term }) => term));
}

describe('Leader changes', () => {
  test.each([false, true])(
    'A19: an uncommitted entry of a higher term on a minority is overwritten, pre-vote %s',
    (preVote) => {
      const voted = { hardState: { currentTerm: 2, votedFor: 3 } };
      const starts = [
        { terms: [1], hardState: { votedFor: 1 } },
        { terms: [1], hardState: { votedFor: 1 } },
        { terms: [2], hardState: { votedFor: 3 } },
        voted,
        voted,
      ];
      const network = new RaftNetwork(5, { preVote, checkQuorum: false }, 1, starts);

      network.elect(1);
      expect(network.raft(1).status()).toMatchObject({ role: 'follower', term: 2 });
      network.elect(1);

      expect(network.raft(1).status()).toMatchObject({ role: 'leader', term: 3 });
      expect(logsOf(network)).toEqual(Array.from({ length: 5 }, () => [1, 3]));
    },
  );

  test('A20: of candidates cut apart one leads; the other cannot with less of the log', () => {
    const network = new RaftNetwork(3, plain);
    network.raft(1).campaign();
    network.raft(3).campaign();
    network.settle((message) => message.from + message.to === 4);
    expect([network.raft(1).role, network.raft(3).role]).toEqual(['leader', 'candidate']);

    network.elect(3);

    expect(network.nodes.map(({ raft }) => [raft.role, raft.term])).toEqual([
      ['follower', 2],
      ['follower', 2],
      ['follower', 2],
    ]);
  });

  test('A21: a candidate that was cut off concedes and takes over the log of the leader', () => {
    const network = new RaftNetwork(3, plain);
    network.raft(1).campaign();
    network.raft(3).campaign();
    network.settle((message) => message.from === 3 || message.to === 3);
    expect([network.raft(1).role, network.raft(3).role]).toEqual(['leader', 'candidate']);

    network.tick(1);
    network.settle();

    expect(network.raft(3).status()).toMatchObject({ role: 'follower', term: 1, leader: 1 });
    expect(logsOf(network)).toEqual([[1], [1], [1]]);
  });

  test('D21: proposals around changes of leader are applied by all in one order', () => {
    const network = new RaftNetwork(3, plain);
    for (const [i, id] of [1, 2, 1, 3].entries()) {
      network.elect(id);
      network.raft(id).propose([bytesOf(`kept${i}`)], i);
      network.settle();
      network.raft(id).propose([bytesOf(`lost${i}`)], i);
      network.settle((message) => message.from === id || message.to === id);
    }
    network.elect(3);
    network.raft(3).propose([bytesOf('last')], 9);
    network.settle();

    const applied = network.nodes.map((node) =>
      node.applied.map(({ data }) => String.fromCharCode(...data)).filter((text) => text !== ''),
    );
    expect(applied[0]).toEqual(['kept0', 'kept1', 'kept2', 'kept3', 'lost3', 'last']);
    expect(applied[1]).toEqual(applied[0]);
    expect(applied[2]).toEqual(applied[0]);
  });

  test('D08: the followers of figure 7 all end with the log of the leader', () => {
    const leader = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6];
    const logs = [
      leader,
      [1, 1, 1, 4, 4, 5, 5, 6, 6],
      [1, 1, 1, 4],
      [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
      [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
      [1, 1, 1, 4, 4, 4, 4],
      [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
    ];
    const starts = logs.map((terms) => ({ terms, hardState: { currentTerm: 7 } }));
    const network = new RaftNetwork(7, plain, 1, starts);
    network.elect(1);
    network.raft(1).propose([bytesOf('x')], 1);

    network.settle();

    expect(network.raft(1).status()).toMatchObject({ role: 'leader', term: 8, commitIndex: 12 });
    expect(logsOf(network)).toEqual(logs.map(() => [...leader, 8, 8]));
  });
});

describe('Entries of earlier terms', () => {
  test('E03: stay uncommitted until something of the new term gets through', () => {
    const starts = [{ terms: [1, 1, 1] }, { terms: [1, 1, 1] }, { terms: [1] }, {}, {}];
    const network = new RaftNetwork(5, plain, 1, starts);
    network.raft(2).campaign();
    network.settle(({ type }) => type === 'AppendEntries');
    expect(network.raft(2).status()).toMatchObject({ role: 'leader', lastIndex: 4 });

    network.tick(2);
    network.settle(({ type }) => type === 'AppendEntries');
    expect(network.nodes.map(({ raft }) => raft.commitIndex)).toEqual([0, 0, 0, 0, 0]);

    network.tick(2);
    network.settle();
    expect(network.raft(2).commitIndex).toBe(4);
    expect(logsOf(network)).toEqual(starts.map(() => [1, 1, 1, 2]));
  });

  test('E04: commit by the first entry of the new leader, without a proposal', () => {
    const starts = [{ terms: [1, 1, 1] }, { terms: [1] }, { terms: [1] }];
    const network = new RaftNetwork(3, plain, 1, starts);

    network.elect(1);

    expect(network.nodes.map(({ raft }) => raft.commitIndex)).toEqual([4, 4, 4]);
  });

  test('E02: what a quorum holds is committed only if it is of the current term', () => {
    const cases = fc.record({
      size: fc.integer({ min: 1, max: 5 }),
      oldEntries: fc.nat(4),
      proposals: fc.nat(3),
      acknowledged: fc.array(fc.nat(9), { minLength: 4, maxLength: 4 }),
    });
    fc.assert(
      fc.property(cases, ({ size, oldEntries, proposals, acknowledged }) => {
        const terms = Array.from({ length: oldEntries }, () => 1);
        const subject = new Subject({ size, terms, hardState: { currentTerm: 1 }, options: plain });
        subject.lead();
        for (let i = 0; i < proposals; i++) {
          subject.raft.propose([bytesOf('x')], i);
        }
        subject.drain();
        const last = oldEntries + 1 + proposals;
        const match = [last];
        for (let id = 2; id <= size; id++) {
          const index = Math.min(acknowledged[id - 2] ?? 0, last);
          match.push(index);
          if (index > 0) {
            subject.accept(id, index);
          }
        }

        let expected = 0;
        for (let index = oldEntries + 1; index <= last; index++) {
          expected = match.filter((held) => held >= index).length * 2 > size ? index : expected;
        }
        expect(subject.raft.commitIndex).toBe(expected);
      }),
      { seed: 1, numRuns: 300 },
    );
  });
});

describe('Messages out of order', () => {
  test('D15: an append overtaken by the next one is made good from what is known to match', () => {
    const leader = new Subject();
    const follower = new Subject({ id: 2 });
    converse(leader, follower, leader.lead());
    leader.raft.propose([bytesOf('a')], 1);
    const first = only(leader.drain(), 'AppendEntries').filter(({ to }) => to === 2);
    leader.raft.propose([bytesOf('b')], 1);
    const second = only(leader.drain(), 'AppendEntries').filter(({ to }) => to === 2);

    const refusal = second.flatMap((message) => follower.receive(message));
    const acceptance = first.flatMap((message) => follower.receive(message));
    expect(refusal).toMatchObject([{ isRejected: true, index: 2 }]);
    expect(acceptance).toMatchObject([{ isRejected: false, index: 2 }]);
    const sent = [...acceptance, ...refusal].flatMap((message) => leader.receive(message));

    expect(leader.raft.status().progress.get(2)).toMatchObject({ matchIndex: 2 });
    converse(leader, follower, [...sent, ...leader.tick()]);
    expect(leader.raft.status().progress.get(2)).toMatchObject({ matchIndex: 3, nextIndex: 4 });
    expect(follower.terms).toEqual([1, 1, 1]);
  });

  test('D15: a refusal before the acceptance leads back to what matches, no lower', () => {
    const subject = new Subject();
    subject.lead();
    subject.accept(2);
    subject.raft.propose([bytesOf('a')], 1);
    subject.drain();

    subject.refuse(2, 2, 0, 0);

    expect(subject.raft.status().progress.get(2)).toMatchObject({ matchIndex: 1, nextIndex: 2 });
  });
});

describe('Diverged followers', () => {
  /** A common beginning, then tails whose terms the other log does not have. */
  const parted = fc
    .tuple(
      fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 20 }),
      fc.array(fc.constantFrom(5, 7, 9), { maxLength: 40 }),
      fc.array(fc.constantFrom(4, 6, 8), { maxLength: 40 }),
    )
    .map((parts) => parts.map((terms) => [...terms].sort((a, b) => a - b)))
    .map(([common = [], ours = [], theirs = []]) => ({
      leaderTerms: [...common, ...ours],
      followerTerms: [...common, ...theirs],
      termCount: new Set([...common, ...ours, ...theirs]).size,
    }));

  test('F10: are brought in line with at most one probe per term, plus one', () => {
    fc.assert(
      fc.property(parted, ({ leaderTerms, followerTerms, termCount }) => {
        const leader = new Subject({ terms: leaderTerms, hardState: { currentTerm: 9 } });
        const follower = new Subject({ id: 2, terms: followerTerms });

        const carried = converse(leader, follower, leader.lead());

        const refusals = only(carried, 'AppendEntriesResponse').filter((each) => each.isRejected);
        expect(refusals.length).toBeLessThanOrEqual(termCount + 1);
        expect(follower.terms).toEqual([...leaderTerms, 10]);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  test('F02: each refusal leads the probe strictly down and never below what matches', () => {
    fc.assert(
      fc.property(parted, ({ leaderTerms, followerTerms }) => {
        const leader = new Subject({ terms: leaderTerms, hardState: { currentTerm: 9 } });
        const follower = new Subject({ id: 2, terms: followerTerms });

        const carried = converse(leader, follower, leader.lead());

        const refused = only(carried, 'AppendEntriesResponse')
          .filter((each) => each.isRejected)
          .map(({ index }) => index);
        expect(refused).toEqual([...new Set(refused)].sort((a, b) => b - a));
      }),
      { seed: 2, numRuns: 300 },
    );
  });
});

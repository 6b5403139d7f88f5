/** What a leader knows of its peers as a group. */
import { describe, expect, test } from 'vitest';
import { Peers } from '../../src/raft/peers.ts';
import type { ConfState, NodeId } from '../../src/raft/index.ts';
import { coreOf, snapshotAt } from './subject.ts';

const electionTimeoutTicks = 4;

function peersOf(conf: Partial<ConfState> = {}): Peers {
  return new Peers(coreOf({ id: 1, conf, options: { electionTimeoutTicks, promotionLagMax: 2 } }));
}

function pass(peers: Peers, ticks: number): void {
  for (let i = 0; i < ticks; i++) {
    peers.tick();
  }
}

/** The peer streams, and holds everything up to `index`. */
function level(peers: Peers, id: NodeId, index: number): void {
  const progress = peers.heard(id);
  progress?.maybeAdvance(index);
  progress?.becomeReplicate();
}

describe('Peers', () => {
  test('are the other members, learners too', () => {
    const peers = peersOf({ voters: [1, 3, 5], learners: [7] });

    expect([...peers.progressById.keys()]).toEqual([3, 5, 7]);
    expect(peers.get(1)).toBeUndefined();
  });

  test('a word of a stranger counts for nothing', () => {
    expect(peersOf().heard(9)).toBeUndefined();
  });

  test('are a quorum for as long as an election timeout has not passed for too many', () => {
    const peers = peersOf();
    pass(peers, electionTimeoutTicks - 1);
    expect(peers.hasActiveQuorum).toBe(true);

    peers.heard(2);
    peers.tick();
    expect(peers.hasActiveQuorum).toBe(true);

    pass(peers, electionTimeoutTicks);
    expect(peers.hasActiveQuorum).toBe(false);
  });

  test('one that was never heard is not active, however new it is', () => {
    const peers = peersOf();
    const [second, third] = [...peers.progressById.values()];

    peers.heard(2);

    expect([second, third].map((each) => each !== undefined && peers.isActive(each))).toEqual([
      true,
      false,
    ]);
  });

  test('one has caught up that streams, is heard, and holds something', () => {
    const peers = peersOf({ voters: [1, 2], learners: [3] });
    expect(peers.hasCaughtUp(3)).toBe(false);

    level(peers, 3, 1);
    expect(peers.hasCaughtUp(3)).toBe(true);

    pass(peers, electionTimeoutTicks);
    expect(peers.hasCaughtUp(3)).toBe(false);
  });

  test('one has not caught up of which nothing is known to match, or that is being probed', () => {
    const peers = peersOf({ voters: [1, 2], learners: [3, 4] });
    level(peers, 3, 0);
    peers.heard(4)?.maybeAdvance(1);

    expect([peers.hasCaughtUp(3), peers.hasCaughtUp(4)]).toEqual([false, false]);
  });

  test.each([
    { before: [1], voters: [1, 2], heard: [], isRisk: false },
    { before: [1], voters: [2, 3], heard: [], isRisk: true },
    { before: [1], voters: [1, 2, 3], heard: [], isRisk: true },
    { before: [1, 2, 3], voters: [1, 2], heard: [], isRisk: true },
    { before: [1, 2, 3], voters: [1, 2], heard: [2], isRisk: false },
    { before: [1, 2, 3], voters: [1, 2, 3, 4], heard: [2], isRisk: true },
    { before: [1, 2, 3], voters: [1, 2, 3, 4], heard: [2, 3], isRisk: false },
  ])('$voters after $before, with $heard up: at risk is $isRisk', (row) => {
    const peers = peersOf({ voters: row.before });
    for (const id of row.heard) {
      peers.heard(id);
    }

    expect(peers.risksQuorum(row.voters)).toBe(row.isRisk);
  });

  test('the most advanced of those that stream is the spare one, and never who asks', () => {
    const peers = peersOf({ voters: [1, 2, 3, 4, 5] });
    level(peers, 2, 6);
    level(peers, 3, 8);
    level(peers, 4, 9);
    peers.heard(5)?.maybeAdvance(10);

    expect([peers.spare(5), peers.spare(4)]).toEqual([4, 3]);
  });

  test('nobody is spare without whom those that stream are no quorum', () => {
    const peers = peersOf({ voters: [1, 2, 3], learners: [4] });
    level(peers, 2, 6);
    expect(peers.spare(4)).toBeUndefined();

    level(peers, 3, 5);
    expect(peers.spare(4)).toBe(2);

    pass(peers, electionTimeoutTicks);
    peers.heard(2);
    expect(peers.spare(4)).toBeUndefined();
  });

  test('nobody is spare who does not hold yet what the log begins after', () => {
    const core = coreOf({ id: 1 });
    core.restore(snapshotAt(7, 1));
    const peers = new Peers(core);
    level(peers, 2, 6);
    level(peers, 3, 5);
    expect(peers.spare(9)).toBeUndefined();

    level(peers, 2, 7);
    expect(peers.spare(9)).toBe(2);
  });

  test('the voter that is furthest succeeds, the lower id of two', () => {
    const peers = peersOf({ voters: [1, 2, 3, 4], learners: [5] });
    expect(peers.furthestVoter).toBe(2);
    level(peers, 3, 4);
    level(peers, 4, 4);
    level(peers, 5, 9);

    expect(peers.furthestVoter).toBe(3);
    expect(peersOf({ voters: [1] }).furthestVoter).toBe(0);
  });
});

/**
 * Cuts of every shape: whoever can lead does so within a bounded time, and leadership then stays
 * where it is. Ids in titles: `README.md`.
 */
import { describe, expect, test } from 'vitest';
import type { Message } from '../../src/raft/index.ts';
import { RaftNetwork } from './network.ts';
import { bytesOf } from './subject.ts';

type Cut = (message: Message) => boolean;

const electionTicksMin = 10;

/**
 * Ticks every node this often, carrying messages in between; returns the leaders of the second
 * half.
 */
function run(network: RaftNetwork, ticks: number, isCut: Cut): ReadonlySet<number> {
  const leaders = new Set<number>();
  for (let tick = 0; tick < ticks; tick++) {
    for (const { id } of network.nodes) {
      network.tick(id);
    }
    network.settle(isCut);
    if (tick >= ticks / 2) {
      leaders.add(network.leader);
    }
  }
  return leaders;
}

describe('One-way and single cuts', () => {
  /** Node 1 leads when the cut comes. */
  test.each<[string, Cut]>([
    ['the leader can send and not hear', ({ to }) => to === 1],
    ['the leader can hear and not send', ({ from }) => from === 1],
    ['the leader is cut off', ({ from, to }) => from === 1 || to === 1],
    ['a follower can send and not hear', ({ to }) => to === 2],
    ['a follower can hear and not send', ({ from }) => from === 2],
    ['a follower is cut off', ({ from, to }) => from === 2 || to === 2],
    ['the link of leader and follower is cut', ({ from, to }) => from + to === 3],
    ['the leader cannot send to a follower', ({ from, to }) => from === 1 && to === 2],
    ['a follower cannot send to the leader', ({ from, to }) => from === 2 && to === 1],
    ['the link of the followers is cut', ({ from, to }) => from + to === 5],
  ])('Q05: a leader settles within twenty election timeouts, and stays: %s', (_, isCut) => {
    for (let seed = 1; seed <= 5; seed++) {
      const network = new RaftNetwork(3, {}, seed);
      network.elect(1);

      const leaders = run(network, 400, isCut);

      expect([...leaders], `seed ${seed}`).toHaveLength(1);
      const [leader = 0] = leaders;
      expect(leader).not.toBe(0);
      const { commitIndex } = network.raft(leader);
      network.raft(leader).propose([bytesOf('x')], 1);
      run(network, 20, isCut);
      expect(network.raft(leader).commitIndex).toBe(commitIndex + 1);
      const terms = network.nodes.map(({ raft }) => raft.term);
      run(network, 200, isCut);
      expect(network.nodes.map(({ raft }) => raft.term)).toEqual(terms);
    }
  });

  test('a leader that is heard but does not hear is replaced within little over a timeout', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const network = new RaftNetwork(3, {}, seed);
      network.elect(1);
      run(network, seed, () => false);

      run(network, electionTicksMin + 2, ({ to }) => to === 1);

      expect([2, 3], `seed ${seed}`).toContain(network.leader);
    }
  });

  test('G06: a cut that heals leaves no follower behind, however full its window was', () => {
    const network = new RaftNetwork(3, { inflightMessagesMax: 2, appendBytesMax: 1 });
    network.elect(1);
    const isCut: Cut = ({ from, to }) => from === 2 || to === 2;
    for (let i = 0; i < 20; i++) {
      network.raft(1).propose([bytesOf(`entry${i}`)], i);
      network.settle(isCut);
    }

    run(network, 10, () => false);

    expect(network.node(2).applied).toHaveLength(21);
  });
});

describe('A leader without its majority', () => {
  const isCut: Cut = ({ from, to }) => from === 1 || to === 1;

  test('H04: takes proposals up to the limit, and again once the cut has healed', () => {
    const network = new RaftNetwork(3, { checkQuorum: false, uncommittedBytesMax: 10 });
    network.elect(1);
    const propose = (): string => network.raft(1).propose([bytesOf('abc')], 1).kind;

    const kinds = Array.from({ length: 50 }, () => {
      const kind = propose();
      network.settle(isCut);
      return kind;
    });
    expect(kinds.filter((kind) => kind === 'appended')).toHaveLength(3);
    expect(network.raft(1).status()).toMatchObject({ lastIndex: 4, uncommittedBytes: 9 });

    network.tick(1);
    network.settle();
    expect(network.raft(1).status()).toMatchObject({ commitIndex: 4, uncommittedBytes: 0 });
    expect(propose()).toBe('appended');
  });

  test('D19: commits nothing on any node', () => {
    const network = new RaftNetwork(3, { checkQuorum: false });
    network.elect(1);
    network.raft(1).propose([bytesOf('a')], 1);

    network.settle(isCut);

    expect(network.nodes.map(({ raft }) => raft.commitIndex)).toEqual([1, 1, 1]);
    expect(network.committed).toHaveLength(1);
  });
});

/**
 * What the Raft thesis says about membership and log compaction, a sentence a test. Each title
 * cites its source.
 */
import { describe, expect, test } from 'vitest';
import { isJoint, type Message } from '../../src/raft/index.ts';
import { RaftNetwork } from './network.ts';
import { bytesOf, only, snapshotAt, Subject } from './subject.ts';

function cluster(size: number, spares = 0): RaftNetwork {
  const network = new RaftNetwork(size, { strictReconfigCheck: false }, 1, [], spares);
  network.elect(1);
  return network;
}

function tickAll(network: RaftNetwork, count: number): void {
  for (let i = 0; i < count; i++) {
    for (const { id } of network.nodes) {
      network.tick(id);
    }
    network.settle();
  }
}

function proposeText(network: RaftNetwork, count: number): void {
  for (let i = 0; i < count; i++) {
    network.raft(network.leader).propose([bytesOf('x')], 1);
    network.settle();
  }
}

function isAcknowledgement({ type }: Message): boolean {
  return type === 'AppendEntriesResponse';
}

describe('Membership', () => {
  test('Raft thesis §4.1: the latest configuration in the log counts, committed or not', () => {
    const network = cluster(3, 1);
    network.change(1, [1, 2, 3, 4]);
    network.settle(isAcknowledgement);

    for (const { raft } of network.nodes.slice(0, 3)) {
      expect(raft.configuration.confState.voters).toEqual([1, 2, 3, 4]);
      expect(raft.configuration.index).toBeGreaterThan(raft.commitIndex);
    }
  });

  test('Raft thesis §4.1: a server whose entry is removed falls back to the one before', () => {
    const network = cluster(3, 1);
    // The change is in the log of the leader alone, who is then cut off.
    network.change(1, [1, 2, 3, 4]);
    network.settle(({ from, to }) => from === 1 || to === 1);
    network.persist(1);
    for (let i = 0; i < 60; i++) {
      network.tick(2);
      network.tick(3);
      network.settle(({ from, to }) => from === 1 || to === 1);
    }
    expect(network.raft(1).configuration.confState.voters).toHaveLength(4);

    tickAll(network, 30);

    expect(network.leader).not.toBe(1);
    expect(network.raft(1).configuration.confState.voters).toEqual([1, 2, 3]);
  });

  test('Raft thesis §4.1: a server votes for and follows one outside its configuration', () => {
    const subject = new Subject({ terms: [1] });

    expect(subject.voteRequest(9, 2, [1, 1])).toMatchObject([{ isGranted: true }]);
    subject.heartbeat(9, 2);

    expect(subject.raft.leader).toBe(9);
  });

  test('Raft thesis §4.2.1: a new server catches up before it counts', () => {
    const behind = new RaftNetwork(1, { strictReconfigCheck: false }, 1, [], 1);
    behind.elect(1);
    behind.change(1, [1], [2]);
    behind.settle(({ to }) => to === 2);

    expect(behind.change(1, [1, 2])).toEqual({ kind: 'dropped', reason: 'learner-not-ready' });
    tickAll(behind, 3);

    expect(behind.change(1, [1, 2]).kind).toBe('appended');
  });

  test('Raft thesis §4.2.2: a removed leader leads without itself until that commits', () => {
    const network = cluster(3);
    network.change(1, [2, 3]);
    network.settle(isAcknowledgement);
    expect(network.raft(1).role).toBe('leader');

    tickAll(network, 2);

    expect([2, 3]).toContain(network.leader);
    expect(network.raft(1).role).toBe('follower');
  });

  test('Raft thesis §4.2.2: a server that is left out campaigns until that commits', () => {
    const network = cluster(2, 1);
    // Server 1 removes itself; server 2 never hears of it, and each needs the other.
    network.change(1, [2]);
    network.settle(({ to }) => to === 2);
    network.crash(1);
    network.restart(1);
    network.elect(2);
    expect(network.leader).toBe(0);

    network.elect(1);

    expect(network.leader).toBe(2);
    expect(network.raft(2).configuration.confState.voters).toEqual([2]);
  });

  test('Raft thesis §4.2.2: it does not count its own vote then', () => {
    const network = cluster(2, 1);
    network.change(1, [2]);
    network.settle(({ to }) => to === 2);
    network.crash(1);
    network.restart(1);

    network.raft(1).campaign();
    network.settle(({ to }) => to === 2);

    expect(network.raft(1).role).toBe('preCandidate');
  });

  test('Raft thesis §4.2.3: removed servers that campaign do not disturb the others', () => {
    const network = cluster(4);
    // Server 4 never hears that it is removed.
    network.change(1, [1, 2, 3]);
    network.settle(({ to }) => to === 4);
    const { term } = network.raft(1);

    tickAll(network, 60);

    expect(network.leader).toBe(1);
    expect(network.raft(1).term).toBe(term);
  });

  test('Raft thesis §4.3: elections and commitment need majorities of both halves', () => {
    const network = cluster(3, 2);
    network.change(1, [1, 4, 5]);
    const before = network.raft(1).commitIndex;

    network.settle(({ to }) => to > 3);
    expect(network.raft(1).commitIndex).toBe(before);
    tickAll(network, 2);

    expect(network.raft(1).commitIndex).toBeGreaterThan(before);
  });

  test('Raft thesis §4.3: a leader leaves the joint configuration once it is committed', () => {
    const network = cluster(3, 2);
    network.change(1, [1, 4, 5]);
    expect(isJoint(network.raft(1).configuration.confState)).toBe(true);

    network.settle();

    expect(network.raft(4).configuration.confState).toMatchObject({
      voters: [1, 4, 5],
      votersOutgoing: [],
    });
  });
});

describe('Log compaction', () => {
  test('Raft thesis §5: index and term of the last discarded entry are kept', () => {
    const subject = new Subject({ terms: [1, 1, 2], snapshotIndex: 2, id: 2 });

    const [answer] = subject.append(1, 2, [2, 1], [2], 2);

    expect(answer).toMatchObject({ isRejected: false, index: 3 });
  });

  test('Raft thesis §5: the configuration as of the snapshot comes with it', () => {
    const subject = new Subject({ id: 2 });
    subject.heartbeat(1, 2);

    subject.raft.installSnapshot(snapshotAt(7, 2, { voters: [1, 2], learners: [9] }), 2);

    expect(subject.raft.configuration.confState).toMatchObject({ voters: [1, 2], learners: [9] });
  });

  test('Raft thesis §5: the leader sends a snapshot where it has discarded what is needed', () => {
    const network = cluster(3);
    network.crash(3);
    proposeText(network, 5);
    network.compact(1);
    network.restart(3);

    tickAll(network, 3);

    expect(network.installs).toBe(1);
    expect(network.node(3).applied).toEqual(network.node(1).applied);
  });

  test('Raft thesis §5: a snapshot of what the log holds already leaves the rest of it', () => {
    const subject = new Subject({ id: 2, terms: [1, 1, 1] });

    expect(subject.raft.installSnapshot(snapshotAt(2, 1), 1)).toBe(false);

    expect(subject.raft.status()).toMatchObject({ commitIndex: 2, lastIndex: 3 });
  });

  test('Raft thesis §5: a snapshot beyond the log, or in conflict, takes its place', () => {
    const subject = new Subject({ id: 2, terms: [1, 1, 1, 1] });

    expect(subject.raft.installSnapshot(snapshotAt(3, 2), 2)).toBe(true);

    expect(subject.raft.status()).toMatchObject({ commitIndex: 3, lastIndex: 3, lastTerm: 2 });
  });

  test('Raft thesis §5: servers take snapshots by themselves, leader or not', () => {
    const network = cluster(3);
    proposeText(network, 5);
    network.compact(2);
    proposeText(network, 1);

    expect(network.raft(2).status().snapshotIndex).toBe(6);
    expect(only(network.messages, 'InstallSnapshot')).toEqual([]);
    expect(network.node(2).applied).toEqual(network.node(1).applied);
  });
});

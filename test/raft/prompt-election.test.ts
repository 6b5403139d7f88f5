/**
 * Elections that need not wait for the timeout, because the leader is known to be gone (ADR-009).
 */
import { describe, expect, test } from 'vitest';
import { RaftNetwork } from './network.ts';
import { Subject } from './subject.ts';

const electionTicksMin = 10;

/** Followers 2 and 3 of leader 1, which is dead. */
function leaderless(): RaftNetwork {
  const network = new RaftNetwork(3);
  network.elect(1);
  network.settle();
  network.crash(1);
  return network;
}

function tickBoth(network: RaftNetwork, count: number): void {
  for (let i = 0; i < count; i++) {
    for (const id of [2, 3]) {
      network.tick(id);
    }
    network.settle();
  }
}

describe('a cluster that has just started', () => {
  test('elects the first voter in line without waiting for the election timeout', () => {
    const network = new RaftNetwork(3);
    for (const id of [1, 2, 3]) {
      network.raft(id).reportStarted();
    }

    for (let i = 0; i < 3; i++) {
      for (const id of [1, 2, 3]) {
        network.tick(id);
      }
      network.settle();
    }

    expect(network.leader).toBe(1);
  });

  test('leaves a leader alone that one of its nodes has not heard yet', () => {
    const network = new RaftNetwork(3);
    network.elect(3);
    network.settle();
    const { term } = network.raft(3);
    network.crash(1);
    network.restart(1);

    network.raft(1).reportStarted();
    for (let i = 0; i < 3; i++) {
      network.tick(1);
      network.settle();
    }

    expect(network.raft(3).role).toBe('leader');
    expect(network.raft(3).term).toBe(term);
  });

  test('is in no hurry at a node that knows a leader by the time it is told', () => {
    const subject = new Subject({ id: 2 });
    subject.heartbeat(1, 1);

    subject.raft.reportStarted();
    subject.tick(electionTicksMin - 1);

    expect(subject.raft).toMatchObject({ role: 'follower', leader: 1 });
  });

  test('waits as ever without pre-vote, which alone makes an early try harmless', () => {
    const subject = new Subject({ options: { preVote: false } });

    subject.raft.reportStarted();
    subject.tick(electionTicksMin - 1);

    expect(subject.raft.role).toBe('follower');
  });
});

describe('a follower that is told that its leader is down', () => {
  test('campaigns at once, and the next in line elects it', () => {
    const network = leaderless();
    network.raft(2).reportDown(1);
    network.raft(3).reportDown(1);

    tickBoth(network, 3);

    expect(network.raft(2).role).toBe('leader');
    expect(network.raft(3).leader).toBe(2);
  });

  test('leaves the first try to the voter before it, but not the second', () => {
    const network = leaderless();
    network.raft(3).reportDown(1);

    tickBoth(network, 3);
    expect(network.raft(3).role).toBe('follower');
    expect(network.raft(3).leader).toBe(0);

    network.raft(2).reportDown(1);
    network.crash(2);
    for (let i = 0; i < 2; i++) {
      network.tick(3);
    }
    expect(network.raft(3).role).toBe('preCandidate');
  });

  test('gets no voice of one that still hears the leader, and changes no term by asking', () => {
    const network = new RaftNetwork(3);
    network.elect(1);
    network.settle();
    const { term } = network.raft(1);

    network.raft(2).reportDown(1);
    for (let i = 0; i < electionTicksMin / 2; i++) {
      network.tick(2);
      network.settle((message) => message.from === 1 && message.to === 2);
    }

    expect(network.raft(2).role).toBe('preCandidate');
    expect(network.raft(1).role).toBe('leader');
    expect(network.raft(1).term).toBe(term);
  });

  test('goes on following when the leader turns out to live', () => {
    const subject = new Subject({ id: 2 });
    subject.receive({ type: 'Heartbeat', from: 1, to: 2, term: 1, commitIndex: 0, readRound: 0 });

    subject.raft.reportDown(1);
    expect(subject.raft.leader).toBe(0);
    subject.receive({ type: 'Heartbeat', from: 1, to: 2, term: 1, commitIndex: 0, readRound: 0 });
    subject.tick(electionTicksMin - 1);

    expect(subject.raft.leader).toBe(1);
    expect(subject.raft.role).toBe('follower');
  });

  test('keeps to it if it may not lead itself', () => {
    const subject = new Subject({ id: 4, conf: { learners: [4] } });
    subject.heartbeat(1, 1);

    subject.raft.reportDown(1);

    expect(subject.raft.leader).toBe(1);
  });

  test('does nothing about a peer that does not lead', () => {
    const subject = new Subject({ id: 2 });
    subject.receive({ type: 'Heartbeat', from: 1, to: 2, term: 1, commitIndex: 0, readRound: 0 });

    subject.raft.reportDown(3);
    subject.tick(electionTicksMin - 1);

    expect(subject.raft.leader).toBe(1);
  });
});

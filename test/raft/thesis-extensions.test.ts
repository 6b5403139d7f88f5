/**
 * What the Raft thesis says beyond the paper, a sentence a test: transfer of leadership, disruptive
 * servers, reads, pre-vote, the leader's disk. Each title cites its source.
 */
import { describe, expect, test } from 'vitest';
import type { Message, RaftOptions } from '../../src/raft/index.ts';
import { RaftNetwork } from './network.ts';
import { bytesOf, only, proposeText as propose, settledLeader, Subject } from './subject.ts';

const plain: Partial<RaftOptions> = { preVote: false, checkQuorum: false };

describe('Leadership transfer', () => {
  test('Raft thesis §3.10: the leader takes no new requests', () => {
    const subject = settledLeader();
    subject.raft.transferLeader(2);

    expect(subject.raft.propose([bytesOf('x')], 1)).toMatchObject({ kind: 'dropped' });
  });

  test('Raft thesis §3.10: the leader first brings the log of the target up to its own', () => {
    const subject = settledLeader();
    propose(subject, 'x');
    subject.drain();

    subject.raft.transferLeader(2);

    expect(only(subject.drain(), 'TimeoutNow')).toEqual([]);
    expect(only(subject.accept(3), 'TimeoutNow')).toEqual([]);
    expect(only(subject.accept(2), 'TimeoutNow')).toMatchObject([{ to: 2 }]);
  });

  test('Raft thesis §3.10: the target begins an election at once, without pre-vote', () => {
    const subject = new Subject();
    subject.heartbeat(2, 1);

    const sent = subject.receive({ type: 'TimeoutNow', from: 2, to: 1, term: 1 });

    expect(only(sent, 'RequestVote')).toMatchObject([{ term: 2 }, { term: 2 }]);
    expect(subject.raft.role).toBe('candidate');
  });

  test('Raft thesis §3.10: the request of the target makes the leader step down', () => {
    const network = new RaftNetwork(3);
    network.elect(1);

    network.raft(1).transferLeader(3);
    network.settle();

    expect(network.nodes.map(({ raft }) => [raft.role, raft.term])).toEqual([
      ['follower', 2],
      ['follower', 2],
      ['leader', 2],
    ]);
  });

  test('Raft thesis §3.10: after an election timeout the leader takes requests again', () => {
    const subject = settledLeader();
    subject.raft.transferLeader(2);

    for (let i = 0; i < 10; i++) {
      subject.tick();
      subject.heartbeatAnswer(3);
    }

    expect(subject.raft.propose([bytesOf('x')], 1).kind).toBe('appended');
  });
});

describe('Disruptive servers', () => {
  test('Raft thesis §4.2.3: a server that has just heard its leader gives no vote', () => {
    const subject = new Subject();
    subject.heartbeat(2, 1);
    for (let i = 0; i < 9; i++) {
      subject.tick();
    }

    expect(subject.voteRequest(3, 5, [9, 4])).toEqual([]);
    expect(subject.raft.status()).toMatchObject({ term: 1, leader: 2, votedFor: 0 });
  });

  test('Raft thesis §4.2.3: a leader that is heard keeps its place against candidates', () => {
    const subject = settledLeader();

    subject.voteRequest(3, 5, [9, 4]);

    expect(subject.raft.status()).toMatchObject({ role: 'leader', term: 1 });
  });

  test('Raft thesis §4.2.3: an election that the leader asked for is exempt', () => {
    const subject = new Subject();
    subject.heartbeat(2, 1);

    const [answer] = subject.voteRequest(3, 2, [0, 0], 'RequestVote', true);

    expect(answer).toMatchObject({ isGranted: true, term: 2 });
  });

  test('Raft thesis §6.2: a leader without answers of a majority steps down', () => {
    const subject = settledLeader();
    subject.tick(9);
    expect(subject.raft.role).toBe('leader');

    subject.tick();

    expect(subject.raft.status()).toMatchObject({ role: 'follower', term: 1, leader: 0 });
  });
});

describe('Read-only queries', () => {
  test('Raft thesis §6.4: no read is answered before an entry of the own term is committed', () => {
    const subject = new Subject({ terms: [1] });
    subject.lead();
    subject.raft.readIndex(7);
    subject.drain();

    subject.tick();
    for (const from of [2, 3]) {
      subject.raft.step({ type: 'HeartbeatResponse', from, to: 1, term: 2, readRound: 1 });
    }

    expect(subject.raft.ready().readStates).toEqual([]);
  });

  test('Raft thesis §6.4: a read index is the commit index at the time of the question', () => {
    const { raft } = settledLeader();
    raft.readIndex(7);
    raft.ready();
    raft.propose([bytesOf('x')], 1);
    const { write } = raft.ready();
    if (write !== undefined) {
      raft.writeDone(write.ticket);
    }
    raft.step({
      ...{ type: 'AppendEntriesResponse', from: 2, to: 1, term: 1, isRejected: false },
      ...{ index: 2, hintIndex: 0, hintTerm: 0 },
    });
    expect(raft.commitIndex).toBe(2);

    raft.step({ type: 'HeartbeatResponse', from: 2, to: 1, term: 1, readRound: 1 });

    expect(raft.ready().readStates).toEqual([{ context: 7, index: 1 }]);
  });

  test('Raft thesis §6.4: a majority must answer a heartbeat sent after the question', () => {
    const subject = new Subject({ size: 5 });
    subject.lead();
    subject.accept(2);
    subject.accept(3);
    subject.tick();
    subject.raft.readIndex(7);
    subject.drain();
    const answer = (from: number, readRound: number): number => {
      subject.raft.step({ type: 'HeartbeatResponse', from, to: 1, term: 1, readRound });
      return subject.raft.ready().readStates.length;
    };

    expect([answer(2, 0), answer(3, 0), answer(4, 0), answer(5, 0)]).toEqual([0, 0, 0, 0]);
    expect([answer(2, 1), answer(3, 1)]).toEqual([0, 1]);
  });

  test('Raft thesis §6.4: one round of heartbeats serves all reads that wait', () => {
    const { raft } = settledLeader();
    for (const context of [1, 2, 3]) {
      raft.readIndex(context);
    }
    expect(only(raft.ready().messages, 'Heartbeat')).toHaveLength(2);

    raft.step({ type: 'HeartbeatResponse', from: 3, to: 1, term: 1, readRound: 1 });

    expect(raft.ready().readStates.map(({ context }) => context)).toEqual([1, 2, 3]);
  });

  test('Raft thesis §6.4: a follower asks the leader for the read index', () => {
    const network = new RaftNetwork(3);
    network.elect(1);
    network.raft(1).propose([bytesOf('x')], 1);
    network.settle();

    network.raft(2).readIndex(7);
    network.settle();

    expect(network.node(2).readStates).toEqual([{ context: 7, index: 2 }]);
  });

  test('Raft thesis §6.4: a leader that was replaced without knowing answers no read', () => {
    const network = new RaftNetwork(3, plain);
    network.elect(1);
    const isCut = ({ from, to }: Message): boolean => from === 1 || to === 1;
    network.raft(2).campaign();
    network.settle(isCut);
    expect([network.raft(1).role, network.raft(2).role]).toEqual(['leader', 'leader']);

    network.raft(1).readIndex(7);
    network.settle();

    expect(network.node(1).readStates).toEqual([]);
  });
});

describe('Pre-vote', () => {
  test('Raft thesis §9.6: a term is raised only once a majority would vote for it', () => {
    const subject = new Subject({ size: 5 });
    subject.raft.campaign();
    subject.drain();

    for (const from of [2, 3]) {
      expect(subject.raft.status()).toMatchObject({ term: 0, votedFor: 0 });
      subject.receive({ type: 'PreVoteResponse', from, to: 1, term: 1, isGranted: true });
    }

    expect(subject.raft.term).toBe(1);
  });

  test('Raft thesis §9.6: a server would vote only for a log at least as up to date', () => {
    const subject = new Subject({ terms: [1, 2] });

    expect(subject.voteRequest(2, 5, [9, 1], 'PreVote')).toMatchObject([{ isGranted: false }]);
    expect(subject.voteRequest(2, 5, [2, 2], 'PreVote')).toMatchObject([{ isGranted: true }]);
  });

  test('Raft thesis §9.6: a server that has just heard a leader would not vote', () => {
    const subject = new Subject();
    subject.heartbeat(2, 1);

    expect(subject.voteRequest(3, 2, [9, 1], 'PreVote')).toEqual([]);
    for (let i = 0; i < 10; i++) {
      subject.raft.tick();
    }
    expect(only(subject.voteRequest(3, 2, [9, 1], 'PreVote'), 'PreVoteResponse')).toMatchObject([
      { isGranted: true },
    ]);
  });

  test('Raft thesis §9.6: a server that was cut off keeps its term and disturbs nobody', () => {
    const network = new RaftNetwork(3);
    network.elect(1);
    const isCut = ({ from, to }: Message): boolean => from === 3 || to === 3;
    for (let i = 0; i < 100; i++) {
      for (const { id } of network.nodes) {
        network.tick(id);
      }
      network.settle(isCut);
    }
    expect(network.raft(3).status()).toMatchObject({ role: 'preCandidate', term: 1 });

    for (let i = 0; i < 50; i++) {
      for (const { id } of network.nodes) {
        network.tick(id);
      }
      network.settle();
    }

    expect(network.nodes.map(({ raft }) => [raft.term, raft.leader])).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
  });
});

describe("Writing to the leader's disk in parallel", () => {
  test('Raft thesis §10.2.1: entries are sent before the own disk has them', () => {
    const subject = settledLeader();
    propose(subject, 'x');

    const { messages, write } = subject.raft.ready();

    expect(only(messages, 'AppendEntries')).toMatchObject([
      { to: 2, entries: [{ index: 2 }] },
      { to: 3, entries: [{ index: 2 }] },
    ]);
    expect(write?.entries).toMatchObject([{ index: 2 }]);
  });

  test('Raft thesis §10.2.1: followers alone may commit what the own disk lacks', () => {
    const { raft } = settledLeader();
    raft.propose([bytesOf('x')], 1);
    const { write } = raft.ready();
    for (const from of [2, 3]) {
      expect(raft.commitIndex).toBe(1);
      raft.step({
        ...{ type: 'AppendEntriesResponse', from, to: 1, term: 1, isRejected: false },
        ...{ index: 2, hintIndex: 0, hintTerm: 0 },
      });
    }
    expect(raft.commitIndex).toBe(2);
    expect(raft.ready().committedEntries).toEqual([]);

    if (write !== undefined) {
      raft.writeDone(write.ticket);
    }

    expect(raft.ready().committedEntries).toMatchObject([{ index: 2 }]);
  });
});

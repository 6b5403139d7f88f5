/**
 * Learners and joint configurations that a node starts with. How a configuration changes is another
 * matter; what it means for votes, commits and reads is settled here. Ids in titles:
 * `README.md`.
 */
import { describe, expect, test } from 'vitest';
import { only, Subject } from './subject.ts';

describe('Learners', () => {
  const conf = { voters: [1, 2, 3], learners: [4] };

  test('N01: a learner stays a follower, whatever tells it to campaign', () => {
    const subject = new Subject({ id: 4, conf });
    subject.heartbeat(1, 1);

    subject.raft.campaign();
    subject.receive({ type: 'TimeoutNow', from: 1, to: 4, term: 1 });
    subject.tick(50);

    expect(subject.raft.status()).toMatchObject({ role: 'follower', term: 1 });
  });

  test('N02: a learner grants its vote to a log good enough', () => {
    const subject = new Subject({ id: 4, conf, terms: [1, 1] });

    expect(subject.voteRequest(1, 2, [1, 1])).toMatchObject([{ isGranted: false }]);
    expect(subject.voteRequest(2, 2, [2, 1])).toMatchObject([{ isGranted: true }]);
  });

  test('N03: a learner gets entries and is not counted in any majority', () => {
    const subject = new Subject({ conf });
    const sent = subject.lead();
    expect(only(sent, 'RequestVote').map(({ to }) => to)).toEqual([2, 3]);
    expect(only(sent, 'AppendEntries').map(({ to }) => to)).toEqual([2, 3, 4]);

    subject.accept(4);
    expect(subject.raft.commitIndex).toBe(0);

    const told = only(subject.accept(2), 'CommitNotice').filter(({ to }) => to === 4);
    expect(subject.raft.commitIndex).toBe(1);
    expect(told).toMatchObject([{ commitIndex: 1 }]);
  });

  test('N07: a learner gets a read index as a follower does', () => {
    const leader = new Subject({ conf });
    leader.lead();
    leader.accept(2);
    const learner = new Subject({ id: 4, conf });
    learner.append(1, 1, [0, 0], [1], 1);
    learner.raft.readIndex(7);

    for (const message of learner.drain()) {
      leader.receive(message);
    }
    const [answer] = only(leader.heartbeatAnswer(2, 1), 'ReadIndexResponse');
    expect(answer).toMatchObject({ to: 4, index: 1 });
    if (answer !== undefined) {
      learner.raft.step(answer);
    }

    expect(learner.raft.ready().readStates).toEqual([{ context: 7, index: 1 }]);
  });

  test('K05: a learner does not take over', () => {
    const subject = new Subject({ conf });
    subject.lead();
    subject.accept(4);

    expect(subject.raft.transferLeader(4).kind).toBe('refused');
  });
});

describe('A joint configuration', () => {
  const conf = { voters: [1, 2, 3], votersOutgoing: [1, 4, 5] };

  test('M02: elects only with a majority of both halves', () => {
    const subject = new Subject({ conf, options: { preVote: false } });
    subject.raft.campaign();
    subject.drain();
    const grant = (from: number): void => {
      const head = { type: 'RequestVoteResponse', from, to: 1, term: 1 } as const;
      subject.receive({ ...head, isGranted: true });
    };

    grant(2);
    grant(3);
    expect(subject.raft.role).toBe('candidate');
    grant(5);

    expect(subject.raft.role).toBe('leader');
  });

  test('M01: commits what a majority of both halves holds', () => {
    const subject = new Subject({ conf });
    subject.lead();

    subject.accept(2);
    subject.accept(3);
    expect(subject.raft.commitIndex).toBe(0);
    subject.accept(4);

    expect(subject.raft.commitIndex).toBe(1);
  });

  test('J11: confirms a read when a majority of both halves has answered', () => {
    const subject = new Subject({ conf });
    subject.lead();
    subject.accept(2);
    subject.accept(4);
    subject.raft.readIndex(7);
    subject.drain();
    const answer = (from: number): void => {
      subject.raft.step({ type: 'HeartbeatResponse', from, to: 1, term: 1, readRound: 1 });
    };

    answer(2);
    answer(3);
    expect(subject.raft.ready().readStates).toEqual([]);
    answer(5);

    expect(subject.raft.ready().readStates).toEqual([{ context: 7, index: 1 }]);
  });
});

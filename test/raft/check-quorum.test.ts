/** Check-quorum and vote stickiness (Raft thesis §4.2.3). Ids in titles: `README.md`. */
import { describe, expect, test } from 'vitest';
import { RaftNetwork } from './network.ts';
import { Subject } from './subject.ts';

describe('Check-quorum', () => {
  test('C01: a leader without word from a majority steps down in its term', () => {
    const subject = new Subject();
    subject.lead();

    for (let i = 0; i < 20 && subject.raft.role === 'leader'; i++) {
      subject.tick();
    }

    expect(subject.raft.status()).toMatchObject({ role: 'follower', term: 1, leader: 0 });
  });

  test('a leader steps down an election timeout after the last word, whenever that came', () => {
    for (let heard = 0; heard < 10; heard++) {
      const subject = new Subject();
      subject.lead();
      subject.tick(heard);
      subject.heartbeatAnswer(2);

      subject.tick(9);
      expect(subject.raft.role, `heard at ${heard}`).toBe('leader');
      subject.tick();
      expect(subject.raft.role, `heard at ${heard}`).toBe('follower');
    }
  });

  test('a leader that steps down lets the voter that is furthest campaign at once', () => {
    const subject = new Subject();
    subject.lead();
    subject.accept(3);

    const sent = subject.tick(10);

    expect(sent.filter(({ type }) => type === 'TimeoutNow')).toMatchObject([{ to: 3, term: 1 }]);
  });

  test('C02: one of two followers is enough to stay', () => {
    const subject = new Subject();
    subject.lead();

    for (let i = 0; i < 50; i++) {
      subject.tick();
      subject.heartbeatAnswer(2);
    }

    expect(subject.raft.role).toBe('leader');
  });

  test.each(['RequestVote', 'PreVote'] as const)(
    'C03, C04: a voter with a live leader drops a %s, and answers an election timeout later',
    (type) => {
      const subject = new Subject();
      subject.heartbeat(2, 1);

      expect(subject.voteRequest(3, 2, [0, 0], type)).toEqual([]);
      expect(subject.raft.term).toBe(1);

      for (let i = 0; i < 10; i++) {
        subject.raft.tick();
      }
      expect(subject.voteRequest(3, 2, [0, 0], type).at(-1)).toMatchObject({ isGranted: true });
    },
  );

  test('C05: a node that knows no leader answers at once', () => {
    expect(new Subject().voteRequest(3, 2, [0, 0])).toMatchObject([{ isGranted: true }]);
  });

  test('C07, K04: the request of a transfer overrides the live leader', () => {
    const subject = new Subject();
    subject.heartbeat(2, 1);

    const sent = subject.voteRequest(3, 2, [0, 0], 'RequestVote', true);

    expect(sent).toMatchObject([{ isGranted: true }]);
  });

  test('C08: a node outside its own configuration still votes and follows', () => {
    const subject = new Subject({ id: 9, conf: { voters: [1, 2, 3] } });

    const granted = subject.voteRequest(2, 1, [0, 0]);
    const accepted = subject.append(2, 1, [0, 0], [1]);

    expect(granted).toMatchObject([{ type: 'RequestVoteResponse', isGranted: true }]);
    expect(accepted).toMatchObject([{ type: 'AppendEntriesResponse', isRejected: false }]);
    expect(subject.raft.leader).toBe(2);
  });

  test('C06: with neither pre-vote nor check-quorum, a stale append gets no answer', () => {
    const stuck = new Subject({
      id: 3,
      hardState: { currentTerm: 9 },
      options: { preVote: false, checkQuorum: false },
    });

    expect([...stuck.heartbeat(1, 1), ...stuck.append(1, 1, [0, 0], [1])]).toEqual([]);
  });

  test('C11: a follower whose leader is gone may grant pre-votes, not to a shorter log', () => {
    const subject = new Subject({ terms: [1, 1] });
    subject.heartbeat(2, 1);
    const { term, votedFor } = subject.raft.status();

    subject.raft.reportDown(2);
    expect(subject.raft.status()).toMatchObject({ role: 'follower', leader: 0, term, votedFor });
    const [refusal] = subject.voteRequest(3, 2, [1, 1], 'PreVote').slice(-1);
    const [grant] = subject.voteRequest(3, 2, [2, 1], 'PreVote').slice(-1);
    subject.heartbeat(2, 1);

    expect([refusal, grant]).toMatchObject([{ isGranted: false }, { isGranted: true }]);
    expect(subject.raft.status()).toMatchObject({ role: 'follower', leader: 2, term, votedFor });
  });

  test.each(['preCandidate', 'leader'] as const)('C11: a %s is not concerned', (role) => {
    const subject = new Subject();
    if (role === 'leader') {
      subject.lead();
    } else {
      subject.raft.campaign();
    }
    subject.drain();
    const before = subject.raft.status();

    subject.raft.reportDown(2);

    expect(subject.raft.status()).toEqual(before);
  });

  test('C10: a majority that campaigns by itself can elect one of its own', () => {
    const network = new RaftNetwork(3);
    network.elect(1);
    const isCut = (message: { from: number; to: number }): boolean =>
      message.from === 1 || message.to === 1;

    network.raft(2).campaign();
    network.raft(3).campaign();
    network.settle(isCut);
    for (let i = 0; i < 60 && network.leader === 1; i++) {
      network.tick(2);
      network.tick(3);
      network.settle(isCut);
    }

    expect([2, 3]).toContain(network.leader);
  });
});

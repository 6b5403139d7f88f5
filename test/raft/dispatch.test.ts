/** What a message does to a node, by whom it is for and of which term. Ids: `README.md`. */
import { describe, expect, test } from 'vitest';
import { Subject } from './subject.ts';

describe('A message', () => {
  test('for another node, or back from this one, is ignored', () => {
    const subject = new Subject();
    const message = { type: 'Heartbeat', term: 3, commitIndex: 0, readRound: 0 } as const;

    subject.receive({ ...message, from: 2, to: 3 });
    subject.receive({ ...message, from: 1, to: 1 });

    expect(subject.raft.term).toBe(0);
  });

  test('of a leader that the configuration does not name counts: that may be out of date', () => {
    const subject = new Subject();

    subject.receive({ type: 'Heartbeat', term: 3, commitIndex: 0, readRound: 0, from: 9, to: 1 });

    expect(subject.raft.status()).toMatchObject({ term: 3, leader: 9 });
  });

  test("H08: what is meant for a leader is not acted on by others, nor is an earlier run's", () => {
    const subject = new Subject({ hardState: { currentTerm: 2 } });
    const before = subject.raft.status();
    const head = { from: 2, to: 1, term: 2 } as const;

    const sent = [
      ...subject.accept(2, 0),
      ...subject.refuse(2, 0, 0, 0),
      ...subject.heartbeatAnswer(2),
      ...subject.receive({ ...head, type: 'TransferLeader', target: 1 }),
      ...subject.receive({ ...head, type: 'ReadIndex', term: 0, context: 5 }),
      ...subject.receive({ ...head, type: 'ReadIndexResponse', term: 0, context: 5, index: 9 }),
      ...subject.receive({ ...head, type: 'RequestVoteResponse', isGranted: true }),
      ...subject.receive({ ...head, type: 'PreVoteResponse', isGranted: true }),
    ];

    expect(sent).toEqual([]);
    expect(subject.raft.status()).toEqual(before);
  });

  test('of a later term is taken in that term', () => {
    const subject = new Subject({ hardState: { currentTerm: 2, votedFor: 3 } });

    const sent = subject.voteRequest(2, 4, [9, 4]);

    expect(sent).toMatchObject([{ to: 2, term: 4, isGranted: true }]);
    expect(subject.raft.status()).toMatchObject({ term: 4, votedFor: 2 });
  });

  test('of an earlier term changes nothing, though its sender may be told', () => {
    const subject = new Subject({ hardState: { currentTerm: 4 } });
    const before = subject.raft.status();
    const beat = { type: 'Heartbeat', term: 3, commitIndex: 0, readRound: 0 } as const;

    const sent = subject.receive({ ...beat, from: 2, to: 1 });

    expect(sent).toMatchObject([{ type: 'HeartbeatResponse', to: 2, term: 4 }]);
    expect(subject.raft.status()).toEqual(before);
  });
});

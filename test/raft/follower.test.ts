/** Appends, conflicts and heartbeats at a follower. Ids in titles: `README.md`. */
import { describe, expect, test } from 'vitest';
import { entriesOf, Subject } from './subject.ts';

describe('CommitNotice at a follower', () => {
  const notice = { type: 'CommitNotice', from: 2, to: 1, term: 3 } as const;

  test('commits up to an entry that it holds, and is not answered', () => {
    const subject = new Subject({ terms: [1, 1, 3], hardState: { currentTerm: 3 } });

    const sent = subject.receive({ ...notice, commitIndex: 3, commitTerm: 3 });

    expect(subject.raft.commitIndex).toBe(3);
    expect(sent).toEqual([]);
  });

  test('commits nothing where it holds another entry, or none yet', () => {
    const subject = new Subject({ terms: [1, 1, 2], hardState: { currentTerm: 3 } });

    subject.receive({ ...notice, commitIndex: 3, commitTerm: 3 });
    subject.receive({ ...notice, commitIndex: 4, commitTerm: 3 });

    expect(subject.raft.commitIndex).toBe(0);
  });

  test('never takes a commit index back', () => {
    const subject = new Subject({ terms: [1, 1, 3], hardState: { currentTerm: 3 } });
    subject.receive({ ...notice, commitIndex: 3, commitTerm: 3 });

    subject.receive({ ...notice, commitIndex: 2, commitTerm: 1 });

    expect(subject.raft.commitIndex).toBe(3);
  });
});

describe('AppendEntries at a follower', () => {
  test('D04: the commit index follows the leader up to the last entry vouched for', () => {
    const subject = new Subject({ terms: [1, 1, 1, 1] });

    subject.append(2, 1, [1, 1], [1], 4);

    expect(subject.raft.commitIndex).toBe(2);
    expect(subject.applied.map(({ index }) => index)).toEqual([1, 2]);
    subject.append(2, 1, [2, 1], [1, 1], 3);
    expect(subject.applied.map(({ index }) => index)).toEqual([1, 2, 3]);
  });

  test('D05: a missing or other previous entry is refused and the log stays', () => {
    const subject = new Subject({ terms: [1, 2] });

    const missing = subject.append(2, 3, [3, 3], [3]);
    const other = subject.append(2, 3, [2, 3], [3]);

    expect(missing).toMatchObject([{ isRejected: true, index: 3, hintIndex: 2, hintTerm: 2 }]);
    expect(other).toMatchObject([{ isRejected: true, index: 2, hintIndex: 2, hintTerm: 2 }]);
    expect(subject.terms).toEqual([1, 2]);
  });

  test('D05: acceptance names the last entry vouched for', () => {
    const subject = new Subject({ terms: [1, 1, 1] });

    expect(subject.append(2, 1, [1, 1], [1])).toMatchObject([{ isRejected: false, index: 2 }]);
  });

  test('D06: a conflicting entry goes with all after it', () => {
    const subject = new Subject({ terms: [1, 2, 2, 2] });

    subject.append(2, 3, [1, 1], [3, 3]);

    expect(subject.terms).toEqual([1, 3, 3]);
  });

  test('D06: a late duplicate does not shorten the log', () => {
    const subject = new Subject({ terms: [1, 1, 1] });

    subject.append(2, 1, [0, 0], [1]);

    expect(subject.terms).toEqual([1, 1, 1]);
  });

  test('D07: replacing a committed entry stops the node', () => {
    const subject = new Subject({ terms: [1, 1], hardState: { commitIndex: 2 }, lastApplied: 2 });

    expect(() => {
      subject.receive({
        type: 'AppendEntries',
        from: 2,
        to: 1,
        term: 2,
        prevLogIndex: 2,
        prevLogTerm: 1,
        commitIndex: 2,
        entries: entriesOf([2], 2),
      });
    }).toThrow();
  });

  test('D14, F09: an append before the commit index is answered with the commit index', () => {
    const subject = new Subject({
      terms: [1, 1, 1],
      hardState: { commitIndex: 3 },
      lastApplied: 3,
    });

    expect(subject.append(2, 2, [1, 1], [1])).toMatchObject([{ isRejected: false, index: 3 }]);
  });

  test('F12: a longer log with a conflict at the first new entry gives way without a probe', () => {
    const subject = new Subject({ terms: [1, 2, 2, 2] });

    const sent = subject.append(2, 3, [1, 1], [3]);

    expect(sent).toMatchObject([{ isRejected: false, index: 2 }]);
    expect(subject.terms).toEqual([1, 3]);
  });
});

describe('Heartbeat at a follower', () => {
  test('D09: the commit index grows and never shrinks', () => {
    const subject = new Subject({ terms: [1, 1, 1] });

    subject.heartbeat(2, 1, 2);
    subject.heartbeat(2, 1, 1);

    expect(subject.raft.commitIndex).toBe(2);
  });

  test('E05: a commit index beyond the log stops the node', () => {
    const subject = new Subject({ terms: [1] });

    expect(() => subject.heartbeat(2, 1, 2)).toThrow(/beyond/);
  });
});

describe('Answers of a follower', () => {
  test('O01: an acknowledgement waits until the entries are on disk', () => {
    const { raft } = new Subject();
    raft.step({
      type: 'AppendEntries',
      from: 2,
      to: 1,
      term: 1,
      prevLogIndex: 0,
      prevLogTerm: 0,
      commitIndex: 0,
      entries: entriesOf([1]),
    });

    const ready = raft.ready();

    expect(ready.messages).toEqual([]);
    expect(ready.write?.messages).toMatchObject([{ type: 'AppendEntriesResponse', index: 1 }]);
  });

  test('O01: a duplicate is not acknowledged before the write that it rests on', () => {
    const { raft } = new Subject();
    const message = {
      type: 'AppendEntries' as const,
      from: 2,
      to: 1,
      term: 1,
      prevLogIndex: 0,
      prevLogTerm: 0,
      commitIndex: 0,
      entries: entriesOf([1]),
    };
    raft.step(message);
    const { write } = raft.ready();
    raft.step(message);

    expect(raft.ready().messages).toEqual([]);
    if (write !== undefined) {
      raft.writeDone(write.ticket);
    }
    expect(raft.ready().messages).toMatchObject([{ type: 'AppendEntriesResponse', index: 1 }]);
  });

  test('O01: a refusal waits for the term that it speaks of', () => {
    const { raft } = new Subject();
    raft.step({
      type: 'AppendEntries',
      from: 2,
      to: 1,
      term: 4,
      prevLogIndex: 3,
      prevLogTerm: 3,
      commitIndex: 0,
      entries: [],
    });

    const ready = raft.ready();

    expect(ready.messages).toEqual([]);
    expect(ready.write).toMatchObject({
      hardState: { currentTerm: 4 },
      mustSync: true,
      messages: [{ type: 'AppendEntriesResponse', isRejected: true }],
    });
  });

  test('O01: a heartbeat is answered at once, but not before its term is on disk', () => {
    const { raft } = new Subject();
    const heartbeat = { from: 2, to: 1, term: 4, commitIndex: 0, readRound: 0 } as const;
    raft.step({ ...heartbeat, type: 'Heartbeat' });
    const { messages, write } = raft.ready();
    expect(messages).toEqual([]);
    expect(write?.messages).toMatchObject([{ type: 'HeartbeatResponse', term: 4 }]);
    if (write !== undefined) {
      raft.writeDone(write.ticket);
    }

    raft.step({ ...heartbeat, type: 'Heartbeat' });

    expect(raft.ready().messages).toMatchObject([{ type: 'HeartbeatResponse', term: 4 }]);
  });

  test('O01: a request for votes waits until the own vote is on disk, a pre-vote does not', () => {
    const { raft } = new Subject();
    raft.campaign();
    expect(raft.ready()).toMatchObject({
      ...{ messages: [{ type: 'PreVote' }, { type: 'PreVote' }], write: undefined },
    });

    raft.step({ type: 'PreVoteResponse', from: 2, to: 1, term: 1, isGranted: true });

    const ready = raft.ready();
    expect(ready.messages).toEqual([]);
    expect(ready.write).toMatchObject({
      hardState: { currentTerm: 1, votedFor: 1 },
      messages: [{ type: 'RequestVote' }, { type: 'RequestVote' }],
    });
  });

  test('O01: a vote waits until term and vote are on disk', () => {
    const { raft } = new Subject();
    raft.step({
      type: 'RequestVote',
      from: 2,
      to: 1,
      term: 4,
      lastIndex: 0,
      lastTerm: 0,
      isTransfer: false,
    });

    const ready = raft.ready();

    expect(ready.messages).toEqual([]);
    expect(ready.write).toMatchObject({
      hardState: { currentTerm: 4, votedFor: 2 },
      mustSync: true,
      messages: [{ type: 'RequestVoteResponse', isGranted: true }],
    });
  });
});

/** Writes: one at a time, what they carry, and what a late acknowledgement is worth. */
import { describe, expect, test } from 'vitest';
import { must } from '../../src/base/index.ts';
import type { Message, StorageWrite } from '../../src/raft/index.ts';
import { StorageQueue } from '../../src/raft/storage-queue.ts';
import { bytesOf, coreOf, entriesOf, snapshotAt, Subject } from './subject.ts';

function append(term: number, prev: readonly [number, number], terms: readonly number[]): Message {
  return {
    type: 'AppendEntries',
    from: 2,
    to: 1,
    term,
    prevLogIndex: prev[0],
    prevLogTerm: prev[1],
    commitIndex: 0,
    entries: entriesOf(terms, prev[0] + 1),
  };
}

function takeWrite(subject: Subject): StorageWrite {
  const { write } = subject.raft.ready();
  if (write === undefined) {
    throw new Error('no write was handed out');
  }
  return write;
}

describe('StorageQueue', () => {
  test('O10: what comes while a write is out makes one batch after it', () => {
    const subject = new Subject({ size: 1 });
    subject.raft.campaign();
    subject.drain();
    subject.raft.propose([bytesOf('a')], 1);
    const first = takeWrite(subject);
    subject.raft.propose([bytesOf('b')], 2);
    subject.raft.propose([bytesOf('c')], 3);
    expect(subject.raft.ready().write).toBeUndefined();

    subject.raft.writeDone(first.ticket);

    expect(takeWrite(subject).entries.map(({ index }) => index)).toEqual([3, 4]);
  });

  test('O06, O09: an entry replaced while its write is out is not stable by that write', () => {
    const subject = new Subject();
    subject.raft.step(append(1, [0, 0], [1, 1, 1]));
    const first = takeWrite(subject);
    subject.raft.step(append(2, [1, 1], [2]));

    subject.raft.writeDone(first.ticket);

    expect(subject.raft.status().stableIndex).toBe(1);
    expect(takeWrite(subject).entries).toMatchObject([{ index: 2, term: 2 }]);
  });

  test('O07: nor when the same index and term come back (A-B-A)', () => {
    const subject = new Subject();
    subject.raft.step(append(1, [0, 0], [1, 1]));
    const first = takeWrite(subject);
    subject.raft.step(append(2, [1, 1], [2]));
    subject.raft.step(append(3, [0, 0], [1, 3]));

    subject.raft.writeDone(first.ticket);

    expect(subject.raft.status()).toMatchObject({ stableIndex: 1, lastIndex: 2, lastTerm: 3 });
  });

  test('entries that came during a write are not stable by it, however the log is cut', () => {
    const subject = new Subject();
    subject.raft.step(append(1, [0, 0], [1, 1]));
    const first = takeWrite(subject);
    subject.raft.step(append(1, [2, 1], [1, 1]));
    subject.raft.step(append(2, [3, 1], [2]));

    subject.raft.writeDone(first.ticket);

    expect(subject.raft.status()).toMatchObject({ stableIndex: 2, lastIndex: 4, lastTerm: 2 });
  });

  test('O12: term, vote and entries must be synced, a commit index need not', () => {
    const subject = new Subject({ terms: [1, 1] });
    subject.heartbeat(2, 1, 2);
    expect(subject.raft.hasReady()).toBe(false);

    subject.raft.tick();

    expect(takeWrite(subject)).toMatchObject({
      mustSync: false,
      entries: [],
      hardState: { commitIndex: 2 },
    });
  });

  test('and so must a snapshot in the place of the log', () => {
    const subject = new Subject({ terms: [1, 1] });

    expect(subject.raft.installSnapshot(snapshotAt(7, 1), 1)).toBe(true);

    expect(takeWrite(subject)).toMatchObject({
      mustSync: true,
      install: { index: 7 },
      hardState: { currentTerm: 1, commitIndex: 7 },
    });
  });

  test('O01: a write vouches for the term that it carries, not for one that came meanwhile', () => {
    const { raft } = new Subject();
    const heartbeat = { type: 'Heartbeat', from: 2, to: 1, commitIndex: 0, readRound: 0 } as const;
    raft.step({ ...heartbeat, term: 4 });
    const first = raft.ready().write;
    raft.step({ ...heartbeat, from: 3, term: 5 });
    expect(raft.ready()).toMatchObject({ messages: [], write: undefined });

    raft.writeDone(must(first, 'the write of term 4').ticket);
    raft.step({ ...heartbeat, from: 3, term: 5 });

    const { messages, write } = raft.ready();
    expect(messages).toEqual([]);
    expect(write?.hardState?.currentTerm).toBe(5);
    const answer = { type: 'HeartbeatResponse', to: 3, term: 5 };
    expect(write?.messages).toMatchObject([answer, answer]);
  });

  test('O01: a vote in a term that is on disk already is written before it is told', () => {
    const subject = new Subject({ terms: [1, 2] });
    const { raft } = subject;
    const request = { type: 'RequestVote', to: 1, term: 5, isTransfer: false } as const;
    raft.step({ ...request, from: 2, lastIndex: 1, lastTerm: 1 });
    subject.drain();
    expect(raft.status()).toMatchObject({ term: 5, votedFor: 0 });

    raft.step({ ...request, from: 3, lastIndex: 2, lastTerm: 2 });

    const { messages, write } = raft.ready();
    expect(messages).toEqual([]);
    expect(write).toMatchObject({
      mustSync: true,
      hardState: { currentTerm: 5, votedFor: 3 },
      messages: [{ type: 'RequestVoteResponse', to: 3, isGranted: true }],
    });
  });

  test.each([
    ['itself', 1, [false, true]],
    ['another', 3, [false, false]],
  ])('a vote for %s is one for itself on disk only if it is, and is written', (_, votedFor, is) => {
    const core = coreOf({ id: 1 });
    const queue = new StorageQueue(core, { currentTerm: 1, votedFor: 0, commitIndex: 0 });
    core.enterTerm(2);
    core.votedFor = votedFor;
    const { ticket } = must(queue.take().write, 'the write of the vote');

    const seen = [queue.isOwnVoteDurable];
    queue.done(ticket);
    seen.push(queue.isOwnVoteDurable);

    expect(seen).toEqual(is);
  });

  test('O13: an idle node asks for nothing', () => {
    const subject = new Subject({ size: 1 });
    subject.raft.campaign();
    subject.drain();

    expect(subject.raft.hasReady()).toBe(false);
    expect(subject.raft.ready()).toMatchObject({ messages: [], committedEntries: [], events: [] });
  });

  test('an acknowledgement of no write that is out stops the node', () => {
    const { raft } = new Subject();

    expect(() => {
      raft.writeDone({ sequence: 3, term: 0, lastIndex: 0, lastTerm: 0 });
    }).toThrow(/is out/);
  });
});

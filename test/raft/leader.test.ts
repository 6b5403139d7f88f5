/** Replication, commitment, flow control and bounds at a leader. Ids: `README.md`. */
import { describe, expect, test } from 'vitest';
import type { RaftOptions } from '../../src/raft/index.ts';
import { RaftNetwork } from './network.ts';
import {
  bytesOf,
  entry,
  only,
  proposeText as propose,
  settledLeader as streaming,
  Subject,
} from './subject.ts';

function leaderOf(options: Partial<RaftOptions> = {}, terms: readonly number[] = []): Subject {
  const subject = new Subject({ terms, options });
  subject.lead();
  return subject;
}

describe('Replication', () => {
  test('D01: a proposal goes to all followers at once, uncommitted', () => {
    const subject = streaming();

    const result = propose(subject, 'a');

    expect(result).toEqual({ kind: 'appended', term: 1, firstIndex: 2 });
    expect(only(subject.raft.ready().messages, 'AppendEntries')).toMatchObject([
      { to: 2, prevLogIndex: 1, prevLogTerm: 1, commitIndex: 1, entries: [{ index: 2 }] },
      { to: 3, prevLogIndex: 1, prevLogTerm: 1, commitIndex: 1, entries: [{ index: 2 }] },
    ]);
    expect(subject.raft.commitIndex).toBe(1);
  });

  test('D02, D13: a majority commits it, and all are told at once', () => {
    const subject = streaming();
    propose(subject, 'a');
    subject.drain();

    const sent = subject.accept(2);

    expect(subject.raft.commitIndex).toBe(2);
    expect(subject.applied.at(-1)).toMatchObject({ index: 2 });
    expect(only(sent, 'CommitNotice')).toMatchObject([
      { to: 2, commitIndex: 2, commitTerm: 1 },
      { to: 3, commitIndex: 2, commitTerm: 1 },
    ]);
  });

  test('D13: a follower whose answer comes after the commit is told at once', () => {
    const subject = leaderOf();
    subject.accept(2);

    const sent = only(subject.accept(3), 'CommitNotice');

    expect(sent).toMatchObject([{ to: 3, commitIndex: 1 }]);
  });

  test('an append that carries the commit index spares the notice of it', () => {
    const subject = streaming();
    propose(subject, 'a');
    subject.drain();
    propose(subject, 'b');

    const sent = subject.accept(2, 2);

    expect(only(sent, 'AppendEntries')).toMatchObject([
      { to: 2, commitIndex: 2, entries: [{ index: 3 }] },
      { to: 3, commitIndex: 2, entries: [{ index: 3 }] },
    ]);
    expect(only(sent, 'CommitNotice')).toEqual([]);
  });

  test('a notice goes to nobody who has not been sent the entry: its append says so', () => {
    const subject = streaming({ inflightMessagesMax: 1 });
    propose(subject, 'a');
    subject.drain();
    propose(subject, 'b');
    subject.drain();

    const sent = [...subject.accept(2, 2), ...subject.accept(2, 3)];

    expect(subject.raft.commitIndex).toBe(3);
    expect(only(sent, 'CommitNotice')).toMatchObject([
      { to: 3, commitIndex: 2 },
      { to: 2, commitIndex: 3 },
    ]);
    expect(only(subject.accept(3, 2), 'AppendEntries')).toMatchObject([
      { to: 3, commitIndex: 3, entries: [{ index: 3 }] },
    ]);
  });

  test('a notice goes to nobody who is probed: it may be lost, and would count as sent', () => {
    const subject = new Subject({ size: 5 });
    subject.lead();
    subject.accept(2);
    subject.accept(3);
    propose(subject, 'a');
    subject.drain();
    subject.accept(2, 2);
    subject.raft.reportUnreachable(2);
    subject.heartbeatAnswer(2);

    const sent = only(subject.accept(3, 2), 'CommitNotice');
    const late = only(subject.accept(2, 2), 'CommitNotice');

    expect(sent).toMatchObject([{ to: 3, commitIndex: 2 }]);
    expect(late).toMatchObject([{ to: 2, commitIndex: 2 }]);
  });

  test('D03, E01: entries of earlier terms commit with one of the own, not by counting', () => {
    const subject = leaderOf({}, [1, 2]);
    for (const index of [1, 2]) {
      subject.accept(2, index);
      subject.accept(3, index);
      expect(subject.raft.commitIndex).toBe(0);
    }

    subject.accept(2, 3);

    expect(subject.raft.commitIndex).toBe(3);
    expect(subject.applied.map(({ index }) => index)).toEqual([1, 2, 3]);
  });

  test('D09, D10: a heartbeat commits no more than its receiver is known to hold', () => {
    const subject = leaderOf();
    subject.accept(2);

    expect(only(subject.tick(), 'Heartbeat')).toMatchObject([
      { to: 2, commitIndex: 1 },
      { to: 3, commitIndex: 0 },
    ]);
  });

  test('D11: a follower behind gets an append at each heartbeat answer, a level one none', () => {
    const subject = leaderOf();
    subject.accept(2);

    expect(only(subject.heartbeatAnswer(2), 'AppendEntries')).toEqual([]);
    expect(only(subject.heartbeatAnswer(3), 'AppendEntries')).toHaveLength(1);
    expect(only(subject.heartbeatAnswer(3), 'AppendEntries')).toHaveLength(1);
  });

  test('what is due before a tick is due after it, though no heartbeat is', () => {
    const subject = streaming({ heartbeatTicks: 3 });
    propose(subject, 'a');
    subject.tick();
    subject.raft.step({ type: 'HeartbeatResponse', from: 3, to: 1, term: 1, readRound: 0 });

    subject.raft.tick();

    expect(subject.raft.hasReady()).toBe(true);
    expect(subject.raft.ready().messages).toMatchObject([{ type: 'AppendEntries', to: 3 }]);
  });

  test('D12, G10: a follower reported unreachable is probed and found again', () => {
    const subject = streaming();
    subject.raft.reportUnreachable(2);
    expect(subject.raft.status().progress.get(2)).toMatchObject({ state: 'probe', nextIndex: 2 });

    const sent = subject.heartbeatAnswer(2);
    subject.accept(2);

    expect(only(sent, 'AppendEntries')).toMatchObject([{ to: 2, entries: [] }]);
    expect(subject.raft.status().progress.get(2)?.state).toBe('replicate');
  });

  test('an answer from before the link broke does not end the probe', () => {
    const subject = streaming();
    propose(subject, 'a', 'b');
    subject.drain();
    subject.accept(2, 3);
    subject.raft.reportUnreachable(2);

    subject.accept(2, 2);

    expect(subject.raft.status().progress.get(2)).toMatchObject({
      ...{ state: 'probe', matchIndex: 3, nextIndex: 4 },
    });
  });

  test('D16: refusing another index than the one in question changes nothing', () => {
    const subject = leaderOf({}, [1, 1, 1, 1]);

    const sent = [...subject.refuse(2, 2, 0, 0), ...subject.refuse(2, 5, 1, 1)];

    expect(sent).toEqual([]);
    expect(subject.raft.status().progress.get(2)).toMatchObject({
      ...{ state: 'probe', isPaused: true, matchIndex: 0, nextIndex: 5 },
    });
  });

  test('D16, F11: stale answers of a streaming follower change nothing', () => {
    const subject = streaming();
    propose(subject, 'a');
    subject.drain();
    subject.accept(2, 2);
    const before = subject.raft.status().progress.get(2);

    subject.accept(2, 1);
    subject.refuse(2, 1, 0, 0);

    expect(subject.raft.status().progress.get(2)).toEqual(before);
  });

  test('F11: a genuine refusal of a streaming follower leads back to what matches', () => {
    const subject = streaming();
    propose(subject, 'a');
    subject.drain();

    const sent = subject.refuse(2, 2, 1, 1);

    expect(only(sent, 'AppendEntries')).toMatchObject([{ prevLogIndex: 1 }]);
    expect(subject.raft.status().progress.get(2)?.state).toBe('probe');
  });

  test('D17: an own write that ends after the leadership commits nothing', () => {
    const subject = streaming();
    propose(subject, 'a');
    const { write } = subject.raft.ready();
    subject.accept(2, 2);
    subject.heartbeat(3, 5);

    if (write !== undefined) {
      subject.raft.writeDone(write.ticket);
    }

    expect(subject.raft.commitIndex).toBe(1);
  });

  test('D18: proposals at a follower are passed on, or refused with a reason', () => {
    const network = new RaftNetwork(3);
    expect(network.raft(2).propose([bytesOf('a')], 1)).toMatchObject({ reason: 'no-leader' });
    network.elect(1);

    const result = network.raft(2).propose([bytesOf('a')], 1);
    network.settle();

    expect(result).toMatchObject({ kind: 'forwarded', to: 1 });
    expect(network.node(3).applied.at(-1)?.data).toEqual(bytesOf('a'));
    const silent = new Subject({ options: { forwardProposals: false } });
    silent.heartbeat(2, 1);
    expect(propose(silent, 'a')).toMatchObject({ kind: 'dropped', reason: 'not-leader' });
  });

  test('D18: a refusal of passed-on proposals comes back as an event', () => {
    const network = new RaftNetwork(3, { uncommittedBytesMax: 1 });
    network.elect(1);
    network.raft(1).propose([bytesOf('aa')], 1);
    network.raft(2).propose([bytesOf('bb')], 77);
    network.collect(2);

    network.settle((message) => message.type === 'AppendEntriesResponse');

    expect(network.node(2).rejectedContexts).toEqual([77]);
  });

  test('D19: without a majority nothing commits', () => {
    const subject = leaderOf();
    propose(subject, 'a');
    subject.drain();

    expect(subject.raft.commitIndex).toBe(0);
    expect(subject.applied).toEqual([]);
  });

  test('D20, O02: a single voter commits when its own disk has the entry', () => {
    const subject = new Subject({ size: 1 });
    subject.raft.campaign();
    subject.drain();
    propose(subject, 'a');
    const ready = subject.raft.ready();
    expect(subject.raft.commitIndex).toBe(1);

    if (ready.write !== undefined) {
      subject.raft.writeDone(ready.write.ticket);
    }

    expect(subject.raft.commitIndex).toBe(2);
  });

  test('O02: appends leave before the own disk has them, which counts only then', () => {
    const subject = streaming();
    propose(subject, 'a');
    const { messages, write } = subject.raft.ready();
    expect(only(messages, 'AppendEntries')).toHaveLength(2);
    const ack = { type: 'AppendEntriesResponse', to: 1, term: 1, isRejected: false } as const;
    subject.raft.step({ ...ack, from: 2, index: 2, hintIndex: 0, hintTerm: 0 });
    expect(subject.raft.commitIndex).toBe(1);

    if (write !== undefined) {
      subject.raft.writeDone(write.ticket);
    }

    expect(subject.raft.commitIndex).toBe(2);
  });

  test('the end of a write that commits nothing is no news', () => {
    const subject = streaming();
    propose(subject, 'a');
    subject.drain();
    subject.accept(2, 2);
    subject.raft.tick();
    const { write } = subject.raft.ready();
    expect(write).toMatchObject({ hardState: { commitIndex: 2 }, entries: [] });

    if (write !== undefined) {
      subject.raft.writeDone(write.ticket);
    }

    expect(subject.raft.hasReady()).toBe(false);
  });
});

describe('Backtracking', () => {
  /** Leader's terms, follower's terms, the hint and the next probe, as the checklist has them. */
  test.each([
    [
      [1, 2, 2, 4, 4, 4, 4],
      [1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3],
      [7, 3],
      [3, 2],
    ],
    [
      [1, 2, 2, 3, 4, 4, 4, 5],
      [1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3],
      [8, 3],
      [4, 3],
    ],
    [
      [1, 1, 1, 1],
      [1, 2, 2, 4],
      [1, 1],
      [1, 1],
    ],
    [
      [1, 1, 1, 1, 1, 1],
      [1, 2, 2, 4, 4, 4],
      [1, 1],
      [1, 1],
    ],
    [
      [1, 1, 1, 4, 5],
      [1, 1, 1, 4],
      [4, 4],
      [4, 4],
    ],
    [
      [2, 5, 5, 5, 5, 5, 5, 5, 5],
      [2, 4, 4, 4, 4, 4],
      [6, 4],
      [1, 2],
    ],
    [
      [2, 2, 2, 2, 2],
      [2, 4, 4, 4, 4, 4, 4, 4],
      [1, 2],
      [1, 2],
    ],
  ] as const)(
    'F03, F04, F05, F06, F07, F08: leader %j, follower %j: hint %j, next probe %j',
    (ours, theirs, hint, next) => {
      const leader = new Subject({ terms: ours, hardState: { currentTerm: 9 } });
      const follower = new Subject({ id: 2, terms: theirs });
      const [probe] = only(leader.lead(), 'AppendEntries');
      expect(probe).toMatchObject({ to: 2, prevLogIndex: ours.length });

      const [refusal] = probe === undefined ? [] : follower.receive(probe);
      const [again] = refusal === undefined ? [] : only(leader.receive(refusal), 'AppendEntries');

      expect(refusal).toMatchObject({ isRejected: true, hintIndex: hint[0], hintTerm: hint[1] });
      expect(again).toMatchObject({ prevLogIndex: next[0], prevLogTerm: next[1] });
    },
  );

  test('F02: an empty follower is found in one probe, however long the log', () => {
    const leader = leaderOf(
      {},
      Array.from({ length: 1000 }, () => 1),
    );

    const sent = leader.refuse(2, 1000, 0, 0);

    expect(only(sent, 'AppendEntries')).toMatchObject([{ prevLogIndex: 0 }]);
  });

  test('F09: a refusal without a term is taken at its word, and matches nothing by itself', () => {
    const leader = leaderOf({}, [1, 1, 1, 1]);

    const sent = leader.refuse(2, 4, 2, 0);

    expect(only(sent, 'AppendEntries')).toMatchObject([{ prevLogIndex: 2, prevLogTerm: 1 }]);
    expect(leader.raft.status().progress.get(2)).toMatchObject({ matchIndex: 0, state: 'probe' });
  });
});

describe('Flow control', () => {
  test('G01, G11: one probe is out at a time, until an answer or a heartbeat answer', () => {
    const subject = leaderOf();

    propose(subject, 'a');
    expect(only(subject.drain(), 'AppendEntries')).toEqual([]);
    subject.tick();
    propose(subject, 'b');
    expect(only(subject.drain(), 'AppendEntries')).toEqual([]);

    expect(only(subject.heartbeatAnswer(2), 'AppendEntries')).toHaveLength(1);
  });

  test('G02: a streaming follower gets each batch at once', () => {
    const subject = streaming();

    for (const next of [3, 4, 5]) {
      propose(subject, 'a');
      expect(only(subject.drain(), 'AppendEntries')).toHaveLength(2);
      expect(subject.raft.status().progress.get(2)?.nextIndex).toBe(next);
    }
  });

  test('G04, G05: a full window stops, and an acknowledgement moves it', () => {
    const subject = streaming({ inflightMessagesMax: 2 });
    for (const text of ['a', 'b', 'c', 'd']) {
      propose(subject, text);
      subject.drain();
    }
    expect(subject.raft.status().progress.get(2)).toMatchObject({
      inflightMessages: 2,
      nextIndex: 4,
    });

    const sent = only(subject.accept(2, 3), 'AppendEntries').filter(({ to }) => to === 2);

    expect(sent).toMatchObject([{ entries: [{ index: 4 }, { index: 5 }] }]);
    expect(subject.raft.status().progress.get(2)?.inflightMessages).toBe(1);
    subject.accept(2, 2);
    expect(subject.raft.status().progress.get(2)?.inflightMessages).toBe(1);
  });

  test('an acknowledgement leaves what else is on its way, and sends none of it again', () => {
    const subject = streaming();
    for (const text of ['a', 'b', 'c']) {
      propose(subject, text);
      subject.drain();
    }

    const sent = subject.accept(2, 2);

    expect(only(sent, 'AppendEntries')).toEqual([]);
    expect(subject.raft.status().progress.get(2)).toMatchObject({ matchIndex: 2, nextIndex: 5 });
  });

  test('G06: a full window gets one empty append per heartbeat answer', () => {
    const subject = streaming({ inflightMessagesMax: 1 });
    propose(subject, 'a');
    subject.drain();

    propose(subject, 'b');
    subject.drain();

    for (let i = 0; i < 2; i++) {
      const sent = only(subject.heartbeatAnswer(2), 'AppendEntries');

      expect(sent).toMatchObject([{ to: 2, entries: [], prevLogIndex: 2 }]);
    }
    expect(subject.raft.status().progress.get(2)?.inflightMessages).toBe(1);
  });

  test('G07: the window is bounded in bytes too', () => {
    const subject = streaming({ appendBytesMax: 4, inflightBytesMax: 8 });

    propose(subject, 'aaaa', 'bbbb', 'cccc', 'dddd');
    subject.drain();

    expect(subject.raft.status().progress.get(2)).toMatchObject({ inflightBytes: 8, nextIndex: 4 });
  });

  test('G08: appends are packed to their limit, a larger entry goes alone', () => {
    const subject = streaming({ appendBytesMax: 4 });

    propose(subject, 'aa', 'bb', 'c', 'dddddd', 'e');

    const sent = only(subject.raft.ready().messages, 'AppendEntries').filter(({ to }) => to === 2);
    expect(sent.map(({ entries }) => entries.length)).toEqual([2, 1, 1, 1]);
  });

  test('G09: what one acknowledgement frees goes out at once, none of it empty', () => {
    const subject = streaming({ appendBytesMax: 1, inflightMessagesMax: 3 });
    propose(subject, 'a', 'b', 'c', 'd', 'e', 'f');
    subject.drain();

    const sent = only(subject.accept(2, 4), 'AppendEntries').filter(({ to }) => to === 2);

    expect(sent.map(({ entries }) => entries.length)).toEqual([1, 1, 1]);
  });
});

describe('Bounds on proposals', () => {
  test('H01, H02: a full tail refuses, an empty one takes any single batch', () => {
    const subject = streaming({ uncommittedBytesMax: 3 });

    expect(propose(subject, 'aaaaaaaa').kind).toBe('appended');
    expect(propose(subject, 'b')).toEqual({ kind: 'dropped', reason: 'log-full' });
  });

  test('H03: an empty proposal is always taken', () => {
    const subject = streaming({ uncommittedBytesMax: 3 });
    propose(subject, 'aaaaaaaa');

    expect(propose(subject, '').kind).toBe('appended');
  });

  test('a proposal of the leader itself is taken however much waits', () => {
    const subject = streaming({ uncommittedBytesMax: 3 });
    propose(subject, 'aaaaaaaa');

    expect(subject.raft.proposeOwn(new Uint8Array([1])).kind).toBe('appended');
    expect(subject.raft.proposeOwn(new Uint8Array(5000)).kind).toBe('dropped');
  });

  test('H04: room comes back as entries commit', () => {
    const subject = streaming({ uncommittedBytesMax: 3 });
    propose(subject, 'aaa');
    subject.drain();

    subject.accept(2);

    expect(propose(subject, 'bbb').kind).toBe('appended');
  });

  test('what an earlier leader left uncommitted counts, until it is committed', () => {
    const subject = new Subject();
    subject.receive({
      ...{ type: 'AppendEntries', from: 2, to: 1, term: 1, prevLogIndex: 0, prevLogTerm: 0 },
      ...{ commitIndex: 0, entries: [entry(1, 1, 'inherited')] },
    });
    subject.lead();
    expect(subject.raft.status().uncommittedBytes).toBe(9);
    propose(subject, 'own');
    subject.drain();

    subject.accept(2, 2);

    expect(subject.raft.status()).toMatchObject({ commitIndex: 2, uncommittedBytes: 3 });
  });

  test('H06: a transfer under way refuses proposals', () => {
    const subject = streaming();
    subject.raft.transferLeader(2);

    expect(propose(subject, 'a')).toEqual({ kind: 'dropped', reason: 'transferring' });
  });

  test('a leader that hands over takes none of its own proposals either', () => {
    const subject = streaming();
    subject.raft.transferLeader(2);

    expect(subject.raft.proposeOwn(new Uint8Array([1]))).toEqual({
      ...{ kind: 'dropped', reason: 'transferring' },
    });
  });

  test('H07: a candidate refuses proposals', () => {
    const subject = new Subject();
    subject.raft.campaign();

    expect(propose(subject, 'a')).toEqual({ kind: 'dropped', reason: 'no-leader' });
  });
});

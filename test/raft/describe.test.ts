/** The text form of everything that stories and traces print. */
import { describe, expect, test } from 'vitest';
import {
  describeEntries,
  describeEvent,
  describeMessage,
  describeProgress,
  describeReady,
  describeStatus,
} from '../../src/raft/describe.ts';
import type { Message } from '../../src/raft/index.ts';
import { bytesOf, entry, Subject } from './subject.ts';

const head = { from: 1, to: 2, term: 3 } as const;

describe('describeEntries', () => {
  test('shows short text, and the length of anything else', () => {
    const entries = [
      entry(1, 1),
      entry(2, 1, 'ab'),
      entry(3, 2, 'a b'),
      entry(4, 2, 'x'.repeat(17)),
    ];

    expect(describeEntries(entries)).toBe('[1/1 2/1:ab 3/2:(3 bytes) 4/2:(17 bytes)]');
  });
});

describe('describeMessage', () => {
  test.each<[Message, string]>([
    [
      { ...head, type: 'RequestVote', lastIndex: 5, lastTerm: 2, isTransfer: true },
      'RequestVote term=3 last=5/2 transfer',
    ],
    [
      { ...head, type: 'PreVote', lastIndex: 5, lastTerm: 2, isTransfer: false },
      'PreVote term=3 last=5/2',
    ],
    [
      { ...head, type: 'RequestVoteResponse', isGranted: true },
      'RequestVoteResponse term=3 granted',
    ],
    [{ ...head, type: 'PreVoteResponse', isGranted: false }, 'PreVoteResponse term=3 refused'],
    [
      {
        ...{ ...head, type: 'AppendEntries', prevLogIndex: 4, prevLogTerm: 2, commitIndex: 1 },
        entries: [entry(5, 3, 'a')],
      },
      'AppendEntries term=3 prev=4/2 commit=1 [5/3:a]',
    ],
    [
      {
        ...{ ...head, type: 'AppendEntriesResponse', isRejected: false },
        ...{ index: 5, hintIndex: 0, hintTerm: 0 },
      },
      'AppendEntriesResponse term=3 accepted=5',
    ],
    [
      {
        ...{ ...head, type: 'AppendEntriesResponse', isRejected: true },
        ...{ index: 5, hintIndex: 4, hintTerm: 2 },
      },
      'AppendEntriesResponse term=3 refused=5 hint=4/2',
    ],
    [
      { ...head, type: 'Heartbeat', commitIndex: 4, readRound: 6 },
      'Heartbeat term=3 commit=4 round=6',
    ],
    [{ ...head, type: 'HeartbeatResponse', readRound: 6 }, 'HeartbeatResponse term=3 round=6'],
    [{ ...head, type: 'TimeoutNow' }, 'TimeoutNow term=3'],
    [{ ...head, type: 'TransferLeader', target: 2 }, 'TransferLeader term=3 target=2'],
    [
      { ...head, type: 'Propose', context: 9, proposals: [bytesOf('a'), bytesOf('b')] },
      'Propose term=3 context=9 proposals=2',
    ],
    [
      { ...head, type: 'ProposeRejected', context: 9, reason: 'log-full' },
      'ProposeRejected term=3 context=9 reason=log-full',
    ],
    [{ ...head, type: 'ReadIndex', context: 9 }, 'ReadIndex term=3 forwarded'],
    [
      { ...head, type: 'ReadIndexResponse', context: 9, index: 7 },
      'ReadIndexResponse term=3 index=7',
    ],
  ])('%j', (message, text) => {
    expect(describeMessage(message)).toBe(`1->2 ${text}`);
  });
});

describe('describeReady', () => {
  test('says what is sent, written, applied, read and loaded, in this order', () => {
    const message: Message = { ...head, type: 'TimeoutNow' };
    const ready = {
      events: [{ type: 'quorum-lost', term: 3 } as const],
      messages: [message],
      write: {
        ticket: { sequence: 1, term: 3, lastIndex: 5, lastTerm: 3 },
        hardState: { currentTerm: 3, votedFor: 1, commitIndex: 4 },
        entries: [entry(5, 3)],
        mustSync: false,
        messages: [message],
      },
      committedEntries: [entry(4, 3)],
      readStates: [{ context: 8, index: 4 }],
      loads: [{ id: 1, lo: 2, hi: 4, bytesMax: 100 }],
    };

    expect(describeReady(ready)).toEqual([
      'quorum-lost term=3',
      'send 1->2 TimeoutNow term=3',
      'write term=3 vote=1 commit=4 [5/3] unsynced',
      'after sync 1->2 TimeoutNow term=3',
      'apply [4/3]',
      'read 8 at 4',
      'load [2, 4)',
    ]);
  });
});

describe('describeEvent', () => {
  test('names the type and each field', () => {
    expect(describeEvent({ type: 'transfer-abandoned', target: 2, reason: 'it left' })).toBe(
      'transfer-abandoned target=2 reason=it left',
    );
  });
});

describe('describeStatus and describeProgress', () => {
  test('give a line for the node and one for each peer', () => {
    const subject = new Subject();
    subject.lead();
    subject.accept(3);
    const status = subject.raft.status();

    expect(describeStatus(status)).toBe(
      '1 leader term=1 vote=1 leader=1 applied=1 commit=1 stable=1 last=1/1',
    );
    expect(describeProgress(status)).toEqual([
      '2 probe paused match=0 next=1 inflight=0',
      '3 replicate match=1 next=2 inflight=0',
    ]);
  });
});

/** The picture that a node gives of itself. */
import { describe, expect, test } from 'vitest';
import { bytesOf, Subject } from './subject.ts';

describe('Status', () => {
  test('a leader shows each peer, in the order of ids, and what waits', () => {
    const subject = new Subject();
    subject.lead();
    subject.accept(3);
    subject.raft.propose([bytesOf('abc')], 1);
    subject.raft.readIndex(7);
    subject.drain();

    const status = subject.raft.status();

    expect([...status.progress.keys()]).toEqual([2, 3]);
    expect(status.progress.get(2)).toMatchObject({ state: 'probe', isPaused: true, matchIndex: 0 });
    expect(status.progress.get(3)).toEqual({
      matchIndex: 1,
      nextIndex: 3,
      state: 'replicate',
      isPaused: false,
      isRecentlyActive: true,
      inflightMessages: 1,
      inflightBytes: 3,
    });
    expect(status).toMatchObject({ uncommittedBytes: 3, pendingReads: 1, transferTarget: 0 });
  });

  test('others show no peers', () => {
    const { raft } = new Subject();

    expect(raft.status()).toMatchObject({ role: 'follower', uncommittedBytes: 0, pendingReads: 0 });
    expect(raft.status().progress.size).toBe(0);
  });

  test('a picture stays as it was taken', () => {
    const subject = new Subject();
    subject.lead();
    const before = subject.raft.status();

    subject.accept(2);

    expect(before.progress.get(2)?.matchIndex).toBe(0);
    expect(before.commitIndex).toBe(0);
  });
});

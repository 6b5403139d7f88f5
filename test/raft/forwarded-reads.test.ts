import { describe, expect, test } from 'vitest';
import { ForwardedReads } from '../../src/raft/forwarded-reads.ts';

function contextOf({ message }: ReturnType<ForwardedReads['flush']>): number {
  return message?.type === 'ReadIndex' ? message.context : -1;
}

describe('ForwardedReads', () => {
  test('all that wait travel as one message, and its answer is theirs', () => {
    const reads = new ForwardedReads(100);
    reads.add(7);
    reads.add(8);

    const flushed = reads.flush(1, 2);

    expect(flushed).toEqual({
      message: { type: 'ReadIndex', from: 1, to: 2, term: 0, context: 101 },
      givenUp: [],
    });
    expect(reads.waiting).toBe(0);
    expect(reads.take(101)).toEqual([7, 8]);
  });

  test('an answer counts once, and to nothing but what it answers', () => {
    const reads = new ForwardedReads(100);
    reads.add(7);
    const context = contextOf(reads.flush(1, 2));

    expect(reads.take(context + 1)).toEqual([]);
    expect(reads.take(context)).toEqual([7]);
    expect(reads.take(context)).toEqual([]);
  });

  test('nothing that waits makes no message', () => {
    expect(new ForwardedReads(0).flush(1, 2)).toEqual({ givenUp: [] });
  });

  test('under another leader all are dropped, and late answers match none', () => {
    const reads = new ForwardedReads(0);
    reads.add(7);
    const context = contextOf(reads.flush(1, 2));
    reads.add(8);

    expect(reads.drop()).toEqual([7, 8]);
    expect(reads.drop()).toEqual([]);
    expect(reads.take(context)).toEqual([]);
  });

  test('beyond a thousand rounds under way the oldest is given up', () => {
    const reads = new ForwardedReads(0);
    for (let i = 1; i <= 1024; i++) {
      reads.add(i);
      expect(reads.flush(1, 2).givenUp).toEqual([]);
    }
    reads.add(1025);

    expect(reads.flush(1, 2).givenUp).toEqual([1]);
    expect(reads.take(1)).toEqual([]);
    expect(reads.take(2)).toEqual([2]);
  });

  test('waiting without another leader to ask is a bug', () => {
    const reads = new ForwardedReads(0);
    reads.add(7);

    expect(() => reads.flush(1, 0)).toThrow('only under another leader');
    expect(() => reads.flush(1, 1)).toThrow('only under another leader');
  });
});

import { describe, expect, test } from 'vitest';
import { ApplyQueue } from '../../src/replica/apply-queue.ts';
import type { ApplyBatch } from '../../src/replica/effects.ts';
import { must } from '../../src/base/index.ts';

function batchOf(first: number, count: number): ApplyBatch {
  const indexes = Array.from({ length: count }, (_, at) => first + at);
  return {
    entries: indexes.map((index) => ({ index, term: 1, command: new Uint8Array(0) })),
    proposalIds: indexes,
  };
}

/** First and last entry of a batch, which has its proposals. */
function spanOf(batch: ApplyBatch | undefined): string {
  const indexes = batch?.entries.map(({ index }) => index) ?? [];
  expect(batch?.proposalIds ?? []).toEqual(indexes);
  return indexes.length === 0 ? 'nothing' : `${indexes[0] ?? ''}-${indexes.at(-1) ?? ''}`;
}

describe('ApplyQueue', () => {
  test('short batches are taken together, in order, up to a number of entries', () => {
    const queue = new ApplyQueue();
    queue.push(batchOf(1, 500));
    queue.push(batchOf(501, 500));
    expect(queue.isLong).toBe(false);
    queue.push(batchOf(1001, 500));
    expect([queue.isLong, queue.length]).toEqual([true, 3]);

    expect(spanOf(queue.take())).toBe('1-1000');
    expect(spanOf(queue.take())).toBe('1001-1500');
    expect(spanOf(queue.take())).toBe('nothing');
    expect([queue.isLong, queue.length]).toEqual([false, 0]);
  });

  test('a long batch is taken in pieces', () => {
    const queue = new ApplyQueue();
    queue.push(batchOf(1, 2500));

    expect(spanOf(queue.take())).toBe('1-1024');
    expect(spanOf(queue.take())).toBe('1025-2048');
    expect(spanOf(queue.take())).toBe('2049-2500');
  });

  test('what was not applied is next', () => {
    const queue = new ApplyQueue();
    queue.push(batchOf(1, 1000));
    queue.push(batchOf(1001, 100));
    const taken = must(queue.take(), 'a batch');

    expect(spanOf(queue.putBack(taken, 10))).toBe('1-10');

    expect(queue.isLong).toBe(true);
    expect(spanOf(queue.take())).toBe('11-1000');
    const last = must(queue.take(), 'a batch');
    expect(queue.putBack(last, 100)).toBe(last);
    expect(queue.length).toBe(0);
  });

  test('forgets what waits', () => {
    const queue = new ApplyQueue();
    queue.push(batchOf(1, 2000));
    queue.clear();
    expect([queue.length, queue.isLong, spanOf(queue.take())]).toEqual([0, false, 'nothing']);
  });
});

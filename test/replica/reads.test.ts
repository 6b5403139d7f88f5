import { describe, expect, test } from 'vitest';
import { ReadQueue } from '../../src/replica/reads.ts';

function add(queue: ReadQueue, deadlineTick = 100): number {
  const id = queue.maybeAdd(deadlineTick);
  expect(id).toBeDefined();
  return id ?? 0;
}

describe('ReadQueue', () => {
  test('reads of one turn share a round and are released together', () => {
    const queue = new ReadQueue(10);
    const ids = [add(queue), add(queue)];

    const context = queue.startRound(1);
    queue.confirm({ context, index: 5 });

    expect(queue.release(4)).toEqual([]);
    expect(queue.release(5)).toEqual(ids);
    expect(queue.count).toBe(0);
  });

  test('a read that comes after a round has begun is not in it', () => {
    const queue = new ReadQueue(10);
    const early = add(queue);
    const context = queue.startRound(1);
    const late = add(queue);
    queue.confirm({ context, index: 5 });

    expect(queue.release(9)).toEqual([early]);
    expect(queue.hasQueued).toBe(true);
    const next = queue.startRound(2);
    expect(next).not.toBe(context);
    queue.confirm({ context: next, index: 9 });
    expect(queue.release(9)).toEqual([late]);
  });

  test('a round asked for again has a fresh context, and the old answer counts for nothing', () => {
    const queue = new ReadQueue(10);
    const id = add(queue);
    const first = queue.startRound(1);

    queue.requeueStale(1);
    const second = queue.startRound(6);
    queue.confirm({ context: first, index: 5 });

    expect(second).not.toBe(first);
    expect(queue.release(100)).toEqual([]);
    queue.confirm({ context: second, index: 7 });
    expect(queue.release(7)).toEqual([id]);
  });

  test('a round younger than the retry time is left alone', () => {
    const queue = new ReadQueue(10);
    add(queue);
    queue.startRound(3);

    queue.requeueStale(2);

    expect(queue.hasQueued).toBe(false);
  });

  test('takes no more than its count', () => {
    const queue = new ReadQueue(1);
    add(queue);

    expect(queue.maybeAdd(100)).toBeUndefined();
  });

  test('expired in any stage is ended once and frees its place', () => {
    const queue = new ReadQueue(3);
    const confirmed = add(queue, 10);
    queue.confirm({ context: queue.startRound(1), index: 50 });
    const asked = add(queue, 10);
    queue.startRound(1);
    const queued = add(queue, 10);

    expect([...queue.expire(10)].sort()).toEqual([confirmed, asked, queued].sort());
    expect(queue.expire(10)).toEqual([]);
    expect(queue.count).toBe(0);
  });

  test('cancelled is neither released nor expired', () => {
    const queue = new ReadQueue(3);
    const cancelled = add(queue);
    const kept = add(queue);
    queue.confirm({ context: queue.startRound(1), index: 5 });

    queue.cancel(cancelled);

    expect(queue.release(5)).toEqual([kept]);
    expect(queue.count).toBe(0);
  });
});

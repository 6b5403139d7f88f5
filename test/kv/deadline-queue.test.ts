import { describe, expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import { DeadlineQueue } from '../../src/kv/deadline-queue.ts';

/** A queue over a map that says which deadline each thing has. */
function queueOver(deadlines: ReadonlyMap<bigint, number>): DeadlineQueue {
  return new DeadlineQueue(({ id, deadlineMs }) => deadlines.get(id) === deadlineMs);
}

describe('a queue of deadlines', () => {
  test('gives what is due first, and of equal deadlines the smallest id', () => {
    const deadlines = new Map([
      [3n, 5],
      [1n, 7],
      [2n, 5],
    ]);
    const queue = queueOver(deadlines);
    for (const [id, deadlineMs] of deadlines) {
      queue.push({ id, deadlineMs }, deadlines.size);
    }
    const order: bigint[] = [];
    for (let first = queue.first(); first !== undefined; first = queue.first()) {
      order.push(first.id);
      deadlines.delete(first.id);
    }
    expect(order).toEqual([2n, 3n, 1n]);
  });

  test('agrees with a sorted list, whatever is moved or removed in between', () => {
    const prng = createPrng(7);
    const deadlines = new Map<bigint, number>();
    const queue = queueOver(deadlines);
    for (let step = 0; step < 5000; step++) {
      const id = BigInt(prng.nextInt(0, 50));
      if (prng.nextInt(0, 3) === 0) {
        deadlines.delete(id);
      } else {
        deadlines.set(id, prng.nextInt(0, 100));
        queue.push({ id, deadlineMs: deadlines.get(id) ?? 0 }, deadlines.size);
      }
      const [least] = [...deadlines].sort((a, b) => a[1] - b[1] || Number(a[0] - b[0]));
      expect(queue.first()?.id).toBe(least?.[0]);
    }
  });

  test('does not grow with the number of times that a deadline is moved', () => {
    const deadlines = new Map([[1n, 0]]);
    const queue = queueOver(deadlines);
    for (let deadlineMs = 100_000; deadlineMs > 0; deadlineMs--) {
      deadlines.set(1n, deadlineMs);
      queue.push({ id: 1n, deadlineMs }, 1);
    }
    expect(queue.size).toBeLessThan(1100);
    expect(queue.first()).toEqual({ id: 1n, deadlineMs: 1 });
  });
});

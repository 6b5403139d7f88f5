import { describe, expect, test } from 'vitest';
import { WorkQueue, type WorkQueueOptions } from '../../src/client/work-queue.ts';
import { createPrng } from '../../src/base/index.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';

/** A queue whose work the test ends: `done` and `fail` by key. */
function setUp(options: Partial<WorkQueueOptions> = {}) {
  const loop = new VirtualLoop();
  const begun: string[] = [];
  const failures: string[] = [];
  const pending = new Map<string, { resolve(): void; reject(error: Error): void }>();
  const queue = new WorkQueue({
    options: {
      ...{ concurrency: 2, perSecondMax: 1000, burst: 1000, backoffMinMs: 100, backoffMaxMs: 1000 },
      ...options,
    },
    timers: loop,
    prng: createPrng(1),
    work: async (key, attempt) => {
      begun.push(attempt === 1 ? key : `${key} again ${attempt}`);
      return new Promise((resolve, reject) => {
        pending.set(key, { resolve, reject });
      });
    },
    onFailure: (key, error, attempt) => failures.push(`${key} ${attempt} ${String(error)}`),
  });
  const end = async (key: string, error?: Error): Promise<void> => {
    const work = pending.get(key);
    pending.delete(key);
    if (error === undefined) {
      work?.resolve();
    } else {
      work?.reject(error);
    }
    await loop.run(0);
  };
  const done = async (...keys: readonly string[]): Promise<void> => {
    for (const key of keys) {
      await end(key);
    }
  };
  const add = (...keys: readonly string[]): void => keys.forEach((key) => queue.add(key));
  return { loop, queue, begun, failures, add, done, fail: async (key: string) => end(key, oops) };
}

const oops = new Error('oops');

describe('a work queue', () => {
  test('works on keys in order, so many at a time', async () => {
    const { begun, add, done, queue } = setUp();
    add('a', 'b', 'c', 'd');
    expect(begun).toEqual(['a', 'b']);
    expect(queue.metrics).toMatchObject({ backlog: 4, running: 2, completed: 0 });

    await done('b', 'a');

    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    expect(queue.metrics).toMatchObject({ backlog: 2, running: 2, completed: 2 });
  });

  test('does a key once that is added again while it waits', async () => {
    const { begun, add, done, queue } = setUp({ concurrency: 1 });
    add('a', 'b', 'b', 'c', 'b');

    await done('a', 'b', 'c');

    expect(begun).toEqual(['a', 'b', 'c']);
    expect(queue.metrics).toMatchObject({ backlog: 0, completed: 3 });
  });

  test('does a key once more that is added while it is being worked on', async () => {
    const { begun, add, done } = setUp();
    add('a', 'a', 'a', 'a');
    expect(begun).toEqual(['a']);

    await done('a');
    expect(begun).toEqual(['a', 'a']);
    await done('a');

    expect(begun).toEqual(['a', 'a']);
  });

  test('tries a failed key again after a pause that doubles, up to a bound', async () => {
    const { loop, begun, failures, add, fail, done, queue } = setUp();
    add('a');
    for (const pauseMs of [100, 200, 400, 800, 1000, 1000]) {
      const count = begun.length;
      await fail('a');
      await loop.run(pauseMs / 2 - 1);
      expect(begun).toHaveLength(count);
      await loop.run(pauseMs / 2 + 1);
      expect(begun).toHaveLength(count + 1);
    }
    expect(queue.metrics).toMatchObject({ backlog: 1, failing: 1, failed: 6 });
    await done('a');

    expect(begun.at(-1)).toBe('a again 7');
    expect(failures[0]).toBe('a 1 Error: oops');
    expect(queue.metrics).toMatchObject({ backlog: 0, failing: 0, completed: 1 });

    add('a');
    expect(begun.at(-1)).toBe('a');
  });

  test('does not try keys again together that failed together', async () => {
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
    const { loop, begun, add, fail } = setUp({ concurrency: keys.length });
    add(...keys);
    for (const key of keys) {
      await fail(key);
    }
    const perMs: number[] = [];
    for (let ms = 1; ms <= 100; ms++) {
      const count = begun.length;
      await loop.run(1);
      perMs.push(begun.length - count);
    }

    expect(begun).toHaveLength(2 * keys.length);
    expect(perMs.slice(0, 49)).toEqual(Array.from({ length: 49 }, () => 0));
    expect(perMs.filter((count) => count > 0).length).toBeGreaterThan(10);
  });

  test('does not wait out the pause of a key that is added again', async () => {
    const { loop, begun, add, fail, done } = setUp();
    add('a');
    await fail('a');

    add('a');
    expect(begun).toEqual(['a', 'a again 2']);
    await done('a');
    await loop.run(10_000);

    expect(begun).toHaveLength(2);
    expect(loop.pendingTimers).toBe(0);
  });

  test('goes on with other keys while one fails', async () => {
    const { begun, add, fail, done } = setUp({ concurrency: 1 });
    add('a', 'b');

    await fail('a');
    await done('b');

    expect(begun).toEqual(['a', 'b']);
  });

  test('begins no more work than allowed in a second, after the first burst', async () => {
    const { loop, begun, add } = setUp({ concurrency: 100, perSecondMax: 10, burst: 3 });
    add(...Array.from({ length: 20 }, (_, i) => `k${i}`));
    expect(begun).toHaveLength(3);

    await loop.run(1000);
    expect(begun).toHaveLength(13);
    await loop.run(700);
    expect(begun).toHaveLength(20);
    await loop.run(10_000);
    add(...Array.from({ length: 5 }, (_, i) => `later${i}`));

    expect(begun).toHaveLength(23);
  });

  test('tells how long the oldest undone key has waited', async () => {
    const { loop, add, done, fail, queue } = setUp({ concurrency: 1 });
    add('a');
    await loop.run(50);
    add('b');
    await loop.run(50);
    expect(queue.metrics.lagMs).toBe(100);

    await done('a');
    expect(queue.metrics.lagMs).toBe(50);
    await fail('b');
    await loop.run(100);
    expect(queue.metrics.lagMs).toBe(150);
    await done('b');

    expect(queue.metrics).toMatchObject({ lagMs: 0, completed: 2 });
    expect(queue.metrics.completedPerSecond).toBeGreaterThan(0);
  });

  test('that is stopped begins nothing, and ends with what is under way', async () => {
    const { loop, begun, add, fail, done, queue } = setUp();
    add('a', 'b', 'c');
    await fail('b');
    let isStopped = false;

    const stopping = queue.stop().then(() => {
      isStopped = true;
    });
    add('d');
    await loop.run(10_000);
    expect(isStopped).toBe(false);
    await done('a', 'c');
    await stopping;

    expect(begun).toEqual(['a', 'b', 'c']);
    expect(queue.metrics.backlog).toBe(0);
    expect(loop.pendingTimers).toBe(0);
  });
});

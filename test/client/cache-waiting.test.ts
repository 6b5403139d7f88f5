/** Waiting until a cache is new enough. */
import { describe, expect, test } from 'vitest';
import { CacheWaiting } from '../../src/client/cache-waiting.ts';
import { closedError, HoldfastError } from '../../src/client/errors.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';

/** Looks and loads that take a second each; those who wait, and what became of it. */
function setUp(loadError?: HoldfastError) {
  const loop = new VirtualLoop();
  const begun: string[] = [];
  const slowly = async (what: string, error?: HoldfastError): Promise<void> => {
    begun.push(`${what} at ${loop.nowMs()}`);
    return new Promise((resolve, reject) => {
      loop.after(1000, () => (error === undefined ? resolve() : reject(error)));
    });
  };
  const waiting = new CacheWaiting({
    timers: loop,
    look: async () => slowly('look'),
    load: async () => slowly('load', loadError),
    place: () => 'it is at 5',
  });
  const ends: unknown[] = [];
  const wait = (revision: number, timeoutMs: number, signal?: AbortSignal): void => {
    const end = (error?: unknown): void => {
      ends.push([revision, error === undefined ? 'done' : (error as HoldfastError).code]);
    };
    waiting.until(revision, { timeoutMs, signal }).then(() => end(), end);
  };
  return { loop, begun, waiting, ends, wait };
}

describe('who waits for a revision in a cache', () => {
  test('goes on once it is reached, and leaves no timer', async () => {
    const { loop, waiting, ends, wait } = setUp();
    wait(6, 10_000);
    wait(7, 10_000);

    waiting.reached(6);
    await loop.run(0);
    expect(ends).toEqual([[6, 'done']]);
    waiting.reached(8);
    await loop.run(0);

    expect(ends).toEqual([
      [6, 'done'],
      [7, 'done'],
    ]);
    expect(loop.pendingTimers).toBe(0);
  });

  test('fails when its time is up, it is aborted, or the cache ends', async () => {
    const { loop, waiting, ends, wait } = setUp();
    const controller = new AbortController();
    wait(6, 50);
    wait(7, 5000, controller.signal);
    wait(8, 5000, AbortSignal.abort());
    wait(9, 5000);

    await loop.run(50);
    controller.abort();
    await loop.run(0);
    waiting.fail(closedError('cache'));
    await loop.run(0);

    expect(ends).toEqual([
      [8, 'ABORTED'],
      [6, 'DEADLINE_EXCEEDED'],
      [7, 'ABORTED'],
      [9, 'CLIENT_CLOSED'],
    ]);
    expect(loop.pendingTimers).toBe(0);
  });

  test('has it looked whether anything has changed, one look at a time', async () => {
    const { loop, begun, waiting, wait } = setUp();
    wait(6, 5000);
    await loop.run(50);
    wait(6, 5000);
    wait(6, 5000);

    await loop.run(1099);
    expect(begun).toEqual(['look at 100', 'look at 1100']);

    waiting.reached(6);
    await loop.run(10_000);
    expect(begun).toHaveLength(2);
  });

  test('has the range read after two seconds, and once more if that began too early', async () => {
    const { loop, begun, ends, wait } = setUp();
    wait(6, 10_000);

    await loop.run(10_000);

    expect(begun).toEqual(['look at 100', 'load at 2000', 'load at 3000']);
    expect(ends).toEqual([[6, 'DEADLINE_EXCEEDED']]);
  });

  test('fails with what the range cannot be read for', async () => {
    const { loop, ends, wait } = setUp(new HoldfastError('PERMISSION_DENIED', 'load'));
    wait(6, 10_000);

    await loop.run(3000);

    expect(ends).toEqual([[6, 'PERMISSION_DENIED']]);
  });
});

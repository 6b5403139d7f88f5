import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TokenBucket } from '../../src/transport/token-bucket.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';

const never = new AbortController().signal;

function bucketOf(tokensPerSecond: number, burst: number) {
  const loop = new VirtualLoop();
  return { loop, bucket: new TokenBucket({ tokensPerSecond, burst, timers: loop }) };
}

describe('TokenBucket', () => {
  test('gives a burst at once, then one token after the other', () => {
    const { bucket } = bucketOf(1000, 10);

    expect(bucket.reserve(10)).toBe(0);
    expect(bucket.reserve(1)).toBe(1);
    expect(bucket.reserve(4)).toBe(5);
  });

  test('saves up no more than a burst over a pause', async () => {
    const { loop, bucket } = bucketOf(1000, 10);
    bucket.reserve(10);

    await loop.run(4);
    expect(bucket.reserve(4)).toBe(0);
    await loop.run(3_600_000);
    expect(bucket.reserve(10)).toBe(0);
    expect(bucket.reserve(1)).toBe(1);
  });

  test('never lets more through in any stretch of time than the rate and one burst', async () => {
    const takes = fc.array(fc.record({ count: fc.nat(10), pauseMs: fc.nat(20) }), {
      maxLength: 50,
    });
    await fc.assert(
      fc.asyncProperty(takes, async (all) => {
        const { loop, bucket } = bucketOf(500, 10);
        const uses: { readonly atMs: number; readonly count: number }[] = [];
        for (const { count, pauseMs } of all) {
          uses.push({ count, atMs: loop.nowMs() + bucket.reserve(count) });
          await loop.run(pauseMs);
        }

        for (let from = 0; from < uses.length; from++) {
          let taken = 0;
          for (const { atMs, count } of uses.slice(from)) {
            taken += count;
            const elapsedMs = atMs - (uses[from]?.atMs ?? 0);
            expect(taken).toBeLessThanOrEqual(10 + elapsedMs / 2 + 1e-6);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  test('wakes takers in the order they came', async () => {
    const { loop, bucket } = bucketOf(1000, 1);
    const order: string[] = [];
    const taking = ['first', 'second', 'third'].map(async (name) =>
      bucket.take(10, never).then(() => order.push(`${name} at ${loop.nowMs()}`)),
    );

    await loop.run(100);
    await Promise.all(taking);

    expect(order).toEqual(['first at 9', 'second at 19', 'third at 29']);
  });

  test('lets a taker that gives up go at once, without a timer left', async () => {
    const { loop, bucket } = bucketOf(1, 1);
    const abort = new AbortController();
    const taking = bucket.take(1000, abort.signal);
    expect(loop.pendingTimers).toBe(1);

    abort.abort();
    await taking;
    await bucket.take(1000, abort.signal);

    expect(loop.pendingTimers).toBe(0);
  });

  test('without a limit never makes anybody wait', () => {
    const { bucket } = bucketOf(Number.POSITIVE_INFINITY, 1);

    expect([1, 1e9, Number.MAX_SAFE_INTEGER].map((count) => bucket.reserve(count))).toEqual([
      0, 0, 0,
    ]);
  });
});

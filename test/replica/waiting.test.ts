import { describe, expect, test } from 'vitest';
import { Conditions, atMost, bounded, delay, onAbort } from '../../src/replica/waiting.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';

/** What never ends. */
async function forever(): Promise<void> {
  return new Promise<void>(() => undefined);
}

describe('Conditions', () => {
  test('whoever waits goes on at the first look at which the condition holds', async () => {
    const conditions = new Conditions();
    let isThere = false;
    let isOver = false;
    const waiting = conditions
      .until(() => isThere)
      .then(() => {
        isOver = true;
      });

    conditions.check();
    await Promise.resolve();
    expect(isOver).toBe(false);
    isThere = true;
    conditions.check();
    await waiting;

    expect(isOver).toBe(true);
  });

  test('a condition that holds is not waited for', async () => {
    await expect(new Conditions().until(() => true)).resolves.toBeUndefined();
  });
});

describe('Waiting with a bound', () => {
  test('ends with the work, and leaves no timer behind', async () => {
    const loop = new VirtualLoop();

    await atMost(loop, 1000, Promise.resolve());
    await bounded(loop, 1000, Promise.resolve());

    expect(loop.pendingTimers).toBe(0);
  });

  test('ends at its limit, in silence or with an error', async () => {
    const loop = new VirtualLoop();
    const quiet = atMost(loop, 1000, forever());
    const loud = bounded(loop, 1000, forever()).catch((error: unknown) => error);

    await loop.run(1000);

    await expect(quiet).resolves.toBeUndefined();
    expect(await loud).toMatchObject({ code: 'TIMEOUT' });
  });

  test('a delay takes its time', async () => {
    const loop = new VirtualLoop();
    const waiting = delay(loop, 300);

    await loop.settle(waiting);

    expect(loop.nowMs()).toBeGreaterThanOrEqual(300);
  });
});

describe('onAbort', () => {
  test('calls once, at the signal, or at once when it has come', () => {
    const controller = new AbortController();
    const calls: string[] = [];
    onAbort(undefined, () => calls.push('none'));
    onAbort(controller.signal, () => calls.push('later'));
    expect(calls).toEqual([]);

    controller.abort();
    onAbort(controller.signal, () => calls.push('at once'));

    expect(calls).toEqual(['later', 'at once']);
  });
});

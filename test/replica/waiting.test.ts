import { describe, expect, test } from 'vitest';
import { bounded, Conditions, delay, onAbort } from '../../src/replica/waiting.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';

/** What never ends. */
async function forever(): Promise<void> {
  return new Promise<void>(() => undefined);
}

describe('Conditions', () => {
  test('whoever waits goes on at the first look at which the condition holds', async () => {
    const loop = new VirtualLoop();
    const conditions = new Conditions(loop);
    let isThere = false;
    const outcomes: string[] = [];
    const waiting = conditions.within(1000, () => isThere).then((it) => outcomes.push(it));

    conditions.check();
    await Promise.resolve();
    expect(outcomes).toEqual([]);
    isThere = true;
    conditions.check();
    await waiting;

    expect(outcomes).toEqual(['held']);
    expect(loop.pendingTimers).toBe(0);
  });

  test('a condition that holds is not waited for', async () => {
    const conditions = new Conditions(new VirtualLoop());

    await expect(conditions.within(1000, () => true)).resolves.toBe('held');
  });

  test('whose time is up is told so, and the condition is looked at no more', async () => {
    const loop = new VirtualLoop();
    const conditions = new Conditions(loop);
    let looks = 0;
    const waiting = conditions.within(1000, () => {
      looks++;
      return false;
    });
    await loop.run(1000);

    conditions.check();

    await expect(waiting).resolves.toBe('late');
    expect(looks).toBe(1);
  });

  test('once nothing comes true any more nobody waits', async () => {
    const loop = new VirtualLoop();
    const conditions = new Conditions(loop);
    const waiting = conditions.within(1000, () => false);

    conditions.end();

    await expect(waiting).resolves.toBe('ended');
    await expect(conditions.within(1000, () => true)).resolves.toBe('ended');
    expect(loop.pendingTimers).toBe(0);
  });
});

describe('Waiting with a bound', () => {
  test('ends with the work, and leaves no timer behind', async () => {
    const loop = new VirtualLoop();

    await bounded(loop, 1000, Promise.resolve());

    expect(loop.pendingTimers).toBe(0);
  });

  test('ends at its limit with an error', async () => {
    const loop = new VirtualLoop();
    const waiting = bounded(loop, 1000, forever()).catch((error: unknown) => error);

    await loop.run(1000);

    expect(await waiting).toMatchObject({ code: 'TIMEOUT' });
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

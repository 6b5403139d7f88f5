import { describe, expect, test } from 'vitest';
import { nodeEventLoop } from '../../src/cli/event-loop.ts';

describe('nodeEventLoop', () => {
  test('the end of a turn comes after promises and before timers', async () => {
    const order: string[] = [];
    const done = new Promise<void>((resolve) => {
      // From the check phase on, so that timers that are due come after the next end of turn.
      setImmediate(() => {
        nodeEventLoop.endOfTurn(() => {
          order.push('end of turn');
        });
        void Promise.resolve().then(() => order.push('promise'));
        nodeEventLoop.after(20, () => {
          order.push('timer');
          resolve();
        });
      });
    });

    await done;

    expect(order).toEqual(['promise', 'end of turn', 'timer']);
  });

  test('what comes after the callback comes before the end of the turn', async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      nodeEventLoop.endOfTurn(() => {
        order.push('end of turn');
        resolve();
      });
      nodeEventLoop.afterCallback(() => order.push('after the callback'));
      order.push('callback');
    });

    expect(order).toEqual(['callback', 'after the callback', 'end of turn']);
  });

  test('callbacks of one turn end in the order in which they were given', async () => {
    const order: number[] = [];
    await new Promise<void>((resolve) => {
      for (const i of [1, 2, 3]) {
        nodeEventLoop.endOfTurn(() => order.push(i));
      }
      nodeEventLoop.endOfTurn(resolve);
    });

    expect(order).toEqual([1, 2, 3]);
  });

  test('a timer does not fire early by its own clock', async () => {
    const startMs = nodeEventLoop.nowMs();
    await new Promise<void>((resolve) => {
      nodeEventLoop.after(15, resolve);
    });

    // Node counts timers in whole milliseconds.
    expect(nodeEventLoop.nowMs() - startMs).toBeGreaterThan(14);
  });

  test('a cancelled timer never fires, and cancelling again does nothing', async () => {
    let calls = 0;
    const count = (): void => {
      calls++;
    };
    const once = nodeEventLoop.after(1, count);
    const repeated = nodeEventLoop.every(1, count);
    once.cancel();
    once.cancel();
    repeated.cancel();
    repeated.cancel();

    await new Promise<void>((resolve) => {
      nodeEventLoop.after(20, resolve);
    });

    expect(calls).toBe(0);
  });

  test('a repeated timer goes on until it is cancelled, also from inside', async () => {
    let calls = 0;
    await new Promise<void>((resolve) => {
      const timer = nodeEventLoop.every(1, () => {
        calls++;
        if (calls === 3) {
          timer.cancel();
          nodeEventLoop.after(20, resolve);
        }
      });
    });

    expect(calls).toBe(3);
  });
});

import { describe, expect, test } from 'vitest';
import { type EventLoop, KvError } from '../../src/base/index.ts';
import { guardedBy, guardedLoop, refusalsBy } from '../../src/replica/guard.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';

describe('a guarded input', () => {
  test('is taken with all that it brings', () => {
    const failures: unknown[] = [];
    const taken: unknown[] = [];
    const take = guardedBy((error) => failures.push(error))((id: number, what: string) => {
      taken.push([id, what]);
    });

    take(7, 'news');

    expect({ taken, failures }).toEqual({ taken: [[7, 'news']], failures: [] });
  });

  test('that cannot be taken is told, and nothing is thrown at whoever brought it', () => {
    const failures: unknown[] = [];
    const error = new Error('broken');
    const take = guardedBy((each) => failures.push(each))(() => {
      throw error;
    });

    take();

    expect(failures).toEqual([error]);
  });
});

describe('a question that is not answered', () => {
  test('ends with the error that is the answer, of which nobody else is told', () => {
    const failures: unknown[] = [];
    const full = new KvError('TOO_MANY_REQUESTS');

    expect(refusalsBy((error) => failures.push(error))(full)).toBe(full);

    expect(failures).toEqual([]);
  });

  test('is told of, and its asker only that nobody is there any more', () => {
    const failures: unknown[] = [];
    const error = new Error('broken');

    const refusal = refusalsBy((each) => failures.push(each))(error);

    expect(refusal).toMatchObject({ code: 'STOPPED', cause: error });
    expect(failures).toEqual([error]);
  });
});

describe('a guarded event loop', () => {
  const ways: readonly (readonly [string, (loop: EventLoop, callback: () => void) => unknown])[] = [
    ['a timer', (loop, callback) => loop.after(5, callback)],
    ['a repeated timer', (loop, callback) => loop.every(5, callback)],
    ['the end of a callback', (loop, callback) => loop.afterCallback(callback)],
    ['the end of a turn', (loop, callback) => loop.endOfTurn(callback)],
  ];

  test.each(ways)('calls back at %s, and tells of what that throws', async (_when, ask) => {
    const real = new VirtualLoop();
    const failures: unknown[] = [];
    const loop = guardedLoop(
      real,
      guardedBy((error) => failures.push([loop.nowMs(), error])),
    );
    const error = new Error('broken');

    ask(loop, () => {
      throw error;
    });
    await real.run(5);

    expect(failures).toEqual([[expect.any(Number), error]]);
    expect(loop.nowMs()).toBe(5);
  });

  test('can cancel what it was asked for', async () => {
    const real = new VirtualLoop();
    const calls: string[] = [];
    const loop = guardedLoop(
      real,
      guardedBy((error) => calls.push(String(error))),
    );

    loop.after(5, () => calls.push('after')).cancel();
    loop.every(5, () => calls.push('every')).cancel();
    await real.run(20);

    expect(calls).toEqual([]);
  });
});

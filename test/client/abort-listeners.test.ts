/** Many calls with one signal are one listener on it. */
import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { onAbort } from '../../src/client/abort-listeners.ts';
import { setUp } from './fake-pipelines.ts';
import { setUpWatches } from './fake-watches.ts';

describe('who hears of an abort', () => {
  test('is called once for each time it was given, and not after it has left', () => {
    const { signal, ...controller } = abortable();
    const called: string[] = [];
    const hear = (): void => void called.push('twice');
    onAbort(signal, hear);
    onAbort(signal, hear);
    const leave = onAbort(signal, () => void called.push('left'));

    leave();
    leave();
    controller.abort();

    expect(called).toEqual(['twice', 'twice']);
  });

  test('is not called when another one has ended it just before', () => {
    const { signal, abort } = abortable();
    const called: string[] = [];
    const leave: (() => void)[] = [];
    onAbort(signal, () => {
      called.push('first');
      leave[0]?.();
    });
    leave.push(onAbort(signal, () => void called.push('second')));

    abort();

    expect(called).toEqual(['first']);
  });

  test('leaves nothing on the signal, and may come again', () => {
    const { signal, abort } = abortable();
    const called: string[] = [];
    const leave = [onAbort(signal, () => undefined), onAbort(signal, () => undefined)];
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    leave.forEach((each) => each());
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);

    onAbort(signal, () => void called.push('again'));
    abort();

    expect(called).toEqual(['again']);
  });
});

test('a thousand calls, and watches, with one signal are one listener, and then none', async () => {
  const { kv, loop, state } = setUp();
  const { client, settle } = setUpWatches();
  const { signal, abort } = abortable();
  state.behave = () => undefined;
  const ended = Promise.allSettled(
    Array.from({ length: 1000 }, async () => kv.get('a', { signal })),
  );
  const watches = Array.from({ length: 20 }, () => client.kv.watch('a', { signal }));
  await loop.run(100);
  await settle();
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);

  watches.slice(0, 10).forEach((watch) => watch.close());
  abort();

  expect((await ended).every(({ status }) => status === 'rejected')).toBe(true);
  await expect(watches[10]?.begun()).resolves.toBe(11);
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

function abortable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

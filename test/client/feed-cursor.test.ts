import { describe, expect, test } from 'vitest';
import { HoldfastError } from '../../src/client/errors.ts';
import { FeedCursor } from '../../src/client/feed-cursor.ts';
import { FakeStore } from './fake-store.ts';

async function take(store: FakeStore, consumer: string, signal = new AbortController().signal) {
  const pause = async (): Promise<void> => Promise.resolve();
  return FeedCursor.take({ kv: store.cursorKv(), key: 'cursor', consumer, pause, signal });
}

const stored = (store: FakeStore): unknown =>
  store
    .state()
    .filter(({ key }) => key === 'cursor')
    .map(({ value }) => JSON.parse(Buffer.from(value).toString()) as unknown)[0];

function lost(outcome: 'rejected' | 'unknown'): HoldfastError {
  return new HoldfastError('CONNECTION_LOST', 'reset', { outcome });
}

describe('the cursor of a feed', () => {
  test('is nowhere at first, and where it was moved to for the next one', async () => {
    const store = new FakeStore();
    const first = await take(store, 'first');
    expect(first.saved).toBeUndefined();

    first.move(5);
    await first.settled();

    expect(first.saved).toBe(5);
    expect((await take(store, 'second')).saved).toBe(5);
  });

  test('writes the newest place only, while a write is under way', async () => {
    const store = new FakeStore();
    const cursor = await take(store, 'one');
    const { revision } = store;

    for (let i = 1; i <= 100; i++) {
      cursor.move(i);
    }
    await cursor.settled();

    expect(stored(store)).toEqual({ revision: 100 });
    expect(store.revision - revision).toBeLessThanOrEqual(2);
  });

  test('may be moved to where it is, and on from there', async () => {
    const store = new FakeStore();
    const cursor = await take(store, 'one');
    for (const revision of [5, 5, 5, 6]) {
      cursor.move(revision);
      await cursor.settled();
    }

    expect(stored(store)).toMatchObject({ revision: 6 });
  });

  test('is lost to another consumer that takes it', async () => {
    const store = new FakeStore();
    const first = await take(store, 'first');
    first.move(5);
    await first.settled();

    const second = await take(store, 'second');
    first.move(6);

    await expect(first.settled()).rejects.toMatchObject({ code: 'FEED_TAKEN' });
    expect(() => first.move(7)).toThrow(expect.objectContaining({ code: 'FEED_TAKEN' }));
    expect(second.saved).toBe(5);
    expect(stored(store)).toEqual({ revision: 5 });
  });

  test('of a new feed is lost to another consumer, however fast the first is', async () => {
    const store = new FakeStore();
    const first = await take(store, 'first');
    const second = await take(store, 'second');

    first.move(5);

    await expect(first.settled()).rejects.toMatchObject({ code: 'FEED_TAKEN' });
    expect(stored(store)).toBeUndefined();
    second.move(3);
    await second.settled();
    expect(stored(store)).toEqual({ revision: 3 });
  });

  test('is taken though the first attempts fail, or their answers are lost', async () => {
    const store = new FakeStore();
    store.failures.txns.push(lost('rejected'), lost('unknown'));
    const cursor = await take(store, 'one');

    cursor.move(5);
    await cursor.settled();

    expect(stored(store)).toEqual({ revision: 5 });
  });

  test('is written again after a failure, also when the write had come through', async () => {
    const store = new FakeStore();
    const cursor = await take(store, 'one');
    store.failures.txns.push(lost('rejected'), lost('unknown'));

    cursor.move(5);
    await cursor.settled();
    cursor.move(6);
    await cursor.settled();

    expect(stored(store)).toEqual({ revision: 6 });
  });

  test('tells of a failure that does not pass, or that comes when it is to end', async () => {
    const store = new FakeStore();
    const controller = new AbortController();
    const cursor = await take(store, 'one', controller.signal);
    store.failures.txns.push(new HoldfastError('PERMISSION_DENIED', 'not yours'));
    cursor.move(5);
    await expect(cursor.settled()).rejects.toThrow('not yours');

    const other = await take(store, 'other', controller.signal);
    store.failures.txns.push(lost('rejected'));
    controller.abort();
    other.move(6);

    await expect(other.settled()).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  });

  test('tells of a failure, not of the end, when that comes in the pause after it', async () => {
    const store = new FakeStore();
    const controller = new AbortController();
    const { signal } = controller;
    const pause = async (): Promise<void> => {
      controller.abort();
      return Promise.reject(new HoldfastError('ABORTED', 'waiting'));
    };
    const parts = { kv: store.cursorKv(), key: 'cursor', consumer: 'one', pause, signal };
    const cursor = await FeedCursor.take(parts);
    store.failures.txns.push(lost('unknown'));

    cursor.move(5);

    await expect(cursor.settled()).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
  });
});

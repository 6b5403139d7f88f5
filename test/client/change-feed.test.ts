import { describe, expect, test } from 'vitest';
import { ChangeFeed, type ChangeFeedOptions, type Delivery } from '../../src/client/change-feed.ts';
import { HoldfastError } from '../../src/client/errors.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';
import { callbackWarnings } from './callback-warnings.ts';
import { decodeText, FakeStore } from './fake-store.ts';

/** A consumer, as often as the test wants one; what each has been given, as text. */
function setUp(options: ChangeFeedOptions = {}) {
  const store = new FakeStore();
  const loop = new VirtualLoop();
  let names = 0;
  const start = (
    handler: (delivery: Delivery<string>) => Promise<void> | void = () => undefined,
  ) => {
    const deliveries: Delivery<string>[] = [];
    const controller = new AbortController();
    const feed = new ChangeFeed({
      ...{ name: 'mail', range: { prefix: 'a/' }, source: store, decode: decodeText, timers: loop },
      ...{ cursorKv: store.cursorKv(), uniqueName: () => `consumer-${++names}`, options },
      pause: async () => new Promise((resolve) => void loop.after(100, resolve)),
    });
    const running = feed.run(
      async (delivery) => {
        deliveries.push(delivery);
        await handler(delivery);
      },
      { signal: controller.signal },
    );
    const ended = running.catch((error: unknown) => error);
    const stop = async (): Promise<unknown> => {
      controller.abort();
      return loop.settle(ended);
    };
    return { feed, deliveries, texts: () => deliveries.map(textOf), ended, stop };
  };
  return { store, loop, start };
}

function textOf(delivery: Delivery<string>): string {
  switch (delivery.type) {
    case 'put':
      return `${delivery.key}=${delivery.entry.value}${delivery.isResync ? ' (resync)' : ''}`;
    case 'delete':
      return `${delivery.key} deleted`;
    default:
      return delivery.type;
  }
}

describe('a change feed', () => {
  test('tells how far it is behind, in revisions and time', async () => {
    const { store, loop, start } = setUp();
    const gates: (() => void)[] = [];
    const consumer = start(async () => new Promise<void>((resolve) => gates.push(resolve)));
    const lag = () => {
      const { lagRevisions, lagMs } = consumer.feed.metrics;
      return [lagRevisions, lagMs];
    };
    await loop.run(0);
    gates.shift()?.();
    await loop.run(0);
    gates.shift()?.();
    await loop.run(5000);
    expect(lag()).toEqual([0, 0]);

    store.write({ 'a/1': 'one' });
    await loop.run(700);
    const second = store.write({ 'a/2': 'two' });
    await loop.run(300);
    expect(lag()).toEqual([second - consumer.feed.metrics.revision, 1000]);

    gates.shift()?.();
    await loop.run(500);
    expect(lag()).toEqual([1, 1500]);
    gates.shift()?.();
    await loop.run(500);
    expect(lag()).toEqual([0, 0]);

    await consumer.stop();
    const { lagMs } = consumer.feed.metrics;
    await loop.run(400);
    expect(lag()).toEqual([0, lagMs + 400]);
  });

  test('delivers what is there, then what changes, in order', async () => {
    const { store, loop, start } = setUp();
    store.write({ 'a/1': 'one', b: 'outside' });
    const consumer = start();
    await loop.run(0);
    store.write({ 'a/2': 'two' });
    store.write({ 'a/1': undefined });
    await loop.run(0);
    expect(await consumer.stop()).toBeUndefined();

    expect(consumer.texts()).toEqual([
      ...['resync-begin', 'a/1=one (resync)', 'resync-end', 'a/2=two', 'a/1 deleted'],
    ]);
    expect(consumer.feed.metrics).toMatchObject({ delivered: 5, failed: 0, resyncs: 1 });
    expect(consumer.feed.metrics.savedRevision).toBe(consumer.feed.metrics.revision);
  });

  test('can begin with what changes from now on, also when it dies before that', async () => {
    const { store, loop, start } = setUp({ from: 'now' });
    store.write({ 'a/1': 'one' });
    const first = start();
    await loop.run(0);
    await first.stop();
    store.write({ 'a/2': 'two' });

    const second = start();
    await loop.run(0);
    await second.stop();

    expect(first.texts()).toEqual([]);
    expect(second.texts()).toEqual(['a/2=two']);
  });

  test('goes on where the last consumer was', async () => {
    const { store, loop, start } = setUp();
    const first = start();
    await loop.run(0);
    store.write({ 'a/1': 'one' });
    await loop.run(0);
    await first.stop();
    store.write({ 'a/2': 'two' });

    const second = start();
    await loop.run(0);
    await second.stop();

    expect(second.texts()).toEqual(['a/2=two']);
  });

  test('delivers again, with the same id, what a dead consumer may have taken', async () => {
    const { store, loop, start } = setUp({ from: 'now' });
    // It dies in its second delivery: its place is not written any more.
    const first = start(async (delivery) => {
      if (textOf(delivery) === 'a/2=two') {
        await new Promise(() => undefined);
      }
    });
    await loop.run(0);
    store.write({ 'a/1': 'one' });
    await loop.run(0);
    store.write({ 'a/2': 'two', 'a/3': 'three' });
    await loop.run(0);

    const second = start();
    await loop.run(0);
    await second.stop();

    expect(first.texts()).toEqual(['a/1=one', 'a/2=two']);
    expect(second.texts()).toEqual(['a/2=two', 'a/3=three']);
    expect(second.deliveries[0]?.id).toBe(first.deliveries[1]?.id);
    const ids = [...first.deliveries, ...second.deliveries].map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
  });

  test('tries a delivery again until the handler takes it, and no other meanwhile', async () => {
    const failures: unknown[] = [];
    const { store, loop, start } = setUp({
      from: 'now',
      onFailure: ({ attempt }, error) => failures.push([attempt, String(error)]),
    });
    const consumer = start(({ attempt, ...delivery }) => {
      if (textOf({ attempt, ...delivery }) === 'a/1=one' && attempt < 3) {
        throw new Error('busy');
      }
    });
    await loop.run(0);
    store.write({ 'a/1': 'one' });
    store.write({ 'a/2': 'two' });
    await loop.run(150);
    expect(consumer.texts()).toEqual(['a/1=one', 'a/1=one']);
    await loop.run(100);
    await consumer.stop();

    expect(consumer.deliveries.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 1]);
    expect(new Set(consumer.deliveries.map(({ id }) => id)).size).toBe(2);
    expect(failures).toEqual([
      [1, 'Error: busy'],
      [2, 'Error: busy'],
    ]);
    expect(consumer.feed.metrics).toMatchObject({ delivered: 2, failed: 2 });
  });

  test('goes on when what is told of a failure throws', async () => {
    const warnings = callbackWarnings();
    const { store, loop, start } = setUp({
      from: 'now',
      onFailure: () => {
        throw new Error('no log');
      },
    });
    const consumer = start(({ attempt }) => {
      if (attempt === 1) {
        throw new Error('busy');
      }
    });
    await loop.run(0);
    store.write({ 'a/1': 'one' });
    await loop.run(150);

    expect(await consumer.stop()).toBeUndefined();
    expect(consumer.texts()).toEqual(['a/1=one', 'a/1=one']);
    expect(warnings()).toMatchObject([
      { message: 'onFailure of a change feed has thrown: no log' },
    ]);
  });

  test('fails when history is gone, and stays where it was', async () => {
    const { store, loop, start } = setUp({ from: 'now' });
    const first = start();
    await loop.run(0);
    await first.stop();
    store.write({ 'a/1': 'one' });
    store.compact();

    const second = start();
    await loop.run(0);
    const third = start();
    await loop.run(0);

    expect(await second.ended).toMatchObject({ code: 'COMPACTED' });
    expect(await third.ended).toMatchObject({ code: 'COMPACTED' });
  });

  test('begins anew when history is gone, if it is to', async () => {
    const { store, loop, start } = setUp({ onCompacted: 'resync' });
    store.write({ 'a/1': 'one', 'a/2': 'two' });
    const first = start();
    await loop.run(0);
    await first.stop();
    const since = first.feed.metrics.revision;
    store.write({ 'a/1': undefined, 'a/3': 'three' });
    store.compact();

    const second = start();
    await loop.run(0);
    store.write({ 'a/4': 'four' });
    await loop.run(0);
    await second.stop();

    expect(second.texts()).toEqual([
      ...['resync-begin', 'a/2=two (resync)', 'a/3=three (resync)', 'resync-end', 'a/4=four'],
    ]);
    expect(second.deliveries[0]).toMatchObject({ type: 'resync-begin', since });
    // What was delivered before has the id that it had then.
    const idOf = ({ deliveries }: typeof first) =>
      deliveries.find((delivery) => textOf(delivery) === 'a/2=two (resync)')?.id;
    expect(idOf(second)).toBe(idOf(first));
  });

  test('is taken over by another consumer, and the first is told', async () => {
    const { store, loop, start } = setUp({ from: 'now' });
    const first = start();
    await loop.run(0);
    const second = start();
    await loop.run(0);

    store.write({ 'a/1': 'one' });
    await loop.run(0);
    store.write({ 'a/2': 'two' });
    await loop.run(0);

    expect(await first.ended).toMatchObject({ code: 'FEED_TAKEN' });
    expect(second.texts()).toEqual(['a/1=one', 'a/2=two']);
    expect(await second.stop()).toBeUndefined();
  });

  test('waits for its lock, gives it back, and stands for it again when it is lost', async () => {
    const locks: { readonly loss: AbortController; isReleased: boolean }[] = [];
    let grant = (): void => undefined;
    const { store, loop, start } = setUp({
      from: 'now',
      lock: async (signal) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('not wanted any more')));
          grant = () => {
            const lock = { loss: new AbortController(), isReleased: false };
            locks.push(lock);
            resolve({
              signal: lock.loss.signal,
              release: async () => {
                lock.isReleased = true;
                return Promise.resolve();
              },
            });
          };
        }),
    });
    const consumer = start();
    await loop.run(1000);
    expect(store.watches).toBe(0);

    grant();
    await loop.run(0);
    store.write({ 'a/1': 'one' });
    await loop.run(0);
    locks[0]?.loss.abort();
    await loop.run(1000);
    store.write({ 'a/2': 'two' });
    await loop.run(1000);
    expect(consumer.texts()).toEqual(['a/1=one']);
    grant();
    await loop.run(0);
    expect(await consumer.stop()).toBeUndefined();

    expect(consumer.texts()).toEqual(['a/1=one', 'a/2=two']);
    expect(locks.map(({ isReleased }) => isReleased)).toEqual([false, true]);
  });

  test('fails with what ended it, also when its lock cannot be given back then', async () => {
    let locks = 0;
    const { store, loop, start } = setUp({
      lock: async () => {
        locks++;
        const release = async (): Promise<void> =>
          Promise.reject(new HoldfastError('UNREACHABLE', 'release'));
        return Promise.resolve({ signal: new AbortController().signal, release });
      },
    });
    store.write({ 'a/1': 'bad' });
    const consumer = start();
    await loop.run(1000);

    expect(await consumer.stop()).toMatchObject({ code: 'BAD_VALUE' });
    expect(locks).toBe(1);
  });

  test('tells, with a lock and without, that its place was not written at its end', async () => {
    const lock = async () =>
      Promise.resolve({ signal: new AbortController().signal, release: async () => undefined });
    for (const options of [{}, { lock }]) {
      const { store, loop, start } = setUp({ from: 'now', ...options });
      const consumer = start();
      await loop.run(0);
      store.failures.txns.push(new HoldfastError('PERMISSION_DENIED', 'not yours'));
      store.write({ 'a/1': 'one' });
      await loop.run(0);

      expect(await consumer.stop()).toMatchObject({ code: 'PERMISSION_DENIED' });
    }
  });

  test('that ends before it has begun again does not fail with what ended it before', async () => {
    const { store, loop, start } = setUp({ from: 'now' });
    const first = start();
    await loop.run(0);
    const second = start();
    await loop.run(0);
    for (const value of ['one', 'two']) {
      store.write({ 'a/1': value });
      await loop.run(0);
    }
    expect(await first.ended).toMatchObject({ code: 'FEED_TAKEN' });

    store.failures.txns.push(new HoldfastError('ABORTED', 'transaction'));
    const again = first.feed.run(() => undefined, { signal: AbortSignal.abort() });

    await loop.settle(again);
    expect(await second.stop()).toBeUndefined();
  });

  test('moves its place where nothing changes, now and then', async () => {
    const { store, loop, start } = setUp({ from: 'now' });
    store.tellsProgress = true;
    const consumer = start();
    await loop.run(0);
    const before = consumer.feed.metrics.savedRevision;
    store.write({ b: 'outside' });
    await loop.run(9999);
    expect(consumer.feed.metrics.savedRevision).toBe(before);
    await loop.run(1);
    store.write({ b: 'outside' });
    await loop.run(0);

    expect(consumer.feed.metrics.savedRevision).toBeGreaterThan(before);
    await consumer.stop();
  });

  test('does not deliver its own place', async () => {
    const { store, loop, start } = setUp({ from: 'now', cursorKey: 'a/cursor' });
    const consumer = start();
    await loop.run(0);
    store.write({ 'a/1': 'one' });
    await loop.run(30_000);
    const { revision } = store;
    await loop.run(30_000);
    await consumer.stop();

    expect(consumer.texts()).toEqual(['a/1=one']);
    expect(store.revision).toBe(revision);
  });

  test('stops at a value that cannot be decoded, behind what came before it', async () => {
    const { store, loop, start } = setUp({ from: 'now' });
    const first = start();
    await loop.run(0);
    store.isTelling = false;
    store.write({ 'a/1': 'one' });
    store.write({ 'a/2': 'bad' });
    store.isTelling = true;
    store.wake();
    await loop.run(0);
    expect(await first.ended).toMatchObject({ code: 'BAD_VALUE' });

    const second = start();
    await loop.run(0);

    expect(first.texts()).toEqual(['a/1=one']);
    expect(await second.ended).toMatchObject({ code: 'BAD_VALUE' });
    expect(second.texts()).toEqual([]);
  });

  test('has one run at a time, and a name', async () => {
    const { loop, start } = setUp();
    const consumer = start();

    await expect(consumer.feed.run(() => undefined)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    await loop.run(0);
    await consumer.stop();
    expect(() => new ChangeFeed({ name: '' } as never)).toThrow('its name is empty');
  });
});

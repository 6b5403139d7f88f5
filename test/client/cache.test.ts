import { describe, expect, test } from 'vitest';
import { Cache, type CacheChange, type CacheOptions } from '../../src/client/cache.ts';
import { HoldfastError } from '../../src/client/errors.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';
import { callbackWarnings } from './callback-warnings.ts';
import { decodeText, FakeStore } from './fake-store.ts';

/** A store with two keys in the range `a/` and one outside, at revision 3. */
function setUp(options: CacheOptions = {}) {
  const store = new FakeStore();
  store.write({ 'a/1': 'one', 'a/2': 'two' });
  store.write({ b: 'outside' });
  const loop = new VirtualLoop();
  const open = async (): Promise<Cache<string>> =>
    Cache.open({
      ...{ source: store, range: { prefix: 'a/' }, decode: decodeText, timers: loop, options },
      pause: async () => new Promise((resolve) => void loop.after(100, resolve)),
      timeoutMs: 10_000,
    });
  return { store, loop, open };
}

/** What a store has in the range, and what the cache shows of it. */
const shown = (cache: Pick<Cache<string>, 'getRange'>) =>
  Object.fromEntries(cache.getRange().map(({ key, value }) => [key, value]));

async function settled(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => error);
}

describe('a cache', () => {
  test('has the range when it is opened, and follows it', async () => {
    const { store, loop, open } = setUp();
    const cache = await open();
    expect(shown(cache)).toEqual({ 'a/1': 'one', 'a/2': 'two' });
    expect(cache.revision).toBe(3);

    store.write({ 'a/1': undefined, 'a/3': 'three', b: 'outside' });
    await loop.run(0);

    expect(shown(cache)).toEqual({ 'a/2': 'two', 'a/3': 'three' });
    expect(cache.revision).toBe(4);
    expect(store.reads).toBe(1);
    cache.close();
  });

  test('shows several keys as they were together, in a snapshot for good', async () => {
    const { store, loop, open } = setUp();
    const cache = await open();
    const before = cache.snapshot();

    store.write({ 'a/1': 'new', 'a/2': 'new' });
    await loop.run(0);

    expect(before.getRange().map(({ value }) => value)).toEqual(['one', 'two']);
    expect(cache.getRange().map(({ value }) => value)).toEqual(['new', 'new']);
    cache.close();
  });

  test('goes on, and tells others, when a listener throws', async () => {
    const warnings = callbackWarnings();
    const { store, loop, open } = setUp();
    const cache = await open();
    const told: unknown[] = [];
    cache.listen({
      onChange: () => {
        throw new Error('change');
      },
      onEnd: () => {
        throw new Error('end');
      },
    });
    cache.listen({
      onChange: ({ revision }) => told.push(revision),
      onEnd: (error) => told.push(error),
    });

    store.write({ 'a/1': 'new' });
    await loop.run(0);
    store.write({ 'a/1': 'newer' });
    await loop.run(0);
    cache.close();

    expect(told).toEqual([4, 5, undefined]);
    await loop.run(0);
    expect(warnings().map(({ message }) => message)).toEqual([
      'onChange of a cache has thrown: change',
      'onChange of a cache has thrown: change',
      'onEnd of a cache has thrown: end',
    ]);
  });

  test('counts hits and misses, and tells its size and age', async () => {
    const { store, loop, open } = setUp();
    const cache = await open();
    cache.get('a/1');
    cache.get('a/1');
    cache.get('a/9');
    await loop.run(500);
    expect(cache.metrics).toMatchObject({ hits: 2, misses: 1, keys: 2, loads: 1, changes: 0 });
    expect(cache.ageMs).toBe(500);

    store.write({ 'a/1': 'new' });
    await loop.run(0);

    expect(cache.metrics).toMatchObject({ ageMs: 0, changes: 1, revision: 4 });
    cache.close();
  });

  test('waits for a revision, and no longer than it may', async () => {
    const { store, loop, open } = setUp();
    const cache = await open();
    store.isTelling = false;
    const revision = store.write({ 'a/1': 'new' });
    const waiting = cache.atLeast(revision);
    const controller = new AbortController();
    const aborted = settled(cache.atLeast(revision, { signal: controller.signal }));
    const late = settled(cache.atLeast(100, { timeoutMs: 500 }));
    controller.abort();
    await loop.run(500);
    store.isTelling = true;
    store.wake();

    await loop.settle(waiting);

    expect(cache.get('a/1')?.value).toBe('new');
    expect(await aborted).toMatchObject({ code: 'ABORTED' });
    expect(await late).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringMatching(/revision 100 within 500 ms; it is at 3/) as string,
    });
    expect(loop.pendingTimers).toBe(0);
    cache.close();
  });

  test('reads what a watch does not tell, for those who wait', async () => {
    const { store, loop, open } = setUp();
    const cache = await open();
    store.isTelling = false;
    const revision = store.write({ 'a/1': undefined });

    const waiting = cache.atLeast(revision);
    await loop.run(1999);
    expect(cache.metrics.loads).toBe(1);
    await loop.settle(waiting);

    expect(shown(cache)).toEqual({ 'a/2': 'two' });
    expect(cache.metrics.loads).toBe(2);
    cache.close();
  });

  test.each([
    ['nothing', { b: 'outside' }, 1],
    ['a new value', { 'a/1': 'new' }, 2],
    ['a new key', { 'a/3': 'three' }, 2],
    ['a key that is gone', { 'a/2': undefined }, 2],
    ['one key for another', { 'a/1': undefined, 'a/3': 'three' }, 2],
  ])(
    'that waits for a revision soon looks what has changed in its range: %s',
    async (_, changes, loads) => {
      const { store, loop, open } = setUp();
      const cache = await open();
      store.isTelling = false;
      const revision = store.write(changes);

      const waiting = cache.atLeast(revision);
      await loop.run(100);
      const isThere = cache.revision === revision;
      await loop.settle(waiting);

      expect(isThere).toBe(loads === 1);
      expect(cache.metrics.loads).toBe(loads);
      expect(Object.keys(shown(cache))).toEqual(
        store.state().flatMap(({ key }) => (key.startsWith('a/') ? [key] : [])),
      );
      cache.close();
    },
  );

  test('looks once for all who wait, and once more for those who came meanwhile', async () => {
    const { store, loop, open } = setUp();
    const cache = await open();
    store.isTelling = false;
    const looks: (() => void)[] = [];
    const getRange = store.getRange.bind(store);
    store.getRange = async (...args) => {
      const answer = await getRange(...args);
      return new Promise((resolve) => looks.push(() => resolve(answer)));
    };
    const wait = (): Promise<void> => cache.atLeast(store.write({ b: 'outside' }));
    const waiting = Array.from({ length: 100 }, wait);
    await loop.run(100);
    waiting.push(...Array.from({ length: 100 }, wait));
    await loop.run(100);

    looks.shift()?.();
    await loop.run(0);
    expect(looks).toHaveLength(1);
    looks.shift()?.();
    await loop.settle(Promise.all(waiting));

    expect([store.reads, cache.metrics.loads, looks.length]).toEqual([3, 1, 0]);
    cache.close();
  });

  test('that is loaded while somebody begins to wait is loaded again for that one', async () => {
    const { store, loop, open } = setUp();
    const cache = await open();
    store.isTelling = false;
    const page = store.page.bind(store);
    const getRange = store.getRange.bind(store);
    store.getRange = async (range, options) =>
      options.orderBy === 'modRevision'
        ? Promise.reject(new Error('no looks'))
        : getRange(range, options);
    store.page = async (...args) => {
      const answer = await page(...args);
      return new Promise((resolve) => void loop.after(5000, () => resolve(answer)));
    };
    const first = cache.atLeast(store.write({ 'a/1': 'new', b: 'x' }));
    await loop.run(2500);
    const second = cache.atLeast(store.write({ 'a/2': 'new', b: 'y' }));

    await loop.settle(Promise.all([first, second]));

    expect(cache.metrics.loads).toBe(3);
    cache.close();
  });

  test('is up to date with what was acknowledged before a refresh', async () => {
    const { store, loop, open } = setUp();
    store.tellsProgress = true;
    const cache = await open();
    store.write({ b: 'outside' });

    await loop.settle(cache.refresh());

    expect(cache.revision).toBe(4);
    expect(cache.metrics.loads).toBe(1);
    cache.close();
  });

  test('loads everything again when history is gone, and tells what is different', async () => {
    const { store, loop, open } = setUp();
    const cache = await open();
    const told: CacheChange[] = [];
    cache.listen({ onChange: (change) => told.push(change) });
    store.isTelling = false;
    store.write({ 'a/1': undefined, 'a/3': 'three' });
    store.write({ 'a/3': 'drei' });
    store.failures.reads.push(new HoldfastError('DEADLINE_EXCEEDED', 'no members'));
    store.compact();
    store.isTelling = true;
    await loop.run(1000);

    expect(shown(cache)).toEqual({ 'a/2': 'two', 'a/3': 'drei' });
    expect(told).toMatchObject([{ revision: 5, isReload: true }]);
    expect(told[0]?.changes.map(({ type, key }) => `${type} ${key}`)).toEqual([
      'put a/3',
      'delete a/1',
    ]);
    store.write({ 'a/4': 'four' });
    await loop.run(0);
    expect(told[1]).toMatchObject({ revision: 6, isReload: false, changes: [{ key: 'a/4' }] });
    cache.close();
  });

  test('refuses a range that is too large, and ends when it becomes so', async () => {
    const tooFew = setUp({ keysMax: 1 });
    expect(await settled(tooFew.open())).toMatchObject({ code: 'CACHE_TOO_LARGE' });
    const tooSmall = setUp({ bytesMax: 100 });
    expect(await settled(tooSmall.open())).toMatchObject({ code: 'CACHE_TOO_LARGE' });

    const { store, loop, open } = setUp({ keysMax: 2 });
    const cache = await open();
    const ends: unknown[] = [];
    cache.listen({ onEnd: (error) => ends.push(error) });
    const waiting = settled(cache.atLeast(100));
    store.write({ 'a/3': 'three' });
    await loop.run(0);

    expect(() => cache.get('a/1')).toThrow('more than 2 keys');
    expect(ends).toMatchObject([{ code: 'CACHE_TOO_LARGE', retryable: false }]);
    expect(await waiting).toBe(ends[0]);
    expect(loop.pendingTimers).toBe(0);
  });

  test('that is to be fresh fails when it is not', async () => {
    const { store, loop, open } = setUp({ maxAgeMs: 1000 });
    const cache = await open();
    await loop.run(1000);
    expect(cache.get('a/1')?.value).toBe('one');
    await loop.run(1);
    expect(() => cache.get('a/1')).toThrow(expect.objectContaining({ code: 'CACHE_STALE' }));

    store.write({ 'a/1': 'new' });
    await loop.run(0);

    expect(cache.get('a/1')?.value).toBe('new');
    cache.close();
  });

  test('ends with what ends its watch for good, and tells its readers', async () => {
    const { store, loop, open } = setUp();
    const cache = await open();
    const ends: unknown[] = [];
    cache.listen({ onEnd: (error) => ends.push(error) });
    store.failures.watches.push(new HoldfastError('PERMISSION_DENIED', 'not yours'));
    store.wake();
    await loop.run(0);

    expect(ends).toMatchObject([{ code: 'PERMISSION_DENIED' }]);
    expect(() => cache.has('a/1')).toThrow('not yours');
    expect(await settled(cache.atLeast(1))).toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  test('is not opened when its watch cannot begin', async () => {
    const { store, open } = setUp();
    store.watch = () => {
      throw new HoldfastError('CLIENT_OVERLOADED', 'too many watches');
    };

    expect(await settled(open())).toMatchObject({ code: 'CLIENT_OVERLOADED' });
  });

  test('that has ended tells so to whoever listens then', async () => {
    const { store, loop, open } = setUp();
    const cache = await open();
    store.failures.watches.push(new HoldfastError('PERMISSION_DENIED', 'not yours'));
    store.wake();
    await loop.run(0);
    const ends: unknown[] = [];

    cache.listen({ onEnd: (error) => ends.push(error) });

    expect(ends).toMatchObject([{ code: 'PERMISSION_DENIED' }]);
  });

  test('that is refreshed at its very deadline looks whether it is there', async () => {
    const { store, loop, open } = setUp();
    const cache = await open();
    store.isTelling = false;
    const page = store.page.bind(store);
    store.page = async (...args) => {
      await new Promise<void>((resolve) => void loop.after(1000, resolve));
      return page(...args);
    };
    const upToDate = cache.refresh({ timeoutMs: 1000 });
    await loop.settle(upToDate);
    const late = settled(cache.refresh({ timeoutMs: 1000 }));
    store.write({ b: 'outside' });

    expect(await loop.settle(late)).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    cache.close();
  });

  test('that is closed tells nothing, and fails its readers', async () => {
    const { store, loop, open } = setUp();
    const cache = await open();
    const told: unknown[] = [];
    cache.listen({ onChange: (each) => told.push(each), onEnd: (error) => told.push(error) });
    const waiting = settled(cache.atLeast(100));

    cache.close();
    cache.close();
    store.write({ 'a/1': 'new' });
    await loop.run(10_000);

    expect(told).toEqual([undefined]);
    expect(() => cache.get('a/1')).toThrow(expect.objectContaining({ code: 'CLIENT_CLOSED' }));
    expect(await waiting).toMatchObject({ code: 'CLIENT_CLOSED' });
    expect(loop.pendingTimers).toBe(0);
  });

  test('does not suffer from a value that cannot be decoded', async () => {
    const { store, loop, open } = setUp();
    store.write({ 'a/0': 'bad' });
    const cache = await open();
    expect(cache.get('a/1')?.value).toBe('one');
    expect(() => cache.get('a/0')).toThrow(expect.objectContaining({ code: 'BAD_VALUE' }));

    store.write({ 'a/0': 'good' });
    await loop.run(0);

    expect(cache.get('a/0')?.value).toBe('good');
    cache.close();
  });
});

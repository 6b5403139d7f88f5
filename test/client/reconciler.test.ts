import { describe, expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import { Cache } from '../../src/client/cache.ts';
import { HoldfastError } from '../../src/client/errors.ts';
import {
  type Leading,
  Reconciler,
  type ReconcileFailure,
  type ReconcilerOptions,
} from '../../src/client/reconciler.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';
import { callbackWarnings } from './callback-warnings.ts';
import { decodeText, FakeStore } from './fake-store.ts';

/** A world that a reconciler makes look like a store; the test may spoil it, and let calls fail. */
function setUp(options: Partial<ReconcilerOptions<string>> = {}) {
  const store = new FakeStore();
  const loop = new VirtualLoop();
  const world = new Map<string, string>();
  const calls: string[] = [];
  const tokens: (number | undefined)[] = [];
  const failing = new Set<string>();
  const failures: ReconcileFailure[] = [];
  const pause = async (): Promise<void> => new Promise((resolve) => void loop.after(50, resolve));
  const reconciler = new Reconciler<string>({
    timers: loop,
    prng: createPrng(1),
    pause,
    openCache: async (bounds) =>
      Cache.open({
        ...{ source: store, range: { prefix: 'w/' }, decode: decodeText, timers: loop, pause },
        ...{ timeoutMs: 10_000, options: bounds },
      }),
    options: {
      reconcile: (key, { desired, token }) => {
        calls.push(key);
        tokens.push(token);
        if (failing.has(key)) {
          throw new Error('out of order');
        }
        if (desired === undefined) {
          world.delete(key);
        } else {
          world.set(key, desired.value);
        }
      },
      actual: () => world.keys(),
      onFailure: (failure) => failures.push(failure),
      ...options,
    },
  });
  const controller = new AbortController();
  const start = (): Promise<unknown> =>
    reconciler.run({ signal: controller.signal }).catch((error: unknown) => error);
  const stop = async (running: Promise<unknown>): Promise<unknown> => {
    controller.abort();
    return loop.settle(running);
  };
  const seen = () => Object.fromEntries(world);
  return { store, loop, world, calls, tokens, failing, failures, reconciler, start, stop, seen };
}

/** Leaderships one after the other, given and taken by the test. */
function fakeElection() {
  const waiting: ((leading: Leading) => void)[] = [];
  const state = { resigned: 0, token: 10 };
  const campaign = async (signal: AbortSignal): Promise<Leading> =>
    new Promise((resolve, reject) => {
      waiting.push(resolve);
      signal.addEventListener('abort', () => reject(new HoldfastError('ABORTED', 'campaign')));
    });
  const elect = (): AbortController => {
    const loss = new AbortController();
    waiting.shift()?.({
      signal: loss.signal,
      token: ++state.token,
      resign: async () => {
        state.resigned++;
        return Promise.resolve();
      },
    });
    return loss;
  };
  return { campaign, elect, waiting, state };
}

describe('a reconciler', () => {
  test('makes the world what the keys say, and keeps it so', async () => {
    const { store, loop, world, reconciler, start, stop, seen } = setUp();
    store.write({ 'w/1': 'one', 'w/2': 'two', other: 'x' });
    world.set('w/9', 'a relic');
    const running = start();
    await loop.run(0);
    expect(seen()).toEqual({ 'w/1': 'one', 'w/2': 'two' });

    store.write({ 'w/1': undefined, 'w/2': 'zwei', 'w/3': 'three' });
    await loop.run(0);

    expect(seen()).toEqual({ 'w/2': 'zwei', 'w/3': 'three' });
    expect(reconciler.metrics).toMatchObject({
      ...{ isActive: true, desired: 2, backlog: 0, completed: 6, failed: 0, resyncs: 1 },
      revision: store.revision,
    });
    expect(await stop(running)).toBeUndefined();
    expect(reconciler.metrics).toMatchObject({ isActive: false, completed: 6 });
    expect(loop.pendingTimers).toBe(0);
  });

  test('does one thing for many changes of a key that it has not come to', async () => {
    const { store, loop, calls, start, stop, seen } = setUp({ perSecondMax: 10, burst: 1 });
    store.write({ 'w/1': 'one' });
    const running = start();
    await loop.run(50);
    for (let i = 0; i < 100; i++) {
      store.write({ 'w/2': String(i) });
    }
    await loop.run(1000);
    await stop(running);

    expect(calls.filter((key) => key === 'w/2')).toHaveLength(1);
    expect(seen()).toEqual({ 'w/1': 'one', 'w/2': '99' });
  });

  test('mends at a resync what was spoilt without a change of a key', async () => {
    const { store, loop, world, start, stop, seen } = setUp({ resyncMs: 1000 });
    store.write({ 'w/1': 'one' });
    const running = start();
    await loop.run(0);
    world.set('w/1', 'spoilt').set('w/2', 'strange');
    await loop.run(999);
    expect(seen()).toEqual({ 'w/1': 'spoilt', 'w/2': 'strange' });

    await loop.run(1);

    expect(seen()).toEqual({ 'w/1': 'one' });
    await stop(running);
  });

  test('tries a key again until it succeeds, and goes on with others meanwhile', async () => {
    const { store, loop, failing, failures, reconciler, start, stop, seen } = setUp();
    failing.add('w/1');
    store.write({ 'w/1': 'one', 'w/2': 'two' });
    const running = start();
    await loop.run(149);
    expect(seen()).toEqual({ 'w/2': 'two' });
    expect(reconciler.metrics).toMatchObject({ backlog: 1, failing: 1, failed: 2 });
    expect(reconciler.metrics.lagMs).toBeGreaterThanOrEqual(149);

    failing.clear();
    await loop.run(151);

    expect(seen()).toEqual({ 'w/1': 'one', 'w/2': 'two' });
    expect(failures).toMatchObject([
      { key: 'w/1', attempt: 1 },
      { key: 'w/1', attempt: 2 },
    ]);
    await stop(running);
  });

  test('tries again to list what there is, and tells of it', async () => {
    let lists = 0;
    const { store, loop, failures, start, stop, seen, world } = setUp({
      actual: () => {
        lists++;
        if (lists === 1) {
          throw new Error('no list');
        }
        return world.keys();
      },
    });
    world.set('w/9', 'a relic');
    store.write({ 'w/1': 'one' });
    const running = start();
    await loop.run(100);

    expect(seen()).toEqual({ 'w/1': 'one' });
    expect(failures).toMatchObject([{ key: undefined, attempt: 1 }]);
    await stop(running);
  });

  test('goes on when what is told of failures throws', async () => {
    const warnings = callbackWarnings();
    const failed: (string | undefined)[] = [];
    const election = fakeElection();
    let [lists, campaigns] = [0, 0];
    const { store, loop, world, failing, start, stop, seen } = setUp({
      campaign: async (signal) => {
        if (++campaigns === 1) {
          throw new HoldfastError('NO_LEADER', 'campaign');
        }
        return election.campaign(signal);
      },
      actual: () => {
        if (++lists === 1) {
          throw new Error('no list');
        }
        return world.keys();
      },
      onFailure: ({ key }) => {
        failed.push(key);
        throw new Error('no log');
      },
    });
    world.set('w/9', 'a relic');
    failing.add('w/1');
    store.write({ 'w/1': 'one' });
    const running = start();
    await loop.run(100);
    election.elect();
    await loop.run(0);
    failing.clear();
    await loop.run(200);

    expect(seen()).toEqual({ 'w/1': 'one' });
    expect(await stop(running)).toBeUndefined();
    expect(failed.toSorted()).toEqual(['w/1', undefined, undefined]);
    expect(warnings()).toMatchObject(
      Array.from({ length: 3 }, () => ({
        message: 'onFailure of a reconciler has thrown: no log',
      })),
    );
  });

  test('asks once at a time what there is, however long that takes to succeed', async () => {
    let listing = 0;
    const { loop, start, stop } = setUp({
      resyncMs: 100,
      actual: async () => {
        listing++;
        await new Promise<void>((resolve) => void loop.after(1000, resolve));
        listing--;
        throw new Error('the world is out of reach');
      },
    });
    const running = start();
    await loop.run(2500);

    expect(listing).toBe(1);
    await stop(running);
  });

  test('is run once at a time', async () => {
    const { reconciler, loop, start, stop } = setUp();
    const running = start();
    await loop.run(0);

    await expect(reconciler.run()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });

    await stop(running);
    await stop(start());
  });

  test('does not fail the keys beside one whose value cannot be decoded', async () => {
    const { store, loop, failures, start, stop, seen } = setUp();
    store.write({ 'w/1': 'bad', 'w/2': 'two' });
    const running = start();
    await loop.run(0);

    expect(seen()).toEqual({ 'w/2': 'two' });
    expect(failures).toMatchObject([{ key: 'w/1', error: { code: 'BAD_VALUE' } }]);
    await stop(running);
  });

  test('reconciles while it leads, with its token, and stands again when it has lost', async () => {
    const election = fakeElection();
    const { store, loop, calls, tokens, reconciler, start, stop } = setUp({
      campaign: election.campaign,
    });
    store.write({ 'w/1': 'one' });
    const running = start();
    await loop.run(1000);
    expect(calls).toEqual([]);
    expect(reconciler.metrics).toMatchObject({ isActive: false, backlog: 0 });

    const loss = election.elect();
    await loop.run(0);
    expect(tokens).toEqual([11]);
    loss.abort();
    store.write({ 'w/2': 'two' });
    await loop.run(1000);
    expect(calls).toEqual(['w/1']);
    expect(election.state.resigned).toBe(0);

    election.elect();
    await loop.run(0);
    expect(calls).toEqual(['w/1', 'w/1', 'w/2']);
    expect(tokens.at(-1)).toBe(12);
    expect(reconciler.metrics.completed).toBe(3);
    expect(await stop(running)).toBeUndefined();

    expect(election.state.resigned).toBe(1);
    expect(loop.pendingTimers).toBe(0);
  });

  test('tells its work when it is to end, and waits for it before it resigns', async () => {
    const election = fakeElection();
    const order: string[] = [];
    const { store, loop, start, stop } = setUp({
      ...{ campaign: election.campaign, actual: undefined },
      reconcile: async (_key, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            order.push(`told, resigned ${election.state.resigned}`);
            loop.after(500, () => {
              order.push(`ended, resigned ${election.state.resigned}`);
              resolve();
            });
          });
        }),
    });
    store.write({ 'w/1': 'one' });
    const running = start();
    await loop.run(0);
    election.elect();
    await loop.run(0);

    await stop(running);

    expect(order).toEqual(['told, resigned 0', 'ended, resigned 0']);
    expect(election.state.resigned).toBe(1);
  });

  test.each<[string, (signal: AbortSignal) => Error, readonly string[]]>([
    ['fails meanwhile, and that is told', () => new Error('out of order'), ['out of order']],
    ['ends by its signal, which is no failure', ({ reason }) => reason as Error, []],
    [
      'ends by a call that its signal has ended, which is no failure',
      () => new HoldfastError('ABORTED', 'get was aborted'),
      [],
    ],
  ])('is told to end, and its work %s', async (_name, errorOf, told) => {
    const { store, loop, failures, start, stop } = setUp({
      actual: undefined,
      reconcile: async (_key, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => loop.after(500, () => reject(errorOf(signal))));
        }),
    });
    store.write({ 'w/1': 'one' });
    const running = start();
    await loop.run(0);

    expect(await stop(running)).toBeUndefined();

    expect(failures.map(({ error }) => (error as Error).message)).toEqual(told);
    expect(failures.every(({ key }) => key === 'w/1')).toBe(true);
  });

  test('tells of a list that fails, and of leadership that cannot be had, as it ends', async () => {
    const { loop, failures, start, stop } = setUp({
      actual: async (signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('no list')));
        }),
    });
    const running = start();
    await loop.run(0);
    await stop(running);

    const standing = setUp({
      campaign: async (signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('no leave')));
        }),
    });
    const campaigning = standing.start();
    await standing.loop.run(0);
    expect(await standing.stop(campaigning)).toBeUndefined();

    expect(failures).toMatchObject([{ key: undefined, error: { message: 'no list' } }]);
    expect(standing.failures).toMatchObject([{ key: undefined, error: { message: 'no leave' } }]);
  });

  test('begins nothing when work ends in the moment in which it is to end', async () => {
    const election = fakeElection();
    const calls: string[] = [];
    let finish = (): void => undefined;
    const { store, loop, start, stop } = setUp({
      ...{ campaign: election.campaign, actual: undefined, concurrency: 1 },
      reconcile: async (key) => {
        calls.push(key);
        return new Promise((resolve) => {
          finish = resolve;
        });
      },
    });
    store.write({ 'w/1': 'one', 'w/2': 'two' });
    const running = start();
    await loop.run(0);
    const loss = election.elect();
    await loop.run(0);
    expect(calls).toEqual(['w/1']);

    finish();
    await Promise.resolve();
    loss.abort();
    await loop.run(0);

    expect(calls).toEqual(['w/1']);
    await stop(running);
  });

  test('begins nothing when it loses its lead as soon as the keys are there', async () => {
    const election = fakeElection();
    const store = new FakeStore();
    const loop = new VirtualLoop();
    const calls: string[] = [];
    const lost: AbortController[] = [];
    const pause = async (): Promise<void> => new Promise((done) => void loop.after(50, done));
    const parts = { source: store, range: { prefix: 'w/' }, decode: decodeText, timers: loop };
    const reconciler = new Reconciler<string>({
      ...{ timers: loop, prng: createPrng(1), pause },
      openCache: async () => {
        const cache = await Cache.open({ ...parts, pause, timeoutMs: 10_000, options: {} });
        lost.forEach((loss) => loss.abort());
        return cache;
      },
      options: {
        campaign: election.campaign,
        reconcile: (key) => {
          calls.push(key);
        },
      },
    });
    store.write({ 'w/1': 'one' });
    const ending = new AbortController();
    const running = reconciler.run({ signal: ending.signal });
    await loop.run(0);

    lost.push(election.elect());
    await loop.run(1000);
    ending.abort();
    await loop.settle(running);

    expect(calls).toEqual([]);
  });

  test('fails with what ends its cache in the moment in which that is opened', async () => {
    const { store, loop, start } = setUp();
    store.failures.watches.push(new HoldfastError('PERMISSION_DENIED', 'watch'));

    expect(await loop.settle(start())).toMatchObject({ code: 'PERMISSION_DENIED' });
    expect(loop.pendingTimers).toBe(0);
  });

  test('pauses before it stands again when what it wins is lost already', async () => {
    const leading = {
      signal: AbortSignal.abort(),
      token: 1,
      resign: async () => Promise.resolve(),
    };
    let campaigns = 0;
    const { loop, start, stop } = setUp({
      campaign: async () => {
        if (++campaigns > 100) {
          throw new HoldfastError('INVALID_ARGUMENT', 'it does');
        }
        return Promise.resolve(leading);
      },
    });
    const running = start();
    await loop.run(500);

    expect(campaigns).toBeGreaterThan(2);
    expect(campaigns).toBeLessThan(20);
    expect(await stop(running)).toBeUndefined();
  });

  test('does not reconcile when its campaign gives no leadership', async () => {
    const { store, loop, calls, start } = setUp({
      campaign: async () => Promise.resolve(undefined as never),
    });
    store.write({ 'w/1': 'one' });

    expect(await loop.settle(start())).toMatchObject({
      ...{ code: 'INVALID_ARGUMENT', message: expect.stringContaining('campaign') as string },
    });
    expect(calls).toEqual([]);
  });

  test('stands again when that fails in a way that may pass', async () => {
    const election = fakeElection();
    let attempts = 0;
    const { store, loop, calls, failures, start, stop } = setUp({
      campaign: async (signal) => {
        attempts++;
        if (attempts === 1) {
          throw new HoldfastError('UNREACHABLE', 'no members');
        }
        return election.campaign(signal);
      },
    });
    store.write({ 'w/1': 'one' });
    const running = start();
    await loop.run(100);
    election.elect();
    await loop.run(0);

    expect(calls).toEqual(['w/1']);
    expect(failures).toMatchObject([{ key: undefined, error: { code: 'UNREACHABLE' } }]);
    await stop(running);
  });

  test('that is ended while it stands has never led', async () => {
    const election = fakeElection();
    const { loop, calls, start, stop } = setUp({ campaign: election.campaign });
    const running = start();
    await loop.run(0);

    expect(await stop(running)).toBeUndefined();
    expect(calls).toEqual([]);
    expect(election.state.resigned).toBe(0);
  });

  test('fails with what cannot pass, after it has resigned', async () => {
    const election = fakeElection();
    const { store, loop, start } = setUp({ campaign: election.campaign, keysMax: 1 });
    store.write({ 'w/1': 'one' });
    const running = start();
    await loop.run(0);
    election.elect();
    await loop.run(0);
    store.write({ 'w/2': 'two' });
    await loop.run(0);

    expect(await loop.settle(running)).toMatchObject({ code: 'CACHE_TOO_LARGE' });
    expect(election.state.resigned).toBe(1);
    expect(loop.pendingTimers).toBe(0);
  });

  test('names every option that cannot work', () => {
    const make = (): unknown => setUp({ concurrency: 0, perSecondMax: 0, backoffMinMs: 100_000 });

    expect(make).toThrow(/concurrency is 0.*perSecondMax is 0.*backoffMaxMs is below/);
  });
});

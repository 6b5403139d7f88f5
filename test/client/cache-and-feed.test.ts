/**
 * Caches, change feeds and reconcilers against real members, Holdfast's and, where it is
 * installed, etcd's: they end with what the store has, through broken connections, compactions, and
 * the deaths of leaders and consumers. `FEED_KILLS` makes it longer.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestCluster } from '../../src/cli/testing/index.ts';
import { type ChangeFeed, type Delivery, Holdfast, type Kv } from '../../src/client/index.ts';
import { hasEtcd, startEtcd } from '../compat/etcd-server.ts';
import { connectKv } from '../harness/kv-client.ts';
import { TcpForwarder } from '../harness/tcp-forwarder.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const kills = Number(process.env['FEED_KILLS'] ?? 3);

interface Side {
  readonly endpoints: readonly string[];
  stop(): Promise<void>;
}

const sides = [
  { name: 'Holdfast', start: async (): Promise<Side> => startTestCluster({ nodes: 1 }) },
  ...(hasEtcd() ? [{ name: 'etcd 3.4', start: async (): Promise<Side> => startEtcd(1) }] : []),
];

/** What the store has in all of `kv`, at a revision. */
async function stored(kv: Kv<string>, atRevision: number): Promise<Record<string, string>> {
  const { entries } = await kv.getRange({ prefix: '' }, { atRevision });
  return Object.fromEntries(entries.map(({ key, value }) => [key, value]));
}

const shown = (cache: { getRange(): readonly { key: string; value: string }[] }) =>
  Object.fromEntries(cache.getRange().map(({ key, value }) => [key, value]));

async function compactAt(endpoint: string, revision: number): Promise<void> {
  const kv = connectKv(endpoint);
  await kv.compact(revision, 5000);
  kv.close();
}

function textOf(delivery: Delivery<string>): string {
  return delivery.type === 'put' ? `${delivery.key}=${delivery.entry.value}` : delivery.type;
}

/** Runs a feed until it has a place in the store. */
async function begin(feed: ChangeFeed<string>): Promise<void> {
  const controller = new AbortController();
  const run = feed.run(() => undefined, { signal: controller.signal });
  while (feed.metrics.savedRevision === 0) {
    await Promise.race([run, sleep(5)]);
  }
  controller.abort();
  await run;
}

describe.each(sides)('with $name', ({ start }) => {
  let side: Side;
  let client: Holdfast;
  let way: TcpForwarder;
  /** A client whose connections the test can cut. */
  let cuttable: Holdfast;

  beforeAll(async () => {
    side = await start();
    const [endpoint = ''] = side.endpoints;
    way = await TcpForwarder.to(endpoint);
    client = new Holdfast({ endpoints: side.endpoints });
    cuttable = new Holdfast({ endpoints: way.address });
    await Promise.all([client.kv.put('ready', 'yes'), cuttable.kv.get('ready')]);
  });

  afterAll(async () => {
    await Promise.all([client.close(), cuttable.close()]);
    await way.close();
    await side.stop();
  });

  test('a cache shows what the store has, in whole revisions', async () => {
    const kv = client.kv.namespace('cache/');
    await kv.put('a', '1');
    await using cache = await kv.cache();
    const { revision } = await kv.txn({
      then: [kv.ops.put('b', '2'), kv.ops.delete('a'), kv.ops.put('c', '3')],
    });
    await client.kv.put('outside', 'x');

    await cache.atLeast(revision);

    expect(shown(cache)).toEqual({ b: '2', c: '3' });
    expect(cache.get('b')).toMatchObject({ modRevision: revision, version: 1 });
    expect(cache.revision).toBeGreaterThanOrEqual(revision);
  });

  test('a cache that is refreshed has what others have written elsewhere', async () => {
    const kv = client.kv.namespace('refresh/');
    await using cache = await kv.cache();
    const { revision } = await client.kv.put('elsewhere', 'x');

    await cache.refresh();

    expect(cache.revision).toBeGreaterThanOrEqual(revision);
    expect(cache.metrics.loads).toBe(1);
  });

  test('a cache is equal to the store after a broken connection', async () => {
    const kv = client.kv.namespace('broken/');
    await kv.put('a', '1');
    await using cache = await cuttable.kv.namespace('broken/').cache();

    way.cut();
    await kv.put('b', '2');
    const { revision } = await kv.delete('a');
    way.mend();
    await cache.atLeast(revision);

    expect(shown(cache)).toEqual(await stored(kv, cache.revision));
    expect(cache.metrics.loads).toBe(1);
  });

  test('a cache is equal to the store after history is gone', async () => {
    const kv = client.kv.namespace('compacted/');
    await Promise.all(['a', 'b', 'c'].map(async (key) => kv.put(key, 'old')));
    await using cache = await cuttable.kv.namespace('compacted/').cache();

    way.cut();
    await kv.delete('a');
    await kv.put('b', 'new');
    const { revision } = await kv.put('d', 'new');
    await compactAt(side.endpoints[0] ?? '', revision);
    way.mend();
    await cache.atLeast(revision);

    expect(shown(cache)).toEqual({ b: 'new', c: 'old', d: 'new' });
    expect(cache.metrics.loads).toBe(2);
  });

  test('a feed delivers what happens, to one consumer after the other', async () => {
    const kv = client.kv.namespace('feed/');
    const texts: string[] = [];
    await kv.put('orders/0', 'zero');
    const consume = async (until: string, onResync = (): void => undefined): Promise<void> => {
      const controller = new AbortController();
      await kv.changeFeed('mail', { prefix: 'orders/' }).run(
        (delivery) => {
          texts.push(textOf(delivery));
          if (delivery.type === 'resync-end') {
            onResync();
          } else if (delivery.type === 'put' && delivery.key === until) {
            controller.abort();
          }
        },
        { signal: controller.signal },
      );
    };

    let first = Promise.resolve();
    await new Promise<void>((resolve) => {
      first = consume('orders/2', resolve);
    });
    await kv.put('orders/1', 'one');
    await kv.put('orders/2', 'two');
    await first;
    await kv.put('orders/3', 'three');
    await kv.put('orders/4', 'four');
    await consume('orders/4');

    expect(texts).toEqual([
      ...['resync-begin', 'orders/0=zero', 'resync-end'],
      ...['orders/1=one', 'orders/2=two', 'orders/3=three', 'orders/4=four'],
    ]);
  });

  test('a feed whose history is gone says so, or begins anew', async () => {
    const kv = client.kv.namespace('gap/');
    const feed = (onCompacted: 'fail' | 'resync') =>
      kv.changeFeed('gap', { prefix: 'k' }, { onCompacted, from: 'now' });
    await begin(feed('fail'));
    await kv.put('k1', 'one');
    const { revision } = await kv.put('k2', 'two');
    await compactAt(side.endpoints[0] ?? '', revision);

    await expect(feed('fail').run(() => undefined)).rejects.toMatchObject({ code: 'COMPACTED' });
    const texts: string[] = [];
    const controller = new AbortController();
    await feed('resync').run(
      (delivery) => {
        texts.push(textOf(delivery));
        if (delivery.type === 'resync-end') {
          controller.abort();
        }
      },
      { signal: controller.signal },
    );

    expect(texts).toEqual(['resync-begin', 'k1=one', 'k2=two', 'resync-end']);
  });
});

describe('with three members', () => {
  test('a cache is equal to the store after leaders have died', async () => {
    await using cluster = await startTestCluster();
    const { kv } = cluster.client();
    await using cache = await cluster.client().kv.cache({ prefix: 'k' });
    let isWriting = true;
    const write = async (): Promise<number> => {
      let last = 0;
      for (let i = 0; isWriting; i++) {
        const key = `k${i % 20}`;
        ({ revision: last } = await (i % 3 === 2 ? kv.delete(key) : kv.put(key, String(i))));
      }
      return last;
    };
    const writing = write();
    for (let i = 0; i < 2; i++) {
      await sleep(200);
      const leader = await cluster.leader();
      await leader.kill();
      await cluster.leader();
      await sleep(200);
      await leader.start();
    }
    isWriting = false;

    await cache.atLeast(await writing);

    expect(shown(cache)).toEqual(await stored(kv, cache.revision));
    expect(cache.metrics).toMatchObject({ loads: 1, keys: cache.size });
  });

  test('of two reconcilers one works, and the other one when it ends', async () => {
    await using cluster = await startTestCluster();
    const client = cluster.client();
    const world = new Map<string, string>();
    const did: string[] = [];
    const startOne = (name: string) => {
      const controller = new AbortController();
      const own = cluster.client();
      const reconciler = own.kv.namespace('w/').reconciler(
        { prefix: '' },
        {
          reconcile: (key, { desired }) => {
            did.push(`${name} ${key}`);
            if (desired === undefined) {
              world.delete(key);
            } else {
              world.set(key, desired.value);
            }
          },
          actual: () => world.keys(),
          campaign: async (signal) => own.election('world').campaign(name, { signal }),
        },
      );
      const running = reconciler.run({ signal: controller.signal });
      const stop = async (): Promise<void> => {
        controller.abort();
        await running;
      };
      return { reconciler, stop };
    };
    const worldIs = async (expected: Record<string, string>): Promise<void> =>
      vi.waitFor(() => expect(Object.fromEntries(world)).toEqual(expected), { timeout: 10_000 });
    const kv = client.kv.namespace('w/');
    await kv.put('a', '1');
    const first = startOne('first');
    await worldIs({ a: '1' });
    const second = startOne('second');
    await kv.put('b', '2');
    await worldIs({ a: '1', b: '2' });

    await first.stop();
    world.set('strange', 'x');
    await kv.delete('a');

    await worldIs({ b: '2' });
    expect(did.slice(0, 2)).toEqual(['first a', 'first b']);
    expect(did.slice(2).every((each) => each.startsWith('second'))).toBe(true);
    expect(first.reconciler.metrics.isActive).toBe(false);
    await second.stop();
  });

  test('a feed loses nothing to killed consumers, and repeats with the same ids', async () => {
    await using cluster = await startTestCluster();
    const { kv } = cluster.client();
    await begin(kv.changeFeed('copy', { prefix: 'k' }, { from: 'now' }));
    const written: string[] = [];
    let isWriting = true;
    const write = async (): Promise<void> => {
      for (let i = 0; isWriting; i++) {
        const { revision } = await kv.put(`k${i}`, String(i));
        written.push(`${revision}/k${i}`);
      }
    };
    const runs: string[][] = [];
    const writing = write();
    for (let kill = 0; kill < kills; kill++) {
      runs.push(await consume(cluster.endpoints, 40 + 40 * kill));
    }
    isWriting = false;
    await writing;
    const last = written.at(-1);
    runs.push(await consume(cluster.endpoints, Number.POSITIVE_INFINITY, last));

    const delivered = runs.flat();
    expect([...new Set(delivered)]).toEqual(written);
    for (const run of runs) {
      const first = written.indexOf(run[0] ?? '');
      expect(run).toEqual(written.slice(first, first + run.length));
    }
    expect(delivered.length).toBeGreaterThanOrEqual(written.length);
  });
});

const consumerProgram = `
  import { writeSync } from 'node:fs';
  import { Holdfast } from 'holdfast/client';
  const client = new Holdfast({ endpoints: process.argv[1].split(',') });
  await client.kv.changeFeed('copy', { prefix: 'k' }).run(({ type, id }) => {
    if (type === 'put') writeSync(1, id + '\\n');
  });`;

/** Consumes in a process, until it is killed some time after its first delivery, or has `last`. */
async function consume(
  endpoints: readonly string[],
  killAfterMs: number,
  last?: string,
): Promise<string[]> {
  const args = ['--input-type=module', '--eval', consumerProgram, endpoints.join(',')];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const ids: string[] = [];
  const closed = once(child, 'close');
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (ids.length === 0 && Number.isFinite(killAfterMs)) {
      setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    }
    ids.push(line);
    if (line === last) {
      child.kill('SIGKILL');
    }
  });
  await closed;
  return ids;
}

/** Locks, semaphores and leases on real clusters: who owns, who waits, who is told of a loss. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Holdfast, HoldfastError, type Ownership } from '../../src/client/index.ts';
import { services } from '../../src/wire/index.ts';
import { EtcdctlProcess } from '../compat/etcdctl-process.ts';
import { hasEtcd } from '../compat/etcd-server.ts';
import { FakeMembers, virtualEnvironment } from './fake-members.ts';
import { kvOf } from './fake-watches.ts';
import { errorOf, type Side, sides } from './sides.ts';

/** Resolves when a signal is fired, with its reason. */
async function firing(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(signal.reason));
    if (signal.aborted) {
      resolve(signal.reason);
    }
  });
}

describe.each(sides)('with $name', ({ start }) => {
  let side: Side;
  let client: Holdfast;
  let other: Holdfast;

  beforeAll(async () => {
    side = await start();
    client = new Holdfast({ endpoints: side.endpoints });
    other = new Holdfast({ endpoints: side.endpoints, namespace: 'own/' });
    await client.kv.put('ready', 'yes');
  });

  afterAll(async () => {
    await client.close();
    await other.close();
    await side.stop();
  });

  test('a lock has one owner at a time, first come first served, with growing tokens', async () => {
    const owners: Ownership[] = [];
    const first = await client.lock('own/order');
    const waiting = [1, 2, 3].map(async () => {
      await using lock = await other.lock('order');
      owners.push(lock);
      expect(owners.filter(({ isHeld }) => isHeld)).toEqual([lock]);
      await sleep(5);
    });

    await sleep(50);
    expect(owners).toEqual([]);
    await first.release();
    await Promise.all(waiting);

    const tokens = [first, ...owners].map(({ token }) => token);
    expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
    expect(new Set(tokens).size).toBe(4);
    expect(first.signal.aborted).toBe(false);
    expect(await client.kv.count({ prefix: 'own/order/' })).toBe(0);
  });

  test('a lock is only tried, waited for so long, or until a signal', async () => {
    await using lock = await client.lock('own/tried');
    const controller = new AbortController();

    const waiting = errorOf(other.lock('tried', { signal: controller.signal }));
    controller.abort(new Error('enough'));

    expect(await other.tryLock('tried')).toBeUndefined();
    expect(await errorOf(other.lock('tried', { waitMs: 30 }))).toMatchObject({
      ...{ code: 'LOCK_HELD', retryable: true },
    });
    expect(await waiting).toMatchObject({ code: 'ABORTED', cause: new Error('enough') });
    expect(await client.kv.count({ prefix: 'own/tried/' })).toBe(1);
    await lock.release();
    await using next = await other.tryLock('tried');
    expect(next?.isHeld).toBe(true);
    expect(next?.token).toBeGreaterThan(lock.token);
  });

  test('the owner of a key that somebody deletes is told at once', async () => {
    const lock = await client.lock('own/deleted');

    await client.kv.delete(lock.key);

    expect(await firing(lock.signal)).toMatchObject({ code: 'OWNERSHIP_LOST' });
    expect(lock.isHeld).toBe(false);
    expect(lock.remainingMs).toBe(0);
    await lock.release();
  });

  test('what was owned under a key that is deleted leaves nothing that goes on', async () => {
    const lock = await client.lock('own/left');
    await client.kv.put('attached', 'to it', { lease: lock.leaseId });

    await client.kv.delete(lock.key);
    await firing(lock.signal);

    await expect.poll(async () => client.kv.get('attached')).toBeUndefined();
    await lock.release();
  });

  test('a lock whose lease is revoked elsewhere is lost; who waits is told as well', async () => {
    const revoke = async (id: bigint): Promise<unknown> =>
      client.caller.call({
        ...{ what: 'revoke', method: services['etcdserverpb.Lease'].LeaseRevoke },
        ...{ request: { ID: String(id) }, purpose: 'idempotent' },
      });
    const lock = await client.lock('own/revoked');
    const waiting = errorOf(other.lock('revoked'));
    await expect.poll(async () => client.kv.count({ prefix: 'own/revoked/' })).toBe(2);
    const { entries } = await client.kv.getRange({ prefix: 'own/revoked/' });
    const second = entries.find(({ key }) => key !== lock.key);

    await revoke(second?.lease ?? 0n);
    expect(await waiting).toMatchObject({ code: 'OWNERSHIP_LOST' });
    await revoke(lock.leaseId);

    expect(await firing(lock.signal)).toMatchObject({ code: 'OWNERSHIP_LOST' });
    await lock.release();
  });

  test('a semaphore has so many owners, and the next ones wait', async () => {
    const semaphore = other.semaphore('places', 2);
    const [a, b] = await Promise.all([semaphore.acquire(), semaphore.acquire()]);
    const order: string[] = [];
    const waiting = ['c', 'd'].map(async (name) => {
      const place = await semaphore.acquire();
      order.push(name);
      return place;
    });
    await sleep(50);

    expect(order).toEqual([]);
    expect(await semaphore.tryAcquire()).toBeUndefined();
    expect(await errorOf(other.semaphore('places', 3).acquire())).toMatchObject({
      ...{ code: 'INVALID_ARGUMENT', message: expect.stringContaining('"2" for others') as string },
    });
    await b.release();
    await expect.poll(() => order.length).toBe(1);
    await a.release();
    const places = await Promise.all(waiting);
    expect(order).toHaveLength(2);
    await Promise.all(places.map(async (place) => place.release()));
    expect(await client.kv.count({ prefix: 'own/places/' })).toBe(0);
  });

  test('an election has one leader, whom others observe', async () => {
    const election = other.election('leader');
    const seen: string[] = [];
    const stop = new AbortController();
    const observing = (async () => {
      for await (const { value } of election.observe({ signal: stop.signal })) {
        seen.push(value);
      }
    })();
    const observed = errorOf(observing);

    expect(await election.leader()).toBeUndefined();
    const ann = await election.campaign('ann');
    const bob = election.campaign('bob');
    await expect.poll(() => seen).toEqual(['ann']);
    await ann.proclaim('ann again');
    await expect.poll(() => seen.at(-1)).toBe('ann again');
    expect(await election.leader()).toMatchObject({ value: 'ann again', token: ann.token });
    await ann.resign();
    await using next = await bob;
    await expect.poll(() => seen).toEqual(['ann', 'ann again', 'bob']);
    expect(next.token).toBeGreaterThan(ann.token);
    expect(await errorOf(ann.proclaim('no'))).toMatchObject({ code: 'NOT_ELECTED' });
    stop.abort();
    expect(await observed).toMatchObject({ code: 'ABORTED' });
  });

  test('a lease renews itself, and takes its keys along when it is revoked', async () => {
    const lease = await client.lease({ ttlSeconds: 2 });
    await client.kv.put('own/leased', 'x', { lease });

    await sleep(lease.ttlSeconds * 1100);
    expect([lease.isHeld, lease.lost.aborted, lease.expiring.aborted]).toEqual([
      true,
      false,
      false,
    ]);
    await lease.revoke();

    expect(await client.kv.get('own/leased')).toBeUndefined();
    expect([lease.isHeld, lease.lost.aborted, lease.remainingMs]).toEqual([false, false, 0]);
  });

  test('who closes the client loses what it owns, which is free at once', async () => {
    const third = new Holdfast({ endpoints: side.endpoints });
    const lock = await third.lock('own/closed');

    await third.close();

    expect(lock.signal.reason).toMatchObject({ code: 'CLIENT_CLOSED' });
    await using next = await client.tryLock('own/closed');
    expect(next?.isHeld).toBe(true);
  });

  test('a lock is given up at the end of a block', async () => {
    {
      using lock = await client.lock('own/block');
      expect(lock.isHeld).toBe(true);
    }
    await using next = await client.lock('own/block', { waitMs: 5000 });
    expect(next.isHeld).toBe(true);
  });

  test.runIf(hasEtcd())('a lock excludes etcdctl, and is excluded by it', async () => {
    const lock = await client.lock('own/etcdctl');
    const theirs = EtcdctlProcess.start(side.endpoints[0] as string, ['lock', 'own/etcdctl']);
    try {
      await expect.poll(async () => client.kv.count({ prefix: 'own/etcdctl/' })).toBe(2);
      expect(theirs.output).toBe('');
      await lock.release();
      await theirs.lines(1);

      expect(await client.tryLock('own/etcdctl')).toBeUndefined();
      const ours = client.lock('own/etcdctl');
      await theirs.end('SIGINT');

      await using next = await ours;
      expect(next.token).toBeGreaterThan(lock.token);
    } finally {
      await theirs.end('SIGKILL');
    }
  });
});

test('a name with other keys under it than candidates is refused, not waited for', async () => {
  const members = new FakeMembers();
  const environment = virtualEnvironment();
  const client = new Holdfast({ endpoints: '127.0.0.1:1' }, { transport: members, environment });
  const kvs = [kvOf('dns/www', 3, '')];
  const range = { type: 'range', revision: 7, kvs, more: false, count: 1 };
  const revoked: unknown[] = [];
  members.onCall = (call) => {
    if (call.path.endsWith('/LeaseGrant')) {
      call.answer({ ID: '7', TTL: '15' });
    } else if (call.path.endsWith('/LeaseRevoke')) {
      revoked.push(call.request);
      call.answer({});
    } else if (call.path.endsWith('/Txn')) {
      const put = { type: 'put', revision: 7, prevKv: undefined };
      call.answer({ type: 'txn', revision: 7, succeeded: true, responses: [put, range] });
    } else {
      call.answer(range);
    }
  };
  const refusal = {
    code: 'INVALID_ARGUMENT',
    message: expect.stringContaining('"dns/www" stands among the candidates') as string,
  };
  const settled = async (call: Promise<unknown>) => environment.loop.settle(errorOf(call));

  expect(await settled(client.election('dns').campaign('me'))).toMatchObject(refusal);
  expect(revoked).toEqual([{ ID: '7' }]);
  expect(await settled(client.lock('dns'))).toMatchObject(refusal);
  expect(await settled(client.tryLock('dns'))).toMatchObject(refusal);
  expect(await settled(client.election('dns').leader())).toMatchObject(refusal);
  await client.close();
});

test('leases are refused that cannot be', async () => {
  await using client = new Holdfast({ endpoints: '127.0.0.1:1' });

  expect(await errorOf(client.lease({ ttlSeconds: 0.5 }))).toBeInstanceOf(HoldfastError);
  expect(() => client.semaphore('s', 0)).toThrow('its places is 0');
  expect(await errorOf(client.lock(''))).toMatchObject({ code: 'EMPTY_KEY' });
});

test('a lock whose lease is over before it could be taken is not owned', async () => {
  const members = new FakeMembers();
  const environment = virtualEnvironment();
  const client = new Holdfast({ endpoints: '127.0.0.1:1' }, { transport: members, environment });
  members.onCall = (call) => {
    if (call.path.endsWith('LeaseGrant')) {
      call.answer({ ID: '7', TTL: '2' });
    }
  };
  const locking = errorOf(client.lock('a', { ttlSeconds: 2 }));
  await environment.loop.run(3000);

  // As by a member that was slow: the answer comes after the end of the lease here.
  const key = { ...kvOf('a/7', 5, ''), lease: '7' };
  members.callsOf('Txn')[0]?.answer({
    ...{ type: 'txn', revision: 5, succeeded: true },
    responses: [{ type: 'put' }, { type: 'range', revision: 5, kvs: [key], count: 1 }],
  });

  expect(await environment.loop.settle(locking)).toMatchObject({ code: 'LEASE_LOST' });
  expect(members.callsOf('LeaseRevoke')).toHaveLength(1);
});

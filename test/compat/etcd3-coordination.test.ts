/**
 * The npm client `etcd3` coordinates through Holdfast: leases, locks, elections and watches, at
 * their everyday work; the same through etcd, so that the test itself is right.
 */
import { once } from 'node:events';
import { type Etcd3, EtcdLeaseInvalidError, EtcdLockFailedError, type Watcher } from 'etcd3';
import { beforeEach, describe, expect, test } from 'vitest';
import { describeEtcd3 } from './etcd3-sides.ts';

describeEtcd3('the etcd3 client coordinates through', (connected) => {
  let client: Etcd3;

  beforeEach(() => {
    ({ client } = connected);
  });

  describe('a lease', () => {
    test('has keys that go when it is revoked', async () => {
      const lease = client.lease(60);
      await lease.put('a').value('1');
      await lease.put('b').value('2');
      await client.put('c').value('3');
      expect(await client.getAll().keys()).toEqual(['a', 'b', 'c']);

      await lease.revoke();

      expect(await client.getAll().keys()).toEqual(['c']);
      expect(lease.revoked()).toBe(true);
    });

    test('is renewed on demand, and tells what is left of it and its keys', async () => {
      const lease = client.lease(60, { autoKeepAlive: false });
      const id = await lease.grant();
      await lease.put('k').value('1');

      const { TTL: ttl } = await lease.keepaliveOnce();
      const told = await client.leaseClient.leaseTimeToLive({ ID: id, keys: true });

      expect(ttl).toBe('60');
      expect(told).toMatchObject({ grantedTTL: '60', keys: [Buffer.from('k')] });
      await lease.revoke();
    });

    test('lasts for as long as the client renews it, and ends once it does not', async () => {
      const renewed = client.lease(2);
      await renewed.put('renewed').value('1');
      const left = client.lease(2, { autoKeepAlive: false });
      await left.put('left').value('1');
      const watcher = await client.watch().key('left').create();

      await once(watcher, 'delete');

      expect(await client.get('renewed').string()).toBe('1');
      await watcher.cancel();
      await renewed.revoke();
    });

    test('that is gone is told as such', async () => {
      const lease = client.lease(60);
      const id = await lease.grant();
      await client.leaseClient.leaseRevoke({ ID: id });

      await expect(lease.put('k').value('1').exec()).rejects.toThrow(EtcdLeaseInvalidError);
      const lost = once(lease, 'lost');
      await expect(lease.keepaliveOnce()).rejects.toThrow(EtcdLeaseInvalidError);
      await lost;
    });
  });

  describe('a lock', () => {
    test('is had by one at a time, and again once it is released', async () => {
      const lock = await client.lock('job').acquire();

      await expect(client.lock('job').acquire()).rejects.toThrow(EtcdLockFailedError);
      await lock.release();

      expect(await client.lock('job').do(() => 'done')).toBe('done');
    });

    test('is free when its work fails', async () => {
      const failing = client.lock('job').do(() => {
        throw new Error('no luck');
      });
      await expect(failing).rejects.toThrow('no luck');

      await (await client.lock('job').acquire()).release();
    });
  });

  describe('an election', () => {
    test('goes from leader to leader, and observers hear of it', async () => {
      const election = client.election('office', 10);
      const first = election.campaign('first');
      await once(first, 'elected');
      const observer = await election.observe();
      const heard: (string | undefined)[] = [observer.leader()];
      observer.on('change', (leader) => heard.push(leader));
      const second = election.campaign('second');
      const isElected = once(second, 'elected');

      await first.proclaim('first again');
      while (heard.length < 2) {
        await once(observer, 'change');
      }
      await first.resign();
      await isElected;
      while (!heard.includes('second')) {
        await once(observer, 'change');
      }

      expect(await election.leader()).toBe('second');
      expect(heard.slice(0, 2)).toEqual(['first', 'first again']);
      expect(heard.at(-1)).toBe('second');
      await observer.cancel();
      await second.resign();
      expect(await election.leader()).toBeUndefined();
    });
  });

  describe('a watch', () => {
    /** The first `count` events of a watcher, as type, key and value. */
    async function eventsOf(watcher: Watcher, count: number): Promise<readonly string[]> {
      const events: string[] = [];
      watcher.on('put', ({ key, value }) => {
        events.push(`put ${key.toString()} ${value.toString()}`);
      });
      watcher.on('delete', ({ key }, previous) => {
        events.push(`delete ${key.toString()} ${previous?.value.toString() ?? ''}`);
      });
      while (events.length < count) {
        await once(watcher, 'data');
      }
      return events;
    }

    test('tells what happens to a prefix, with what was there before', async () => {
      const watcher = await client.watch().prefix('w/').withPreviousKV().create();
      const events = eventsOf(watcher, 3);

      await client.put('w/a').value('1');
      await client.put('other').value('x');
      await client.put('w/b').value('2');
      await client.delete().key('w/a');

      expect(await events).toEqual(['put w/a 1', 'put w/b 2', 'delete w/a 1']);
      await watcher.cancel();
    });

    test('begins in the past, and leaves out what it is not to tell', async () => {
      const { header } = await client.put('w/a').value('1').exec();
      await client.put('w/a').value('2');
      await client.delete().key('w/a');
      await client.put('w/a').value('3');

      const from = client.watch().key('w/a').startRevision(header.revision);
      const watcher = await from.only('put').create();

      expect(await eventsOf(watcher, 3)).toEqual(['put w/a 1', 'put w/a 2', 'put w/a 3']);
      await watcher.cancel();
    });

    test('of a range shares its stream with others', async () => {
      const ranged = await client.watch().inRange({ start: 'a', end: 'c' }).create();
      const single = await client.watch().key('z').create();
      const ofBoth = Promise.all([eventsOf(ranged, 2), eventsOf(single, 1)]);

      for (const key of ['a', 'c', 'b', 'z']) {
        await client.put(key).value('1');
      }

      expect(await ofBoth).toEqual([['put a 1', 'put b 1'], ['put z 1']]);
      await Promise.all([ranged.cancel(), single.cancel()]);
    });
  });
});

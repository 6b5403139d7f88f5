/** All watches of a client on one stream: how they go on when streams and members do not last. */
import { describe, expect, test } from 'vitest';
import type { Watch } from '../../src/client/index.ts';
import { answer, put, setUpWatches, told } from './fake-watches.ts';

/** Reads a watch to its end, in the background. */
function follow(watch: Watch<string>) {
  const log: string[] = [];
  const ends: unknown[] = [];
  watch.listen({
    onEvent: ({ key, revision }) => void log.push(`${key} ${revision}`),
    onProgress: (revision) => void log.push(`to ${revision}`),
    onEnd: (error) => void ends.push(error),
  });
  return { log, ends };
}

/** What etcd says to a watch whose stream has a token that it does not know. */
function stranger() {
  const cancelReason = 'rpc error: code = Unauthenticated desc = etcdserver: invalid auth token';
  return answer({ watchId: '-1', isCreated: true, isCanceled: true, cancelReason });
}

describe('the watches of a client', () => {
  test('share a stream, which asks members to have a leader', async () => {
    const { client, members, current, settle } = setUpWatches();
    const a = follow(client.kv.watch('a'));
    await settle();
    const b = follow(client.kv.watch('b'));
    await settle();

    current().answer(told([put('b', 11)], { watchId: '1' }));
    current().answer(told([put('a', 12)], { watchId: '0' }));
    await settle();

    expect(members.streams).toHaveLength(1);
    expect(current().metadata).toEqual({ hasleader: 'true' });
    expect([a.log, b.log]).toEqual([
      ['a 12', 'to 12'],
      ['b 11', 'to 11'],
    ]);
    await client.close();
  });

  test('go on at another member, each after its last revision', async () => {
    const { client, current, created, settle, streams } = setUpWatches();
    follow(client.kv.watch('a'));
    follow(client.kv.watch('b', { startRevision: 4 }));
    const c = client.kv.watch('c');
    await settle();
    current().answer(told([put('a', 11), put('a', 15)], { watchId: '0' }));
    c.close();

    current().end({ status: 'UNAVAILABLE' });
    await settle();

    expect(streams()).toHaveLength(2);
    expect(streams()[1]?.address).not.toBe(streams()[0]?.address);
    expect(created().map(({ startRevision }) => startRevision)).toEqual([16, 4]);
    await client.close();
  });

  test('stay on what they were asked for, though its bytes are changed afterwards', async () => {
    const { client, current, created, settle } = setUpWatches();
    const [key, from] = [Buffer.from('a'), Buffer.from('c')];
    follow(client.kv.watch(key));
    follow(client.kv.watch({ from, to: 'd' }));
    key.fill('b');
    from.fill('b');
    await settle();

    current().end({ status: 'UNAVAILABLE' });
    await settle();

    expect(created().map(({ key: of }) => Buffer.from(of).toString())).toEqual(['a', 'c']);
    await client.close();
  });

  test('see each event once, whatever the next member tells again', async () => {
    const { client, current, settle } = setUpWatches();
    const { log } = follow(client.kv.watch('a'));
    await settle();
    current().answer(told([put('a', 11)]));
    current().end();
    await settle();

    current().answer(told([put('a', 11), put('a', 12)]));
    await settle();

    expect(log).toEqual(['a 11', 'to 11', 'a 12', 'to 12']);
    await client.close();
  });

  test('wait a little longer each time that a stream does not last', async () => {
    const { client, members, streams, settle } = setUpWatches();
    members.onStream = (stream) => stream.end({ status: 'UNAVAILABLE' });
    const watch = client.kv.watch('a');

    await settle(10_000);

    expect(streams().length).toBeGreaterThan(4);
    expect(streams().length).toBeLessThan(60);
    expect(watch.problem).toContain('connection reset');
    members.onStream = () => undefined;
    await settle(5000);
    expect(await watch.begun()).toBe(11);
    expect(watch.problem).toBeUndefined();
    await client.close();
  });

  test('end when members refuse them for good', async () => {
    const { client, members, settle } = setUpWatches();
    members.onStream = (stream) => stream.end({ status: 'PERMISSION_DENIED', message: 'no' });
    const { ends } = follow(client.kv.watch('a'));

    await settle(5000);

    expect(ends).toMatchObject([{ code: 'PERMISSION_DENIED', message: 'watch: no' }]);
    await client.close();
  });

  test('go on with a new token when their member does not know the one before', async () => {
    const { client, members, current, created, state, streams, settle } = setUpWatches({
      auth: { name: 'ann', password: 'secret' },
    });
    let tokens = 0;
    members.onCall = (call) => call.answer(`token${++tokens}`);
    const a = follow(client.kv.watch('a'));
    await settle();
    current().answer(told([put('a', 14)], { watchId: '0' }));
    state.isTaking = false;
    const b = follow(client.kv.watch('b'));
    await settle();
    state.isTaking = true;

    current().answer(stranger());
    await settle();

    expect(streams().map(({ metadata }) => metadata['token'])).toEqual(['token1', 'token2']);
    expect(streams()[0]?.isCancelled).toBe(true);
    expect(created().map(({ startRevision }) => startRevision)).toEqual([15, 0]);
    expect([a.ends, b.ends]).toEqual([[], []]);
    await client.close();
  });

  test('end when a new token does not help either, and without a name at once', async () => {
    for (const auth of [{ name: 'ann', password: 'secret' }, undefined]) {
      const { client, members, current, state, streams, settle } = setUpWatches({ auth });
      members.onCall = (call) => call.answer('token');
      state.isTaking = false;
      const { ends } = follow(client.kv.watch('a'));
      await settle();
      for (let i = 0; i < 3; i++) {
        current().answer(stranger());
        await settle();
      }

      expect(ends).toMatchObject([{ code: 'UNAUTHENTICATED', retryable: false }]);
      expect(streams()).toHaveLength(auth === undefined ? 1 : 2);
      await client.close();
    }
  });

  test('are asked for progress, which only a member that says so tells for all', async () => {
    const { client, current, settle } = setUpWatches();
    const { log } = follow(client.kv.watch('a'));
    await settle(1000);

    expect(current().received.at(-1)).toEqual({ type: 'progress' });
    current().answer(answer({ watchId: '-1', revision: 20 }));
    await settle();
    expect(log).toEqual([]);
    current().answer(answer({ watchId: '-1', revision: 21, isComplete: true }));
    await settle();
    current().answer(answer({ watchId: '0', revision: 22 }));
    await settle();
    expect(log).toEqual(['to 21', 'to 22']);
    await client.close();
  });

  test('leave a member that falls silent and does not say that it is there', async () => {
    const { client, members, streams, settle } = setUpWatches();
    follow(client.kv.watch('a'));
    await settle();

    await settle(4500);
    expect(members.callsOf('Status')).toHaveLength(1);
    expect(streams()).toHaveLength(1);
    await settle(2500);

    expect(streams()).toHaveLength(2);
    expect(streams()[0]?.isCancelled).toBe(true);
    expect(streams()[1]?.address).not.toBe(streams()[0]?.address);
    await client.close();
  });

  test('leave a stream on which a member that is there answers no more', async () => {
    const { client, members, current, created, settle, streams } = setUpWatches();
    members.onCall = (call) => call.answer({});
    const watching = follow(client.kv.watch('a'));
    await settle();
    current().answer(answer({ watchId: '-1', revision: 12, isComplete: true }));

    await settle(29_000);
    expect(streams()).toHaveLength(1);
    await settle(3000);
    current().answer(told([put('a', 13)]));
    await settle();

    expect(streams()).toHaveLength(2);
    expect(created()).toMatchObject([{ startRevision: 13 }]);
    expect(watching.log).toEqual(['to 12', 'a 13', 'to 13']);
    await client.close();
  });

  test('stay with a member that has nothing to tell and says that it is there', async () => {
    const { client, members, streams, settle } = setUpWatches();
    members.onCall = (call) => call.answer({ header: null, leader: '0' });
    follow(client.kv.watch('a'));

    await settle(20_000);

    expect(members.callsOf('Status').length).toBeGreaterThan(3);
    expect(streams()).toHaveLength(1);
    await client.close();
  });

  test('cost nothing when there are none', async () => {
    const { client, loop, settle } = setUpWatches();
    const watch = client.kv.watch('a');
    await settle(1500);

    watch.close();

    expect(loop.pendingTimers).toBe(0);
    await client.close();
  });

  test('open no stream that is waited for when the last of them is closed', async () => {
    const { client, members, streams, settle } = setUpWatches();
    members.onStream = (stream) => stream.end({ status: 'UNAVAILABLE' });
    const watch = client.kv.watch('a');
    await settle(1000);
    const opened = streams().length;

    watch.close();
    await settle(5000);

    expect(streams()).toHaveLength(opened);
    await client.close();
  });

  test('leave no timer behind when their client is closed, whatever they waited for', async () => {
    const broken = setUpWatches();
    broken.members.onStream = (stream) => stream.end({ status: 'UNAVAILABLE' });
    follow(broken.client.kv.watch('a'));
    const crowded = setUpWatches();
    follow(crowded.client.kv.watch('a'));
    await crowded.settle();
    const cancelReason = 'etcdserver: too many requests (there are too many watches)';
    crowded.current().answer(answer({ isCanceled: true, cancelReason }));

    for (const { client, loop, settle } of [broken, crowded]) {
      await settle();
      expect(loop.pendingTimers).toBe(2);
      await client.close();

      expect(loop.pendingTimers).toBe(0);
    }
  });
});

describe('a watch', () => {
  test('whose reader is slow leaves the stream, and comes back where it was', async () => {
    const { client, current, created, settle } = setUpWatches();
    const slow = client.kv.watch({ prefix: '' });
    const { log } = follow(client.kv.watch({ prefix: '' }));
    await settle();
    const large = 'x'.repeat(1024 * 1024);

    for (let revision = 11; revision <= 20; revision++) {
      current().answer(told([put('a', revision, large)], { watchId: '0' }));
      current().answer(told([put('a', revision)], { watchId: '1' }));
    }
    await settle();

    expect(log).toHaveLength(20);
    expect(current().received).toContainEqual({ type: 'cancel', watchId: '0' });
    expect(created()).toHaveLength(2);
    const read: number[] = [];
    for await (const { revision } of slow) {
      read.push(revision);
      if (read.length === 3) {
        break;
      }
    }
    expect(read).toEqual([11, 12, 13]);
    expect(created().map(({ startRevision }) => startRevision)).toEqual([0, 0, 15]);
    await client.close();
  });

  test('that is closed before a member has begun it is cancelled as soon as it has', async () => {
    const { client, current, state, settle } = setUpWatches();
    state.isTaking = false;
    const watch = client.kv.watch('a');
    const other = client.kv.watch('b');
    await settle();

    watch.close();
    current().answer(answer({ watchId: '7', isCreated: true, revision: 10 }));
    current().answer(answer({ watchId: '8', isCreated: true, revision: 10 }));

    expect(current().received.at(-1)).toEqual({ type: 'cancel', watchId: '7' });
    expect(await other.begun()).toBe(11);
    await client.close();
  });

  test('that members have no room for fails, or waits if it had begun before', async () => {
    const { client, current, created, state, settle } = setUpWatches();
    const full = 'etcdserver: too many requests (there are too many watches)';
    const rejection = answer({
      ...{ watchId: '-1', isCreated: true, isCanceled: true, cancelReason: full },
    });
    const old = follow(client.kv.watch('a'));
    await settle();
    state.isTaking = false;
    const fresh = follow(client.kv.watch('b'));
    await settle();
    current().answer(rejection);
    current().end();
    await settle();
    current().answer(rejection);
    await settle(5000);

    expect(fresh.ends).toMatchObject([{ code: 'TOO_MANY_REQUESTS', retryable: true }]);
    expect(old.ends).toEqual([]);
    expect(created()).toHaveLength(2);
    await client.close();
  });

  test('beyond the bound of a client is refused', async () => {
    const { client } = setUpWatches();
    for (let i = 0; i < 10_000; i++) {
      client.kv.watch('a');
    }

    expect(() => client.kv.watch('a')).toThrow('this client has 10000 watches already');
    await client.close();
  });
});

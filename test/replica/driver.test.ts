import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { fingerprintOf } from '../../src/kv/index.ts';
import { VirtualCluster } from '../harness/virtual-cluster.ts';
import { samplesOf } from '../observability/exposition.ts';
import { bytes, get, put } from './commands.ts';

/** Lets virtual time pass until the promise settles; its error is returned, not thrown. */
async function settle<T>(cluster: VirtualCluster, promise: Promise<T>): Promise<T | KvError> {
  let outcome: { value: T | KvError } | undefined;
  promise.then(
    (value) => {
      outcome = { value };
    },
    (error: unknown) => {
      if (!(error instanceof KvError)) {
        throw error;
      }
      outcome = { value: error };
    },
  );
  await cluster.loop.runUntil(() => outcome !== undefined, 60_000);
  if (outcome === undefined) {
    throw new Error('unsettled');
  }
  return outcome.value;
}

async function readValue(cluster: VirtualCluster, id: number, key: string): Promise<unknown> {
  const answer = await settle(cluster, cluster.member(id).range(get(key)));
  if (answer instanceof KvError) {
    return answer.code;
  }
  const [kv] = answer.result.kvs;
  return kv === undefined ? undefined : new TextDecoder().decode(kv.value);
}

async function startCluster(size = 3, seed = 1): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(size, seed);
  await cluster.startAll();
  await cluster.leader();
  return cluster;
}

describe('Member', () => {
  test('takes a write on any member, and every member reads it at once', async () => {
    const cluster = await startCluster();

    for (const id of [1, 2, 3]) {
      const result = await settle(cluster, cluster.member(id).propose(put('key', `from ${id}`)));
      expect(result).toMatchObject({ kind: 'ok' });
      for (const reader of [1, 2, 3]) {
        expect(await readValue(cluster, reader, 'key')).toBe(`from ${id}`);
      }
    }
    expect(cluster.fatals).toEqual([]);
  });

  test('tells whether a request was answered, as of now, on any member', async () => {
    const cluster = await startCluster();
    const id = { type: 'key', key: bytes('once') } as const;
    const command = put('key', 'value');
    const fingerprint = fingerprintOf(command);
    const asked = async (member: number): Promise<unknown> =>
      settle(cluster, cluster.member(member).hasAnswered(id));

    expect(await asked(1)).toBe(false);
    await settle(cluster, cluster.member(1).propose({ type: 'once', id, fingerprint, command }));

    for (const member of [1, 2, 3]) {
      expect(await asked(member)).toBe(true);
    }
  });

  test('a single member serves alone', async () => {
    const cluster = await startCluster(1);

    await settle(cluster, cluster.member(1).propose(put('a', '1')));

    expect(await readValue(cluster, 1, 'a')).toBe('1');
  });

  test('a write during an election waits and succeeds', async () => {
    const cluster = await startCluster();
    const leader = await cluster.leader();
    const other = (leader % 3) + 1;
    cluster.network.isolate(leader);

    const result = await settle(cluster, cluster.member(other).propose(put('key', 'value')));

    expect(result).toMatchObject({ kind: 'ok' });
    cluster.network.heal();
    await cluster.leader();
    expect(await readValue(cluster, leader, 'key')).toBe('value');
  });

  test('who waits in vain hears of it, and of the outcome, before its deadline', async () => {
    const cluster = await startCluster();
    const leader = await cluster.leader();
    cluster.network.isolate(leader);
    await cluster.loop.runUntil(() => cluster.member(leader).leader === 0, 10_000);

    for (let i = 0; i < 10; i++) {
      await cluster.loop.run(7);
      const beganMs = cluster.loop.nowMs();
      const write = cluster.member(leader).propose(put('key', 'value'), { deadlineMs: 4999 });
      expect(await settle(cluster, write)).toMatchObject({ outcome: 'rejected' });
      expect(cluster.loop.nowMs() - beganMs).toBeLessThan(4999);
    }
  });

  test('a write forwarded to a leader that dies happens exactly once', async () => {
    const cluster = await startCluster();
    const leader = await cluster.leader();
    const other = (leader % 3) + 1;
    const write = cluster.member(other).propose(put('key', 'value'));
    await cluster.loop.run(0);
    cluster.network.isolate(leader);

    const result = await settle(cluster, write);

    expect(result).toMatchObject({ kind: 'ok', revision: 2 });
    const answer = await settle(cluster, cluster.member(other).range(get('key')));
    expect(answer).toMatchObject({ result: { kvs: [{ version: 1 }] } });
  });

  test('a cut-off leader acknowledges nothing and serves no linearizable read', async () => {
    const cluster = await startCluster();
    const leader = await cluster.leader();
    await settle(cluster, cluster.member(leader).propose(put('key', 'old')));
    cluster.network.isolate(leader);
    const lost = settle(cluster, cluster.member(leader).propose(put('key', 'lost')));
    const next = await cluster.leader(leader);
    await settle(cluster, cluster.member(next).propose(put('key', 'new')));

    const read = await settle(cluster, cluster.member(leader).range(get('key')));

    expect(read).toBeInstanceOf(KvError);
    expect(await lost).toMatchObject({ outcome: 'unknown' });
    const stale = await settle(
      cluster,
      cluster.member(leader).range(get('key'), { isSerializable: true }),
    );
    expect(stale).toMatchObject({ result: { kvs: [{ value: bytes('old') }] } });
  });

  test('without a majority, a write that was never proposed is rejected for sure', async () => {
    const cluster = new VirtualCluster(3, 1);
    await cluster.start(1);

    const result = await settle(cluster, cluster.member(1).propose(put('key', 'value')));

    expect(result).toMatchObject({ outcome: 'rejected' });
  });

  test('refuses what exceeds its limits, without effect', async () => {
    const cluster = new VirtualCluster(1, 1, {
      limits: { proposalsMax: 2, proposalBytesMax: 1_000_000, readsMax: 1 },
      requestBytesMax: 100,
    });
    const member = await cluster.start(1);

    const large = await settle(cluster, member.propose(put('key', 'x'.repeat(200))));
    const all = await Promise.all(
      [1, 2, 3].map((i) => settle(cluster, member.propose(put(`k${i}`, 'v')))),
    );
    const reads = [member.confirmRead(), member.confirmRead()];
    const outcomes = await Promise.all(reads.map((read) => settle(cluster, read)));

    expect(large).toMatchObject({ code: 'REQUEST_TOO_LARGE', outcome: 'rejected' });
    expect(all[2]).toMatchObject({ code: 'TOO_MANY_REQUESTS', outcome: 'rejected' });
    expect(outcomes[1]).toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  });

  test('restarts from its disk with everything acknowledged', async () => {
    const cluster = await startCluster();
    for (let i = 0; i < 20; i++) {
      await settle(cluster, cluster.member(1).propose(put(`key${i}`, `${i}`)));
    }
    for (const id of [1, 2, 3]) {
      await settle(cluster, cluster.member(id).stop());
    }
    const again = new Set<number>();
    for (const id of [1, 2, 3]) {
      await cluster.start(id);
      again.add(id);
    }
    await cluster.leader();

    for (const id of again) {
      expect(await readValue(cluster, id, 'key19')).toBe('19');
    }
  });

  test('a leader that stops hands over first, and nobody waits for an election', async () => {
    const cluster = await startCluster();
    const leader = await cluster.leader();
    const beforeMs = cluster.loop.nowMs();

    await settle(cluster, cluster.member(leader).stop());
    await cluster.leader(leader);

    expect(cluster.loop.nowMs() - beforeMs).toBeLessThan(500);
  });

  test('a leader that is stopped abruptly tells nobody, and answers nothing more', async () => {
    const cluster = await startCluster();
    const leader = await cluster.leader();
    const write = cluster.member(leader).propose(put('key', 'value'));
    const answer = write.catch((error: unknown) => error);
    const { term } = cluster.member(leader);

    await settle(cluster, cluster.member(leader).stop('abrupt'));

    expect(await answer).toMatchObject({ code: 'STOPPED' });
    for (const id of [1, 2, 3].filter((each) => each !== leader)) {
      expect(cluster.member(id)).toMatchObject({ term, leader });
    }
  });

  test('members that all stop at once do not wait for each other', async () => {
    const cluster = await startCluster();
    await cluster.leader();
    const beforeMs = cluster.loop.nowMs();

    await settle(cluster, Promise.all([1, 2, 3].map(async (id) => cluster.member(id).stop())));

    expect(cluster.loop.nowMs() - beforeMs).toBeLessThan(500);
  });

  test('a stopped member leaves no timer behind that would keep its process up', async () => {
    const cluster = await startCluster(1);

    await settle(cluster, cluster.member(1).stop());

    expect(cluster.loop.pendingTimers).toBe(0);
  });

  test('a failed log write stops the member, and nothing more is answered', async () => {
    const cluster = await startCluster(1);
    cluster.log(1).failure = new KvError('STORAGE_FAILED');

    const result = await settle(cluster, cluster.member(1).propose(put('key', 'value')));

    expect(result).toMatchObject({ outcome: 'unknown' });
    expect(cluster.fatals).toHaveLength(1);
    expect(await settle(cluster, cluster.member(1).propose(put('key', 'v')))).toMatchObject({
      code: 'STOPPED',
      outcome: 'rejected',
    });
  });

  test('a full disk refuses new writes and goes on by itself once there is room', async () => {
    const cluster = await startCluster(1);
    cluster.log(1).failure = new KvError('DISK_FULL');
    const waiting = cluster.member(1).propose(put('first', '1'));
    await cluster.loop.run(100);

    const refused = await settle(cluster, cluster.member(1).propose(put('second', '2')));
    expect(refused).toMatchObject({ code: 'DISK_FULL', outcome: 'rejected' });
    expect(cluster.member(1).status().errors.join()).toContain('no space left');

    cluster.log(1).failure = undefined;
    expect(await settle(cluster, waiting)).toMatchObject({ kind: 'ok' });
    expect(await settle(cluster, cluster.member(1).propose(put('second', '2')))).toMatchObject({
      kind: 'ok',
    });
  });

  test('a caller may give up: the outcome tells whether the write may still happen', async () => {
    const cluster = await startCluster();
    const leader = await cluster.leader();
    cluster.network.isolate(leader);
    const controller = new AbortController();
    const write = cluster.member(leader).propose(put('k', 'v'), { signal: controller.signal });
    const result = settle(cluster, write);
    await cluster.loop.run(50);

    controller.abort();

    expect(await result).toMatchObject({ code: 'CANCELLED', outcome: 'unknown' });
  });

  test('each step of a write and of a read is timed', async () => {
    const cluster = await startCluster(1);
    const times = async (): Promise<Record<string, number>> => {
      const samples = samplesOf(await cluster.metrics(1).render());
      const counts = samples.filter(({ name }) => /^holdfast_\w+_count$/.test(name));
      return Object.fromEntries(counts.map(({ name, value }) => [name, value]));
    };
    await readValue(cluster, 1, 'key');
    const before = await times();

    await settle(cluster, cluster.member(1).propose(put('key', 'value')));
    await readValue(cluster, 1, 'key');
    const after = await times();

    for (const step of ['wal_fsync', 'apply', 'commit', 'read_index']) {
      const name = `holdfast_${step}_duration_seconds_count`;
      expect(`${name} ${after[name] ?? 0}`).toBe(`${name} ${(before[name] ?? 0) + 1}`);
    }
  });

  test('leadership moves on request', async () => {
    const cluster = await startCluster();
    const leader = await cluster.leader();
    const target = (leader % 3) + 1;

    await settle(cluster, cluster.member(leader).moveLeader(target));

    expect(await cluster.leader()).toBe(target);
  });

  test('leadership that is asked to move where it is stays there', async () => {
    const cluster = await startCluster();
    const leader = await cluster.leader();

    const answer = await settle(cluster, cluster.member(leader).moveLeader(leader));

    expect(answer).toBeUndefined();
    expect(await cluster.leader()).toBe(leader);
  });

  test('who waits for leadership to move is told when the member stops', async () => {
    const cluster = await startCluster();
    const leader = await cluster.leader();
    const [target = 0, other = 0] = [1, 2, 3].filter((id) => id !== leader);
    cluster.network.isolate(target);
    const moving = settle(cluster, cluster.member(other).moveLeader(target));
    await cluster.loop.run(10);

    await settle(cluster, cluster.member(other).stop('abrupt'));

    expect(await moving).toMatchObject({ code: 'STOPPED' });
    expect(cluster.loop.nowMs()).toBeLessThan(5000);
  });

  test('leadership does not move to a stranger', async () => {
    const cluster = await startCluster();
    const leader = cluster.member(await cluster.leader());

    const answer = await settle(cluster, leader.moveLeader(4711));

    expect(answer).toMatchObject({ code: 'BAD_TRANSFEREE', outcome: 'rejected' });
  });
});

/** Members that have lost their state, but not their log: the real driver under virtual time. */
import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import type { Member } from '../../src/replica/index.ts';
import { VirtualCluster } from '../harness/virtual-cluster.ts';
import { get, put } from './commands.ts';

const soon = { entriesMax: 20, marginEntries: 5, bytesMax: 1024 * 1024 };
const never = { entriesMax: 100_000, marginEntries: 5, bytesMax: 1024 * 1024 };

const damage = new KvError('DATA_CORRUPT', { message: 'damaged', details: { part: 'engine' } });

/** Three members whose log holds this many writes, or what a compaction has left of them. */
async function written(
  seed: number,
  logCompaction = soon,
): Promise<{ cluster: VirtualCluster; leader: number; others: readonly [number, number] }> {
  const cluster = new VirtualCluster(3, seed, { logCompaction });
  await cluster.startAll();
  const leader = await cluster.leader();
  for (let i = 0; i < 100; i++) {
    await cluster.loop.settle(cluster.member(leader).propose(put(`key${i % 10}`, `value${i}`)));
  }
  await cluster.loop.run(3000);
  const [one = 0, two = 0] = [1, 2, 3].filter((id) => id !== leader);
  return { cluster, leader, others: [one, two] };
}

async function stop(cluster: VirtualCluster, id: number): Promise<void> {
  await cluster.loop.settle(cluster.member(id).stop());
}

async function failureOf(cluster: VirtualCluster, call: Promise<unknown>): Promise<unknown> {
  return cluster.loop.settle(
    call.then(
      () => 'done',
      (error: unknown) => error,
    ),
  );
}

async function readKey(
  cluster: VirtualCluster,
  member: Member,
  key: string,
  isSerializable = false,
): Promise<unknown> {
  const { result } = await cluster.loop.settle(member.range(get(key), { isSerializable }));
  const [kv] = result.kvs;
  return kv === undefined ? undefined : new TextDecoder().decode(kv.value);
}

/** Makes a gate for `place`; returns what opens it. */
function gateOf(place: (gate: Promise<void> | undefined) => void): () => void {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  place(gate);
  return () => {
    place(undefined);
    open();
  };
}

function isQuarantined(member: Member): boolean {
  return member.status().errors.some((error) => error.startsWith('quarantined'));
}

describe('a member that has lost its state', () => {
  test('replays its log when that is whole', async () => {
    const { cluster, others } = await written(1, never);
    const [lost] = others;
    await stop(cluster, lost);
    cluster.loseState(lost);

    const member = await cluster.start(lost);

    expect(isQuarantined(member)).toBe(false);
    await cluster.loop.runUntil(() => member.revision === 101, 10_000);
    expect(await readKey(cluster, member, 'key9')).toBe('value99');
  });

  test('serves nothing until it has rebuilt it from another member, then all of it', async () => {
    const { cluster, leader, others } = await written(2);
    const [lost] = others;
    await stop(cluster, lost);
    cluster.loseState(lost);

    const member = await cluster.start(lost);

    expect(isQuarantined(member)).toBe(true);
    const unhealthy = { code: 'UNHEALTHY' };
    expect(await failureOf(cluster, member.range(get('key1')))).toMatchObject(unhealthy);
    const serializable = member.range(get('key1'), { isSerializable: true });
    expect(await failureOf(cluster, serializable)).toMatchObject(unhealthy);
    expect(await failureOf(cluster, member.confirmRead())).toMatchObject(unhealthy);
    expect(await failureOf(cluster, member.propose(put('a', 'b')))).toMatchObject(unhealthy);
    expect(await failureOf(cluster, member.administration.openSnapshot())).toMatchObject(unhealthy);
    expect(await failureOf(cluster, member.administration.hashKv(0))).toMatchObject(unhealthy);
    await cluster.loop.runUntil(() => !isQuarantined(member), 20_000);
    for (let i = 0; i < 10; i++) {
      expect(await readKey(cluster, member, `key${i}`)).toBe(`value${90 + i}`);
    }
    expect(await cluster.loop.settle(member.administration.hashKv(0))).toEqual(
      await cluster.loop.settle(cluster.member(leader).administration.hashKv(0)),
    );
    expect(member.members()).toEqual(cluster.member(leader).members());
    expect(cluster.fatals).toEqual([]);
  });

  test('takes part again afterwards: it leads when the others let it', async () => {
    const { cluster, leader, others } = await written(3);
    const [lost, other] = others;
    await stop(cluster, lost);
    cluster.loseState(lost);
    const member = await cluster.start(lost);
    await cluster.loop.runUntil(() => !isQuarantined(member), 20_000);

    await cluster.loop.settle(cluster.member(leader).moveLeader(lost));
    await stop(cluster, other);

    await cluster.loop.settle(member.propose(put('led', 'yes')));
    expect(member.isLeader).toBe(true);
    expect(await readKey(cluster, member, 'led')).toBe('yes');
  });

  test('counts in the quorum meanwhile, though it cannot lead', async () => {
    const { cluster, leader, others } = await written(4);
    const [lost, other] = others;
    await stop(cluster, lost);
    await stop(cluster, other);
    await stop(cluster, leader);
    cluster.loseState(lost);

    const member = await cluster.start(lost);
    const alone = await cluster.start(leader);

    await cluster.loop.runUntil(() => alone.isLeader && !isQuarantined(member), 30_000);
    await cluster.loop.settle(member.propose(put('a', 'two of three')));
    expect(await readKey(cluster, alone, 'a')).toBe('two of three');
  });

  test('goes on rebuilding after it was stopped in the middle of it', async () => {
    const { cluster, leader, others } = await written(5);
    const [lost, other] = others;
    await stop(cluster, lost);
    cluster.loseState(lost);
    cluster.network.isolate(leader);
    cluster.network.isolate(other);
    const first = await cluster.start(lost);
    await cluster.loop.run(5000);
    expect(isQuarantined(first)).toBe(true);
    await stop(cluster, lost);
    cluster.network.heal();

    const member = await cluster.start(lost);

    expect(isQuarantined(member)).toBe(true);
    await cluster.loop.runUntil(() => !isQuarantined(member), 20_000);
    expect(await readKey(cluster, member, 'key5', true)).toBe('value95');
  });

  test('fetches what its log lacks, too, when it was away for long', async () => {
    const { cluster, leader, others } = await written(6);
    const [lost] = others;
    await stop(cluster, lost);
    cluster.loseState(lost);
    for (let i = 0; i < 100; i++) {
      await cluster.loop.settle(cluster.member(leader).propose(put(`key${i % 10}`, `later${i}`)));
    }
    await cluster.loop.run(3000);

    const member = await cluster.start(lost);

    await cluster.loop.runUntil(() => !isQuarantined(member), 20_000);
    expect(await readKey(cluster, member, 'key9')).toBe('later99');
  });

  test('does not give its state to others, nor tell who the members are', async () => {
    const { cluster, leader, others } = await written(7);
    const [lost, other] = others;
    await stop(cluster, lost);
    await stop(cluster, leader);
    await stop(cluster, other);
    cluster.loseState(lost);
    cluster.loseState(other);

    const members = [await cluster.start(lost), await cluster.start(other)];
    await cluster.loop.run(10_000);

    // Neither has a state, and neither can lead: nothing is served, nothing is made up.
    expect(members.map(isQuarantined)).toEqual([true, true]);
    const sound = await cluster.start(leader);
    await cluster.loop.runUntil(() => !members.some(isQuarantined), 30_000);
    for (const member of [...members, sound]) {
      expect(await readKey(cluster, member, 'key3')).toBe('value93');
    }
  });

  test('is refused when no other member can have it', async () => {
    const { cluster, others } = await written(8);
    const [lost] = others;
    await stop(cluster, lost);
    cluster.loseState(lost);

    const failure = await failureOf(cluster, cluster.start(lost, { isAlone: true }));

    expect(failure).toMatchObject({ code: 'DATA_CORRUPT', details: { part: 'engine' } });
    expect(String(failure)).toContain('holdfast snapshot restore');
  });
});

describe('a member that finds its state damaged while it runs', () => {
  test('is rebuilt, and another one leads', async () => {
    const { cluster, leader } = await written(9);
    const member = cluster.member(leader);
    cluster.damageState(leader, damage);

    expect(await failureOf(cluster, member.range(get('key1', { revision: 20 })))).toBe(damage);
    expect(isQuarantined(member)).toBe(true);
    await cluster.leader(leader);
    await cluster.loop.runUntil(() => !isQuarantined(member), 20_000);

    expect(await readKey(cluster, member, 'key1')).toBe('value91');
    expect(cluster.fatals).toEqual([]);
  });

  test('tells writers whose entries it was applying that it does not know', async () => {
    const { cluster, leader } = await written(10);
    const member = cluster.member(leader);
    cluster.damageState(leader, damage);

    const written10 = member.propose(put('key of nobody', 'value'));

    expect(await failureOf(cluster, written10)).toMatchObject({ outcome: 'unknown' });
    await cluster.loop.runUntil(() => !isQuarantined(member), 20_000);
    // It has happened, since it was committed.
    expect(await readKey(cluster, member, 'key of nobody')).toBe('value');
  });

  test('serves nothing to reads that waited while it was found damaged', async () => {
    const { cluster, leader } = await written(14, never);
    const member = cluster.member(leader);
    await cluster.loop.settle(member.propose({ type: 'leaseGrant', id: 7n, ttlMs: 60_000 }));
    const release = gateOf((gate) => {
      cluster.state(leader).writeGate = gate;
    });
    await cluster.loop.settle(member.propose(put('key1', 'applied, not written')));
    const reads = [member.range(get('key1')), member.leases.lease(7n, false)];
    const outcomes = Promise.all(reads.map(async (read) => failureOf(cluster, read)));
    await cluster.loop.run(10);
    cluster.damageState(leader, damage);
    const inVain = member.propose(put('key of nobody', 'value'));
    expect(await failureOf(cluster, inVain)).toMatchObject({ outcome: 'unknown' });

    release();

    const refused = { code: 'UNHEALTHY' };
    expect(await outcomes).toMatchObject([refused, refused]);
  });

  test('tells a serializable read that waits for the engine in vain', async () => {
    const { cluster, leader } = await written(15, never);
    const member = cluster.member(leader);
    // Nobody has read for a while, so what is applied waits for more before it is written.
    await cluster.loop.run(1000);
    const read = member.propose(put('key1', 'applied, not written')).then(async () => {
      cluster.state(leader).writeFailure = damage;
      return member.range(get('key1'), { isSerializable: true });
    });

    expect(await failureOf(cluster, read)).toMatchObject({ code: 'UNHEALTHY' });
  });

  test('stops when there is no other member to rebuild it from', async () => {
    const cluster = new VirtualCluster(1, 11);
    await cluster.startAll();
    await cluster.leader();
    cluster.damageState(1, damage);

    const call = cluster.member(1).propose(put('key of nobody', 'value'));

    expect(await failureOf(cluster, call)).toMatchObject({ outcome: 'unknown' });
    expect(cluster.fatals).toEqual([damage]);
  });
});

describe('a member whose state is replaced as Raft orders', () => {
  /** A follower that has been away until the others' logs no longer reach back to it. */
  async function behind(seed: number): Promise<{ cluster: VirtualCluster; away: number }> {
    const { cluster, leader, others } = await written(seed);
    const [away] = others;
    cluster.network.isolate(away);
    for (let i = 0; i < 100; i++) {
      await cluster.loop.settle(cluster.member(leader).propose(put(`key${i % 10}`, `later${i}`)));
    }
    await cluster.loop.run(3000);
    return { cluster, away };
  }

  test('waits for room on its disk, if there is none for the new log', async () => {
    const { cluster, away } = await behind(13);
    const member = cluster.member(away);
    const log = cluster.log(away);
    const reset = log.reset.bind(log);
    let attempts = 0;
    log.reset = async (...position) => {
      attempts++;
      if (attempts < 3) {
        throw new KvError('DISK_FULL');
      }
      await reset(...position);
    };

    cluster.network.heal();
    await cluster.loop.runUntil(() => attempts === 3, 20_000);

    expect(await readKey(cluster, member, 'key9')).toBe('later99');
    expect(cluster.fatals).toEqual([]);
  });
});

/** Leases of a cluster in virtual time: granted, renewed, ended, through changes of leader. */
import { describe, expect, test } from 'vitest';
import type { CommandResult } from '../../src/kv/index.ts';
import type { Member } from '../../src/replica/index.ts';
import { VirtualCluster } from '../harness/virtual-cluster.ts';
import { put } from './commands.ts';

/** What G5 allows beyond the time of a lease. */
const lateMsMax = 1000;

async function startCluster(): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(3, 1);
  await cluster.startAll();
  await cluster.leader();
  return cluster;
}

/** Runs virtual time until a promise is settled. */
async function settle<T>(cluster: VirtualCluster, promise: Promise<T>): Promise<T> {
  const settled = { isOver: false };
  const over = (): void => {
    settled.isOver = true;
  };
  promise.then(over, over);
  for (let turn = 0; turn < 1000 && !settled.isOver; turn++) {
    await cluster.loop.run(10);
  }
  return promise;
}

async function grant(member: Member, id: bigint, ttlMs: number): Promise<CommandResult> {
  return member.propose({ type: 'leaseGrant', id, ttlMs });
}

/** Virtual milliseconds until a member's state has no lease of this id; 10 s of waiting at most. */
async function msUntilGone(cluster: VirtualCluster, member: Member, id: bigint): Promise<number> {
  const startMs = cluster.loop.nowMs();
  while (cluster.loop.nowMs() - startMs < 10_000) {
    if ((await settle(cluster, member.leases.lease(id, false))) === undefined) {
      break;
    }
    await cluster.loop.run(10);
  }
  return cluster.loop.nowMs() - startMs;
}

describe('a lease of a cluster', () => {
  test('tells of its keys while it reads them, and no more once there is no room', async () => {
    const cluster = await startCluster();
    const [member] = cluster.members as [Member];
    await settle(cluster, grant(member, 7n, 60_000));
    for (const key of ['a', 'bc']) {
      await settle(cluster, member.propose({ ...put(key, '1'), lease: 7n }));
    }
    const charged: number[] = [];
    const charge = (bytes: number): void => {
      charged.push(bytes);
    };

    await settle(cluster, member.leases.lease(7n, true, { charge }));
    const full = new Error('no room');
    const refused = member.leases.lease(7n, true, {
      charge: () => {
        throw full;
      },
    });

    await expect(settle(cluster, refused)).rejects.toBe(full);
    const [first = 0, second = 0] = charged;
    expect(charged).toHaveLength(2);
    expect(first).toBeGreaterThan(1);
    expect(second - first).toBe(first + 1);
    expect(await settle(cluster, member.leases.lease(7n, true))).toMatchObject({ id: 7n });
  });

  test('lasts its time, and takes its keys with it on every member', async () => {
    const cluster = await startCluster();
    const [member] = cluster.members as [Member];
    await settle(cluster, grant(member, 7n, 2000));
    await settle(cluster, member.propose({ ...put('a', '1'), lease: 7n }));
    const content = await settle(cluster, member.leases.lease(7n, true));
    expect(content?.keys.map((key) => Buffer.from(key).toString())).toEqual(['a']);

    const lastedMs = await msUntilGone(cluster, member, 7n);

    expect(lastedMs).toBeGreaterThan(1900);
    expect(lastedMs).toBeLessThan(2000 + lateMsMax);
    expect(member.revision).toBe(3);
    expect(await settle(cluster, member.leases.allLeases())).toEqual([]);
  });

  test('that is renewed, through any member, does not end', async () => {
    const cluster = await startCluster();
    const [first, second] = cluster.members as [Member, Member];
    await settle(cluster, grant(first, 7n, 1000));
    for (let renewals = 0; renewals < 5; renewals++) {
      await cluster.loop.run(800);
      expect(await settle(cluster, second.leases.keepAlive(7n))).toBe(1000);
    }
    expect(await settle(cluster, second.leases.keepAlive(8n))).toBeUndefined();
    const lastedMs = await msUntilGone(cluster, first, 7n);
    expect(lastedMs).toBeGreaterThan(900);
  });

  test('renewals that come together share entries of the log', async () => {
    const cluster = await startCluster();
    const [member] = cluster.members as [Member];
    await settle(cluster, grant(member, 7n, 60_000));
    await cluster.loop.run(1000);
    const before = member.status().commitIndex;
    const renewals = Array.from({ length: 500 }, async () => member.leases.keepAlive(7n));
    await settle(cluster, Promise.all(renewals));
    expect(member.status().commitIndex - before).toBeLessThan(10);
  });

  test('ten changes of leader neither end leases early nor give them their time anew', async () => {
    const cluster = await startCluster();
    const ttlMs = 30_000;
    const [member] = cluster.members as [Member];
    const ids = Array.from({ length: 1000 }, (_, at) => BigInt(at + 1));
    await settle(cluster, Promise.all(ids.map(async (id) => grant(member, id, ttlMs))));
    const grantedMs = cluster.loop.nowMs();
    for (let change = 0; change < 10; change++) {
      await cluster.loop.run(1000);
      const leader = await cluster.leader();
      cluster.network.isolate(leader);
      await cluster.leader(leader);
      cluster.network.heal();
      await cluster.loop.run(300);
      const [any] = cluster.members as [Member];
      const left = await settle(cluster, any.leases.allLeases());
      expect(left).toHaveLength(1000);
    }
    const passedMs = cluster.loop.nowMs() - grantedMs;
    const [any] = cluster.members as [Member];
    const [least] = await settle(cluster, any.leases.allLeases());
    const remainingMs = least?.remainingMs ?? 0;
    expect(passedMs + remainingMs).toBeGreaterThanOrEqual(ttlMs);
    // The leader that is cut off and its successor tell the time from the same stamps.
    expect(passedMs + remainingMs).toBeLessThan(ttlMs + lateMsMax);

    await cluster.loop.run(remainingMs + lateMsMax);
    expect(await settle(cluster, any.leases.allLeases())).toEqual([]);
  }, 60_000);

  test('outlives a restart of all members, who were away for no time of it', async () => {
    const cluster = await startCluster();
    const [member] = cluster.members as [Member];
    await settle(cluster, grant(member, 7n, 5000));
    await cluster.loop.run(2000);
    const stopping = Promise.all(cluster.members.map(async (each) => each.stop()));
    await settle(cluster, stopping);
    await cluster.loop.run(60_000);
    await cluster.startAll();
    await cluster.leader();
    const [again] = cluster.members as [Member];
    const lease = await settle(cluster, again.leases.lease(7n, false));
    expect(lease?.remainingMs).toBeGreaterThan(1000);
    expect(lease?.remainingMs).toBeLessThan(5000 - 1000);
  });

  test('ids that a member chooses are positive, of 63 bits, and differ', async () => {
    const cluster = await startCluster();
    const [member] = cluster.members as [Member];
    const ids = Array.from({ length: 1000 }, () => member.leases.nextLeaseId());
    expect(new Set(ids).size).toBe(1000);
    expect(ids.every((id) => id > 0n && id < 2n ** 63n)).toBe(true);
  });
});

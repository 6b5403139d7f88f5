/** Members that read by lease (ADR-011): what the driver adds to the core is the time. */
import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { defaultRaftOptions } from '../../src/raft/index.ts';
import { VirtualCluster } from '../harness/virtual-cluster.ts';
import { samplesOf } from '../observability/exposition.ts';
import { get, put } from './commands.ts';

const leaseMs = 900;

/** Three members with a leader that has been one for a while; returns the leader's id, too. */
async function startCluster(): Promise<{ cluster: VirtualCluster; leader: number }> {
  const cluster = new VirtualCluster(3, 1, { raft: { ...defaultRaftOptions, leaseMs } });
  await cluster.startAll();
  const leader = await cluster.leader();
  const written = cluster.member(leader).propose(put('a', '1'));
  await cluster.loop.run(500);
  await written;
  return { cluster, leader };
}

/** What a read at `id` comes to within `waitMs`; undefined when it still waits. */
async function read(cluster: VirtualCluster, id: number, waitMs: number): Promise<unknown> {
  let outcome: unknown;
  cluster
    .member(id)
    .range(get('a'))
    .then(
      ({ result }) => {
        outcome = result.kvs.length;
      },
      (error: unknown) => {
        outcome = error;
      },
    );
  await cluster.loop.run(waitMs);
  return outcome;
}

describe('a member that reads by lease', () => {
  test('answers without the network while its lease lasts, and not afterwards', async () => {
    const { cluster, leader } = await startCluster();
    cluster.network.isolate(leader);

    expect(await read(cluster, leader, 0)).toBe(1);

    await cluster.loop.run(leaseMs);
    expect(await read(cluster, leader, 0)).toBeUndefined();
    expect(await read(cluster, leader, 10_000)).toBeInstanceOf(KvError);
  });

  test('answers the others too, and counts what its lease has answered', async () => {
    const { cluster, leader } = await startCluster();
    const other = (leader % 3) + 1;

    expect(await read(cluster, other, 200)).toBe(1);

    const samples = samplesOf(await cluster.metrics(leader).render());
    const answered = samples.find(({ name }) => name === 'holdfast_lease_reads')?.value;
    expect(answered).toBeGreaterThan(0);
  });

  test('is followed by another leader once the promises to it have ended', async () => {
    const { cluster, leader } = await startCluster();
    cluster.network.isolate(leader);

    const next = await cluster.leader(leader);

    expect(next).not.toBe(leader);
    expect(await read(cluster, next, 500)).toBe(1);
  });
});

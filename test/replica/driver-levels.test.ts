import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import type { LevelRange } from '../../src/kv/index.ts';
import { VirtualCluster } from '../harness/virtual-cluster.ts';
import { put } from './commands.ts';

const older: LevelRange = { oldest: 1, newest: 1 };
const addRole = { type: 'auth', change: { type: 'roleAdd', role: 'r' } } as const;

/** Starts member `id` as a build that reads these levels. */
async function start(cluster: VirtualCluster, id: number, levels?: LevelRange): Promise<void> {
  const transport = cluster.network.transport(id, { incarnation: id, peers: [], levels });
  await cluster.start(id, levels === undefined ? {} : { levels, transport });
}

/** Three members, the last of which is of an older build. */
async function mixed(seed: number): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(3, seed);
  await start(cluster, 1);
  await start(cluster, 2);
  await start(cluster, 3, older);
  await cluster.leader();
  await cluster.loop.run(5000);
  return cluster;
}

async function replace(cluster: VirtualCluster, id: number, levels?: LevelRange): Promise<void> {
  await cluster.member(id).stop('abrupt');
  await start(cluster, id, levels);
}

function levelsOf(cluster: VirtualCluster): readonly number[] {
  return cluster.members.map((member) => member.status().level);
}

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'done',
    (error: unknown) => error,
  );
}

describe('the feature level of a cluster', () => {
  test('stays while one member does not read the next, and rises once it does', async () => {
    const cluster = await mixed(1);
    expect(levelsOf(cluster)).toEqual([1, 1, 1]);
    expect(cluster.member(1).status().newestLevel).toBe(3);
    expect(cluster.member(3).status().newestLevel).toBe(1);

    await replace(cluster, 3);
    await cluster.loop.runUntil(() => levelsOf(cluster).every((level) => level === 3), 20_000);

    expect(cluster.fatals).toEqual([]);
  });

  test('stays while a member is away, who may come back as anything', async () => {
    const cluster = await mixed(2);
    await cluster.member(3).stop('abrupt');
    await cluster.leader();
    await cluster.loop.run(20_000);

    expect(cluster.member(1).status().level).toBe(1);
  });

  test('has users wait, and refuses them if it does not rise', async () => {
    const cluster = await mixed(3);
    const asked = failureOf(cluster.member(1).propose(addRole));
    await cluster.loop.run(3000);
    expect(await asked).toMatchObject({ code: 'FEATURE_NOT_ACTIVE', outcome: 'rejected' });

    await replace(cluster, 3);
    const again = cluster.member(1).propose(addRole);
    await cluster.loop.run(10_000);
    expect(await again).toMatchObject({ kind: 'ok' });
  });
});

describe('an older build, once the level has risen', () => {
  async function risen(seed: number): Promise<VirtualCluster> {
    const cluster = await mixed(seed);
    await replace(cluster, 3);
    await cluster.loop.runUntil(() => levelsOf(cluster).every((level) => level === 3), 20_000);
    const written = cluster.member(1).propose(put('a', '1'));
    await cluster.loop.run(2000);
    await written;
    return cluster;
  }

  test('does not start on the state that is there', async () => {
    const cluster = await risen(4);
    await cluster.member(3).stop();

    const error = await failureOf(start(cluster, 3, older));

    expect(error).toBeInstanceOf(KvError);
    expect(error).toMatchObject({ code: 'VERSION_MISMATCH' });
  });

  test('is refused by its peers where it has no state, and stops', async () => {
    const cluster = await risen(5);
    await cluster.member(3).stop();
    cluster.addSeat(3);
    await start(cluster, 3, older);
    await cluster.loop.runUntil(() => cluster.fatals.length > 0, 20_000);

    expect(cluster.fatals[0]).toMatchObject({ code: 'VERSION_MISMATCH' });
    expect(String(cluster.fatals[0])).toContain('does not read the feature level of its cluster');
  });
});

/**
 * Drills with real processes: a backup becomes a new cluster. `etcdctl` takes it where it is
 * installed, and `holdfast` in any case.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runEtcdctl } from '../compat/etcdctl-runner.ts';
import { runCommand } from '../harness/command.ts';
import { ProcessCluster } from '../harness/processes.ts';
import { Drill } from './drill.ts';

const keys = 500;
const bump = 1_000_000_000;
const prefix = 'restore/';

const hasEtcdctl = canRun('etcdctl');
if (!hasEtcdctl) {
  console.warn('SNAPSHOTS TAKEN BY ETCDCTL ARE NOT TESTED HERE: it is not installed');
}

function canRun(tool: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Runs one command of ours, which must succeed. */
async function holdfast(args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(args);
  expect(stderr).toBe('');
  expect(exitCode).toBe(0);
  return stdout;
}

async function saveByHoldfast(endpoint: string, path: string): Promise<void> {
  await holdfast(['snapshot', 'save', path, `--endpoints=${endpoint}`]);
}

async function saveByEtcdctl(endpoint: string, path: string): Promise<void> {
  const { exitCode, stderr } = await runEtcdctl(endpoint, ['snapshot', 'save', path]);
  expect(exitCode, stderr).toBe(0);
}

/** Three fresh data directories, filled from the file at `path`. */
async function restored(path: string): Promise<Drill> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-drill-'));
  const folders = ['a', 'b', 'c'].map((name) => join(directory, name));
  const cluster = await ProcessCluster.create(folders);
  for (const [i, { name, dataDir, initialCluster }] of cluster.members.entries()) {
    await holdfast([
      'snapshot',
      'restore',
      path,
      `--name=${name}`,
      `--data-dir=${dataDir}`,
      `--initial-cluster=${initialCluster}`,
      `--initial-cluster-token=${cluster.token}`,
      `--initial-advertise-peer-urls=${cluster.peerUrl(i)}`,
    ]);
  }
  return Drill.over(directory, cluster);
}

describe('a backup of three members', () => {
  test.each([
    { tool: 'holdfast', save: saveByHoldfast },
    ...(hasEtcdctl ? [{ tool: 'etcdctl', save: saveByEtcdctl }] : []),
  ])(
    'by $tool becomes a new cluster with the same keys',
    { timeout: 120_000 },
    async ({ save }) => {
      const drill = await Drill.start(3);
      const leader = await drill.leader();
      for (let i = 0; i < keys; i += 50) {
        const some = Array.from({ length: 50 }, (_, at) => `${prefix}${i + at}`);
        await leader.client.putAll(some.map((key) => [key, Buffer.from(`value of ${key}`)]));
      }
      await leader.client.putAll([[`${prefix}1`, Buffer.from('written twice')]]);
      const kvs = await leader.client.getPrefix(prefix);
      const before = (await leader.admin.status()).header;
      const endpoint = drill.cluster.endpoints[drill.other(leader).index] ?? '';
      const path = join(drill.directory, 'backup.db');
      // The member asked need not lead, but must have all of it.
      await drill.other(leader).client.waitUntilReady(20_000);
      await save(endpoint, path);
      await leader.client.putAll([[`${prefix}later`, Buffer.from('not in the backup')]]);

      const fresh = await restored(path);
      for (const seat of fresh.seats) {
        expect(await seat.client.getPrefix(prefix)).toEqual(kvs);
      }
      const after = (await fresh.seats[0]?.admin.status())?.header;
      expect(after?.cluster_id).not.toBe(before?.cluster_id);
      expect(Number(after?.revision)).toBeGreaterThanOrEqual(Number(before?.revision) + bump);
      await fresh.expectConverged();
      await fresh.seats[1]?.client.putAll([[`${prefix}new`, Buffer.from('it is written to')]]);
      const written = await fresh.seats[2]?.client.getPrefix(`${prefix}new`);
      expect(written).toMatchObject([{ value: 'it is written to', version: 1 }]);
      expect(written?.[0]?.modRevision).toBeGreaterThan(Number(before?.revision) + bump);
      await fresh.expectConverged();
    },
  );
});

/** A backup of a running cluster, restored as another of three members, as processes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectKv } from '../harness/kv-client.ts';
import { ProcessCluster } from '../harness/processes.ts';
import { hasEtcdctl, type Run, runEtcdctl, runHoldfast } from './client/run.ts';

const readyTimeoutMs = 30_000;

let directory: string;
let old: ProcessCluster;
let restored: ProcessCluster;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-backup-'));
  old = await ProcessCluster.create([join(directory, 'old')]);
  restored = await ProcessCluster.create(
    ['n1', 'n2', 'n3'].map((name) => join(directory, 'new', name)),
  );
  await old.startAll();
  await untilReady(old);
});

afterAll(async () => {
  await Promise.all([old.killAll(), restored.killAll()]);
  await rm(directory, { recursive: true, force: true });
});

async function untilReady(cluster: ProcessCluster): Promise<void> {
  await Promise.all(
    cluster.endpoints.map(async (endpoint) => {
      const client = connectKv(endpoint);
      await client.waitUntilReady(readyTimeoutMs);
      client.close();
    }),
  );
}

async function holdfast(cluster: ProcessCluster, ...args: string[]): Promise<Run> {
  const run = await runHoldfast(cluster.endpoints, args);
  expect(run.stderr).toBe('');
  expect(run.exitCode).toBe(0);
  return run;
}

/** The header of a linearizable read, as text fields. */
async function headerOf(cluster: ProcessCluster): Promise<Record<string, number>> {
  const { stdout } = await holdfast(cluster, 'get', 'none', '-w', 'json');
  return (JSON.parse(stdout) as { header: Record<string, number> }).header;
}

/** Restores every member of `restored` from a file. */
async function restoreAll(file: string): Promise<void> {
  const initialCluster = restored.members
    .map(({ name, peerPort }) => `${name}=http://127.0.0.1:${peerPort}`)
    .join(',');
  // As the harness gives it to its members.
  const token = `test-${restored.members[0]?.clientPort ?? 0}`;
  for (const { name, dataDir } of restored.members) {
    await holdfast(
      restored,
      ...['snapshot', 'restore', file, '--name', name, '--data-dir', dataDir],
      ...['--initial-cluster', initialCluster, '--initial-cluster-token', token],
      ...['--bump-revision', '1000000'],
    );
  }
}

describe('a backup', () => {
  let file: string;
  let before: Record<string, number>;

  beforeAll(async () => {
    file = join(directory, 'backup.db');
    for (let i = 0; i < 20; i++) {
      await holdfast(old, 'put', `key-${i}`, `value-${i}`);
    }
    await holdfast(old, 'del', 'key-3');
    before = await headerOf(old);
    if (hasEtcdctl()) {
      const { exitCode } = await runEtcdctl(old.endpoints, ['snapshot', 'save', file]);
      expect(exitCode).toBe(0);
    } else {
      await holdfast(old, 'snapshot', 'save', file);
    }
    await holdfast(old, 'put', 'key-0', 'after the backup');
  });

  test('tells what it holds', async () => {
    const { stdout } = await holdfast(old, 'snapshot', 'status', file, '-w', 'json');

    expect(JSON.parse(stdout)).toMatchObject({ revision: before['revision'], totalKey: 19 });
  });

  test('is the same of the same state, whoever saves it', async () => {
    const again = join(directory, 'again.db');
    const twice = join(directory, 'twice.db');
    await holdfast(old, 'snapshot', 'save', again);
    await holdfast(old, 'snapshot', 'save', twice);
    const [one, two] = [
      await holdfast(old, 'snapshot', 'status', again),
      await holdfast(old, 'snapshot', 'status', twice),
    ];

    expect(one.stdout.split(', ')[0]).toBe(two.stdout.split(', ')[0]);
  });

  test('on three fresh nodes is another cluster of its keys, at a higher revision', async () => {
    await restoreAll(file);
    await restored.startAll();
    await untilReady(restored);

    const after = await headerOf(restored);
    expect(after['revision']).toBe((before['revision'] ?? 0) + 1_000_000);
    expect(after['cluster_id']).not.toBe(before['cluster_id']);

    const expected = Array.from({ length: 20 }, (_, i) => i).filter((i) => i !== 3);
    const { stdout } = await holdfast(restored, 'get', 'key-', '--prefix');
    const pairs = stdout.trim().split('\n');
    expect(pairs).toHaveLength(2 * expected.length);
    for (const i of expected) {
      expect(pairs[pairs.indexOf(`key-${i}`) + 1]).toBe(`value-${i}`);
    }
  });

  test('restored tells the old revisions that they are gone, and takes writes', async () => {
    const old3 = await runHoldfast(restored.endpoints, ['get', 'key-3', '--rev', '5']);
    expect(old3.exitCode).toBe(1);
    expect(old3.stderr).toContain('COMPACTED');

    const { revision = 0 } = await headerOf(restored);
    await holdfast(restored, 'put', 'key-3', 'back');
    expect((await headerOf(restored))['revision']).toBe(revision + 1);
  });

  test('restored has members that agree, and go on after a restart', async () => {
    for (const i of [0, 1, 2]) {
      await restored.signal(i, 'SIGTERM');
      await restored.start(i);
      await untilReady(restored);
    }

    const { stdout: members } = await holdfast(restored, 'member', 'list', '-w', 'plain');
    const lines = members.trim().split('\n');
    expect(lines.map((line) => line.split('\t')[2]).sort()).toEqual(['n1', 'n2', 'n3']);

    const { revision = 0 } = await headerOf(restored);
    const { stdout } = await holdfast(
      restored,
      ...['hashkv', '--rev', String(revision), '-w', 'plain'],
    );
    const hashes = stdout
      .trim()
      .split('\n')
      .map((line) => line.split('\t')[1]);
    expect(hashes).toHaveLength(3);
    expect(new Set(hashes).size).toBe(1);
  });
});

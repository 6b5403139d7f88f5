/**
 * Real power cuts: each member keeps its data on an ext4 of its own (a loop mount), which is shut
 * down under load without flushing its journal, so that everything not yet synced is gone. Nothing
 * acknowledged may be lost.
 *
 * Needs root, `mkfs.ext4`, `mount` and `xfs_io` (Debian's xfsprogs). Where they are missing it says
 * so, loudly. `DRILL_POWER_CUTS` sets the number of cuts of all members, and of a majority.
 */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connectKv, type KvClient, waitForLeader } from '../harness/kv-client.ts';
import { showIfFailed } from '../harness/members-output.ts';
import { ProcessCluster } from '../harness/processes.ts';
import { verifyLoad, WriteLoad } from './load.ts';

const run = promisify(execFile);
const cuts = Number(process.env['DRILL_POWER_CUTS'] ?? 1);
const intact = { lost: [], doubled: [], moved: [], happenedThoughRejected: [] };

/** What a power cut needs and this machine lacks; empty when it can be done. */
function missingTools(): string[] {
  const missing: string[] = [];
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    missing.push('root on Linux');
  }
  for (const tool of ['mkfs.ext4', 'mount', 'umount', 'xfs_io', 'losetup']) {
    try {
      execFileSync('sh', ['-c', `command -v ${tool}`], { stdio: 'ignore' });
    } catch {
      missing.push(tool);
    }
  }
  if (!existsSync('/dev/loop-control')) {
    missing.push('/dev/loop-control');
  }
  return missing;
}

const missing = missingTools();
if (missing.length > 0) {
  console.warn(`POWER CUTS ARE NOT TESTED HERE: missing ${missing.join(', ')}`);
}

/** One member's disk, in an image file. */
class Disk {
  readonly mountPoint: string;
  readonly #image: string;

  constructor(directory: string, name: string) {
    this.mountPoint = join(directory, name);
    this.#image = join(directory, `${name}.img`);
  }

  async create(): Promise<void> {
    await run('truncate', ['-s', '1G', this.#image]);
    await run('mkfs.ext4', ['-q', '-F', this.#image]);
    await mkdir(this.mountPoint, { recursive: true });
    await this.mount();
  }

  async mount(): Promise<void> {
    await run('mount', ['-o', 'loop', this.#image, this.mountPoint]);
  }

  async cut(): Promise<void> {
    await run('xfs_io', ['-x', '-c', 'shutdown', this.mountPoint]);
  }

  async unmount(): Promise<void> {
    await run('umount', [this.mountPoint]);
  }
}

let directory: string;
let disks: Disk[];
let cluster: ProcessCluster;
let clients: KvClient[];

beforeEach(async () => {
  if (missing.length > 0) {
    return;
  }
  directory = await mkdtemp(join(tmpdir(), 'holdfast-power-'));
  disks = ['a', 'b', 'c'].map((name) => new Disk(directory, name));
  await Promise.all(disks.map(async (disk) => disk.create()));
  cluster = await ProcessCluster.create(
    disks.map((disk) => join(disk.mountPoint, 'data')),
    [],
    directory,
  );
  await cluster.startAll();
  clients = cluster.endpoints.map((endpoint) => connectKv(endpoint));
  await waitForLeader(clients, 30_000);
});

afterEach(async ({ task }) => {
  if (missing.length > 0) {
    return;
  }
  await showIfFailed(task, cluster);
  for (const client of clients) {
    client.close();
  }
  await cluster.stopAll();
  for (const disk of disks) {
    await disk.unmount();
  }
  await rm(directory, { recursive: true, force: true });
});

/** Cuts the power of these members, brings them back, and waits for a leader. */
async function cutAndRestore(members: readonly number[]): Promise<void> {
  await Promise.all(members.map(async (i) => disks[i]?.cut()));
  await Promise.all(members.map(async (i) => cluster.signal(i, 'SIGKILL')));
  for (const i of members) {
    await disks[i]?.unmount();
    await disks[i]?.mount();
  }
  await Promise.all(members.map(async (i) => cluster.start(i)));
  await waitForLeader(clients, 30_000);
}

describe.runIf(missing.length === 0)('three members on disks that lose power under load', () => {
  test.each([
    { name: 'all three', members: [0, 1, 2] },
    { name: 'a majority', members: [0, 2] },
  ])(
    'lose nothing acknowledged when $name are cut',
    {
      timeout: 60_000 + cuts * 20_000,
    },
    async ({ members }) => {
      const load = new WriteLoad(clients, 2000);
      load.start(16, 'power');

      for (let cut = 0; cut < cuts; cut++) {
        await sleep(1000);
        await cutAndRestore(members);
      }
      await load.stop();

      for (const client of clients) {
        expect(await verifyLoad(load.record, client, 'power')).toEqual(intact);
      }
      expect(load.record.acknowledged.size).toBeGreaterThan(0);
      console.log(
        `${cuts} power cuts of ${members.length} members: ` +
          `${load.record.acknowledged.size} acknowledged, none lost`,
      );
    },
  );
});

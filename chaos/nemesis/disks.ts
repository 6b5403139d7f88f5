/**
 * Disks that are full, slow, failing, without power, or damaged.
 *
 * Power cuts and full disks need file systems of their own, as root; slow and failing syncs are put
 * into the running process by strace.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { shuffle } from '../workloads/random.ts';
import { type Fault, isMajority, metricsOf, type Setting, someLeader } from './fault.ts';
import { missingCommands, missingRoot, run } from './tools.ts';

const syncDelayUs = 300_000;
const imageSize = '1G';
const smallDiskSize = '320m';
const endLimitMs = 15_000;

/** A disk of its own for each member, by a command that mounts it. */
async function mountEach(
  setting: Setting,
  mount: (folder: string, name: string) => Promise<void>,
): Promise<() => Promise<void>> {
  const folders = Array.from({ length: setting.size }, (_, i) =>
    join(setting.directory, `disk${i + 1}`),
  );
  for (const [i, folder] of folders.entries()) {
    await mkdir(folder, { recursive: true });
    await mount(folder, `disk${i + 1}`);
  }
  setting.dataDirs = folders.map((folder) => join(folder, 'data'));
  return async () => {
    for (const folder of folders) {
      await run('umount', [folder]);
    }
  };
}

function imageOf(directory: string, name: string): string {
  return join(directory, `${name}.img`);
}

const powerCut: Fault = {
  name: 'power-cut',
  about: 'members lose power: what was not synced is gone',
  holdMs: [500, 1500],
  missingTools: () => [
    ...missingRoot(),
    ...missingCommands('mkfs.ext4', 'mount', 'umount', 'xfs_io', 'losetup'),
    ...(existsSync('/dev/loop-control') ? [] : ['/dev/loop-control']),
  ],
  async prepare(setting) {
    const unmount = await mountEach(setting, async (folder, name) => {
      const image = imageOf(setting.directory, name);
      await run('truncate', ['-s', imageSize, image]);
      await run('mkfs.ext4', ['-q', '-F', image]);
      await run('mount', ['-o', 'loop', image, folder]);
    });
    return async () => {
      await unmount();
      for (let i = 1; i <= setting.size; i++) {
        await rm(imageOf(setting.directory, `disk${i}`), { force: true });
      }
    };
  },
  async inject({ cluster, members, prng, directory }) {
    const victims = shuffle(prng, members).slice(0, prng.nextInt(2, members.length + 1));
    const disks = victims.map((name) => ({
      member: cluster.member(name),
      disk: `disk${name.slice(1)}`,
    }));
    await Promise.all(
      disks.map(async ({ member, disk }) => {
        member.expectEnd();
        await run('xfs_io', ['-x', '-c', 'shutdown', join(directory, disk)]);
        await member.kill();
      }),
    );
    return {
      what: `${victims.join(', ')} without power`,
      members: victims,
      keepsMajority: isMajority(members.length - victims.length, members),
      evidence: async () =>
        disks.every(({ member }) => !member.isRunning)
          ? `the file systems of ${victims.join(', ')} were shut down unsynced`
          : undefined,
      async heal() {
        for (const { disk, member } of disks) {
          const folder = join(directory, disk);
          await run('umount', [folder]);
          await run('mount', ['-o', 'loop', imageOf(directory, disk), folder]);
          await member.start();
        }
      },
    };
  },
};

const diskFull: Fault = {
  name: 'disk-full',
  about: 'a member’s disk is full; it ends or goes on, and loses nothing',
  missingTools: () => [...missingRoot(), ...missingCommands('mount', 'umount', 'fallocate')],
  async prepare(setting) {
    return mountEach(setting, async (folder) => {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${smallDiskSize}`, 'tmpfs', folder]);
    });
  },
  async inject(context) {
    const { cluster, members, directory } = context;
    const victim = await someLeader(context);
    const member = cluster.member(victim);
    const filler = join(directory, `disk${victim.slice(1)}`, 'filler');
    member.expectEnd();
    await fill(filler);
    return {
      what: `the disk of ${victim} is full`,
      members: [victim],
      keepsMajority: isMajority(members.length - 1, members),
      evidence: async () =>
        (await isFull(filler)) ? `no room on the disk of ${victim}` : undefined,
      async heal() {
        await rm(filler, { force: true });
        await member.kill();
        await member.start();
      },
    };
  },
};

/** Takes what room there is, in ever smaller pieces. */
async function fill(path: string): Promise<void> {
  const file = await open(path, 'a');
  try {
    for (let size = 8 * 1024 * 1024; size >= 4096; size /= 2) {
      await writeUntilFull(file, Buffer.alloc(size));
    }
  } finally {
    await file.close();
  }
}

async function writeUntilFull(
  file: { appendFile(data: Buffer): Promise<void> },
  bytes: Buffer,
): Promise<void> {
  for (;;) {
    try {
      await file.appendFile(bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
        return;
      }
      throw error;
    }
  }
}

async function isFull(path: string): Promise<boolean> {
  try {
    await writeFile(path, Buffer.alloc(64 * 1024), { flag: 'a' });
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOSPC';
  }
}

/** Attaches strace to a member, and tells it what to inject. */
async function trace(pid: number | undefined, injection: string): Promise<ChildProcess> {
  const args = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=fdatasync,fsync', '-e', injection];
  const tracer = spawn('strace', [...args, '-p', String(pid ?? 0)], { stdio: 'ignore' });
  await once(tracer, 'spawn');
  // It attaches to one thread after the other.
  await sleep(300);
  return tracer;
}

async function untrace(tracer: ChildProcess): Promise<void> {
  if (tracer.exitCode === null) {
    tracer.kill('SIGINT');
    await once(tracer, 'exit');
  }
}

const straceNeeds = () => [...missingRoot(), ...missingCommands('strace')];

const slowDisk: Fault = {
  name: 'slow-disk',
  about: 'each sync of the leader’s disk takes 300 ms longer',
  missingTools: straceNeeds,
  async inject(context) {
    const { cluster } = context;
    const leader = await someLeader(context);
    const injection = `inject=fdatasync,fsync:delay_enter=${syncDelayUs}`;
    const tracer = await trace(cluster.member(leader).pid, injection);
    const before = await metricsOf(context, leader);
    return {
      what: `the disk of ${leader} is slow`,
      members: [leader],
      keepsMajority: false,
      evidence: async () => {
        const after = await metricsOf(context, leader);
        const grown = (name: string) => (after.get(name) ?? 0) - (before.get(name) ?? 0);
        const syncs = grown('holdfast_wal_fsync_duration_seconds_count');
        const averageMs = (grown('holdfast_wal_fsync_duration_seconds_sum') / syncs) * 1000;
        return syncs > 0 && averageMs * 1000 > syncDelayUs / 2
          ? `${syncs} syncs of ${leader} took ${Math.round(averageMs)} ms on average`
          : undefined;
      },
      heal: async () => untrace(tracer),
    };
  },
};

const failingDisk: Fault = {
  name: 'failing-disk',
  about: 'a sync fails with an error: the member must stop, and never take it for done',
  missingTools: straceNeeds,
  async inject(context) {
    const { cluster, members } = context;
    const victim = await someLeader(context);
    const member = cluster.member(victim);
    member.expectEnd();
    const tracer = await trace(member.pid, 'inject=fdatasync,fsync:error=EIO');
    return {
      what: `the disk of ${victim} fails`,
      members: [victim],
      keepsMajority: isMajority(members.length - 1, members),
      evidence: async () =>
        (await member.hasEnded(endLimitMs)) ? `${victim} stopped when a sync failed` : undefined,
      async heal() {
        await member.kill();
        await untrace(tracer);
        await member.start();
      },
    };
  },
};

const damagedFile: Fault = {
  name: 'damaged-file',
  about: 'a byte in the files of a stopped member is flipped: it refuses, or repairs itself',
  async inject({ cluster, members, prng, directory }) {
    const victim = shuffle(prng, members)[0] ?? '';
    const member = cluster.member(victim);
    await member.kill();
    const { dataDir } = member.place;
    const copy = join(directory, `${victim}.sound`);
    await cp(dataDir, copy, { recursive: true });
    const path = shuffle(prng, await filesBelow(dataDir))[0] ?? '';
    const offset = await flip(path, prng.nextInt(0, 1_000_000));
    await member.start();
    member.expectEnd();
    return {
      what: `byte ${offset} of ${path.slice(dataDir.length + 1)} of ${victim} flipped`,
      members: [victim],
      keepsMajority: isMajority(members.length - 1, members),
      evidence: async () =>
        member.isRunning ? `${victim} started, and repairs itself if it must` : `${victim} refused`,
      /** One that refused gets its files back as they were: it had not taken part since. */
      async heal() {
        if (!member.isRunning) {
          await rm(dataDir, { recursive: true });
          await cp(copy, dataDir, { recursive: true });
          await member.start();
        }
        await rm(copy, { recursive: true });
      },
    };
  },
};

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && (await stat(path)).size > 0) {
      files.push(path);
    }
  }
  return files;
}

async function flip(path: string, place: number): Promise<number> {
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    const offset = place % size;
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, offset);
    byte[0] = (byte[0] ?? 0) ^ 0x10;
    await file.write(byte, 0, 1, offset);
    return offset;
  } finally {
    await file.close();
  }
}

/** All of them. */
export const disks: readonly Fault[] = [powerCut, diskFull, slowDisk, failingDisk, damagedFile];

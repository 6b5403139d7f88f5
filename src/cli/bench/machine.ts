/** What figures depend on: the machine, the programs, and how long the disk takes to sync. */
import { execFile } from 'node:child_process';
import { open, readFile, rm } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { version } from '../version.ts';

/** A description to keep with the figures. */
export interface Machine {
  readonly cores: number;
  readonly cpuModel: string;
  readonly memoryBytes: number;
  /** Processes that wanted to run in the minute before. */
  readonly loadAverage: number;
  readonly nodeVersion: string;
  readonly holdfastVersion: string;
  /** Undefined when etcd takes no part. */
  readonly etcdVersion: string | undefined;
  /** Median of appending 4 KiB with a sync, microseconds; undefined when nothing is kept here. */
  readonly syncMicroseconds: number | undefined;
}

/** Below this a "disk" keeps nothing over a power cut. */
const plausibleSyncMicroseconds = 5;
/** Share of the cores that other work may take without a remark. */
const quietLoadShare = 0.25;
const syncRounds = 200;
const syncBytes = 4096;
/** Clock ticks of `/proc`, which Linux fixes at 100 a second for programs. */
const ticksPerSecond = 100;

/** Describes this machine; `dataRoot` is where the clusters' data will be. */
export async function describeMachine(dataRoot: string | undefined): Promise<Machine> {
  const [cpu] = cpus();
  return {
    cores: cpus().length,
    cpuModel: cpu?.model ?? 'unknown',
    memoryBytes: totalmem(),
    loadAverage: loadavg()[0] ?? 0,
    nodeVersion: process.versions.node,
    holdfastVersion: version,
    etcdVersion: dataRoot === undefined ? undefined : await readEtcdVersion(),
    syncMicroseconds: dataRoot === undefined ? undefined : await measureSync(dataRoot),
  };
}

/** The description as lines of text. */
export function machineLines(machine: Machine): readonly string[] {
  const gibibytes = (machine.memoryBytes / 1024 ** 3).toFixed(1);
  const programs = [
    `Node ${machine.nodeVersion}`,
    `Holdfast ${machine.holdfastVersion}`,
    ...(machine.etcdVersion === undefined ? [] : [`etcd ${machine.etcdVersion}`]),
  ];
  const lines = [
    `machine: ${machine.cores} × ${machine.cpuModel}, ${gibibytes} GiB; ${programs.join(', ')}`,
  ];
  if (machine.loadAverage > machine.cores * quietLoadShare) {
    lines.push(
      `load: ${machine.loadAverage.toFixed(1)} in the minute before: other work is running, ` +
        'which makes the figures noisy',
    );
  }
  const { syncMicroseconds } = machine;
  if (syncMicroseconds !== undefined) {
    lines.push(`disk: append of 4 KiB and fdatasync, median ${syncMicroseconds.toFixed(0)} µs`);
    if (syncMicroseconds < plausibleSyncMicroseconds) {
      lines.push('disk: this folder seems to be in memory; choose a real disk by --data-root');
    }
  }
  return lines;
}

/** CPU time that processes have used so far, milliseconds; undefined where there is no `/proc`. */
export async function readCpuMs(pids: readonly number[]): Promise<number | undefined> {
  try {
    const all = await Promise.all(
      pids.map(async (pid) => {
        const text = await readFile(`/proc/${pid}/stat`, 'utf8');
        // Fields 14 and 15; the second, a name in parentheses, may contain blanks.
        const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
        return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
      }),
    );
    return all.reduce((sum, each) => sum + each, 0);
  } catch {
    // Another system than Linux: the figure is left out.
    return undefined;
  }
}

/** Memory of processes that is in RAM, bytes; undefined where there is no `/proc`. */
export async function readResidentBytes(pids: readonly number[]): Promise<number | undefined> {
  try {
    const all = await Promise.all(
      pids.map(async (pid) => {
        const text = await readFile(`/proc/${pid}/status`, 'utf8');
        return Number(/^VmRSS:\s+(?<kib>\d+) kB$/m.exec(text)?.groups?.['kib']) * 1024;
      }),
    );
    return all.reduce((sum, each) => sum + each, 0);
  } catch {
    // Another system than Linux: the figure is left out.
    return undefined;
  }
}

async function readEtcdVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('etcd', ['--version']);
    return /etcd Version: (?<version>\S+)/.exec(stdout)?.groups?.['version'];
  } catch {
    // Starting the cluster will say that it is missing.
    return undefined;
  }
}

async function measureSync(folder: string): Promise<number> {
  const path = join(folder, 'sync-probe');
  const file = await open(path, 'w');
  const times: number[] = [];
  try {
    const block = Buffer.alloc(syncBytes, 0x5a);
    for (let i = 0; i < syncRounds; i++) {
      const startMs = performance.now();
      await file.write(block);
      await file.datasync();
      times.push((performance.now() - startMs) * 1000);
    }
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
  return times.sort((a, b) => a - b)[syncRounds / 2] ?? 0;
}

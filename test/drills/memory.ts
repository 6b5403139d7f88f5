/** Resident memory of members while a drill goes on (Linux), and whether it stays what it is. */
import { existsSync, readFileSync } from 'node:fs';
import type { ProcessCluster } from '../harness/processes.ts';

/** A member that has just started is not what it will be. */
const warmUpMs = 15_000;

interface Sample {
  readonly index: number;
  readonly atMs: number;
  readonly mb: number;
}

/** See the module comment. */
export class MemoryLog {
  readonly #cluster: ProcessCluster;
  readonly #samples: Sample[] = [];
  /** By member: its process, and since when it has been seen. */
  readonly #processes = new Map<number, { readonly pid: number; readonly sinceMs: number }>();

  constructor(cluster: ProcessCluster) {
    this.#cluster = cluster;
  }

  /** Looks at every member that runs. */
  sample(): void {
    const atMs = performance.now();
    for (const index of this.#cluster.members.keys()) {
      const pid = this.#cluster.pid(index) ?? 0;
      const mb = residentMb(pid);
      if (mb === undefined || !this.#cluster.isRunning(index)) {
        continue;
      }
      let process = this.#processes.get(index);
      if (process?.pid !== pid) {
        process = { pid, sinceMs: atMs };
        this.#processes.set(index, process);
      }
      if (atMs - process.sinceMs >= warmUpMs) {
        this.#samples.push({ index, atMs, mb });
      }
    }
  }

  /** Medians of a member's memory, MB, in equal parts of the time; empty where nothing was seen. */
  medians(index: number, parts: number): readonly number[] {
    const own = this.#samples.filter((each) => each.index === index);
    const fromMs = own[0]?.atMs ?? 0;
    const partMs = ((own.at(-1)?.atMs ?? 0) - fromMs) / parts + 1;
    return Array.from({ length: parts }, (_, part) => {
      const inPart = own.filter(({ atMs }) => Math.floor((atMs - fromMs) / partMs) === part);
      const sorted = inPart.map(({ mb }) => mb).sort((a, b) => a - b);
      return sorted[sorted.length >> 1];
    }).filter((mb) => mb !== undefined);
  }
}

/** Resident memory of a process, MB; undefined where the system does not say. */
function residentMb(pid: number): number | undefined {
  const path = `/proc/${pid}/status`;
  if (!existsSync(path)) {
    return undefined;
  }
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(path, 'utf8'))?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
}

/** Resident memory of each member, MB, for people to read. */
export function describeResident(cluster: ProcessCluster): string {
  return cluster.members
    .map((_, i) => residentMb(cluster.pid(i) ?? 0)?.toFixed(0) ?? '?')
    .join(', ');
}

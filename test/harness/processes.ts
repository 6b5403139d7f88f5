/**
 * A cluster of real `holdfast server` processes on loopback, for tests that kill, stop and restart
 * members.
 *
 * Only processes started here are ever signalled, by pid. Data lives in a directory of the
 * caller's.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../src/cli/testing/free-ports.ts';

export { freePorts } from '../../src/cli/testing/free-ports.ts';

const binary = fileURLToPath(new URL('../../bin/holdfast', import.meta.url));

/** Where one member listens and keeps its data. */
export interface ProcessMember {
  readonly name: string;
  readonly dataDir: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly metricsPort: number;
  readonly extraArgs: readonly string[];
  /** Where its output goes. */
  readonly logFile: string;
  /** Value of `--initial-cluster`. */
  readonly initialCluster: string;
  readonly initialClusterState: 'new' | 'existing';
  /** How it is spoken to; `http` when absent. */
  readonly clientScheme?: 'http' | 'https';
  readonly peerScheme?: 'http' | 'https';
}

function peerUrlOf({
  peerPort,
  peerScheme = 'http',
}: Pick<ProcessMember, 'peerPort' | 'peerScheme'>): string {
  return `${peerScheme}://127.0.0.1:${peerPort}`;
}

function clusterEntry(member: Pick<ProcessMember, 'name' | 'peerPort' | 'peerScheme'>): string {
  return `${member.name}=${peerUrlOf(member)}`;
}

/** Members as processes; indexes count from 0. */
export class ProcessCluster {
  readonly #members: ProcessMember[];
  readonly #children: (ChildProcess | undefined)[];
  readonly #token: string;

  private constructor(members: readonly ProcessMember[], token: string) {
    this.#members = [...members];
    this.#token = token;
    this.#children = members.map(() => undefined);
  }

  /**
   * Lays out a cluster; member i keeps its data in `dataDirs[i]`. Nothing runs yet.
   *
   * @param logFolder - where the members' output goes: beside their data when absent
   */
  static async create(
    dataDirs: readonly string[],
    extraArgs: readonly string[] = [],
    logFolder?: string,
  ): Promise<ProcessCluster> {
    const ports = await freePorts(dataDirs.length * 3);
    const places = dataDirs.map((dataDir, i) => ({
      name: `n${i + 1}`,
      dataDir,
      clientPort: ports[3 * i] ?? 0,
      peerPort: ports[3 * i + 1] ?? 0,
      metricsPort: ports[3 * i + 2] ?? 0,
      extraArgs,
      logFile: join(logFolder ?? dirname(dataDir), `n${i + 1}.log`),
    }));
    const initialCluster = places.map(clusterEntry).join(',');
    const members = places.map((place) => ({
      ...place,
      initialCluster,
      initialClusterState: 'new' as const,
    }));
    return new ProcessCluster(members, `test-${ports[0] ?? 0}`);
  }

  /**
   * Lays out one more member, which joins the existing cluster of those in `others`; returns its
   * index. It has to be added to the cluster by a call before it is started.
   */
  async lay(dataDir: string, others: readonly number[]): Promise<number> {
    const i = this.#members.length;
    const [clientPort = 0, peerPort = 0, metricsPort = 0] = await freePorts(3);
    const place = { name: `n${i + 1}`, dataDir, clientPort, peerPort, metricsPort };
    const present = others.flatMap((each) => this.#members[each] ?? []);
    this.#members.push({
      ...place,
      extraArgs: this.#members[0]?.extraArgs ?? [],
      logFile: join(dirname(dataDir), `n${i + 1}.log`),
      initialCluster: [...present, place].map(clusterEntry).join(','),
      initialClusterState: 'existing',
    });
    this.#children.push(undefined);
    return i;
  }

  /** Value of `--initial-cluster-token`. */
  get token(): string {
    return this.#token;
  }

  get members(): readonly ProcessMember[] {
    return this.#members;
  }

  /** Changes how members are started from now on; all must agree on the peers' scheme. */
  reconfigure(changes: (i: number) => Partial<ProcessMember>): void {
    for (const [i, member] of this.#members.entries()) {
      this.#members[i] = { ...member, ...changes(i) };
    }
    const initialCluster = this.#members.map(clusterEntry).join(',');
    for (const [i, member] of this.#members.entries()) {
      this.#members[i] = { ...member, initialCluster };
    }
  }

  /** Under which URL the others reach member `i`. */
  peerUrl(i: number): string {
    const member = this.#members[i];
    return member === undefined ? '' : peerUrlOf(member);
  }

  /** What member `i` has written so far, to both of its outputs. */
  async output(i: number): Promise<string> {
    return readFile(this.#members[i]?.logFile ?? '', 'utf8');
  }

  /** Waits for the end of member `i`, which ends by itself; undefined if it still runs by then. */
  async ended(i: number, timeoutMs: number): Promise<number | undefined> {
    const child = this.#children[i];
    if (child === undefined || !this.isRunning(i)) {
      return child?.exitCode ?? undefined;
    }
    const controller = new AbortController();
    const { signal } = controller;
    await Promise.race([
      once(child, 'close', { signal }).catch(() => undefined),
      sleep(timeoutMs, undefined, { signal }).catch(() => undefined),
    ]);
    controller.abort();
    return child.exitCode ?? undefined;
  }

  get endpoints(): string[] {
    return this.members.map((member) => `127.0.0.1:${member.clientPort}`);
  }

  pid(i: number): number | undefined {
    return this.#children[i]?.pid;
  }

  isRunning(i: number): boolean {
    const child = this.#children[i];
    return child?.exitCode === null && child.signalCode === null;
  }

  /** Starts member `i`; its output goes to its log file. */
  async start(i: number, launcher: readonly string[] = []): Promise<void> {
    const member = this.members[i];
    if (member === undefined || this.isRunning(i)) {
      throw new Error(`member ${i} cannot be started`);
    }
    await mkdir(member.dataDir, { recursive: true });
    const [command = '', ...args] = [...launcher, process.execPath, binary, ...this.#args(member)];
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const log = createWriteStream(member.logFile, { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    this.#children[i] = child;
    await once(child, 'spawn');
  }

  async startAll(): Promise<void> {
    await Promise.all(this.members.map(async (_, i) => this.start(i)));
  }

  /** Sends a signal to member `i` and, unless it lives on, waits for its end. */
  async signal(i: number, signal: NodeJS.Signals): Promise<void> {
    const child = this.#children[i];
    if (child === undefined || !this.isRunning(i)) {
      return;
    }
    child.kill(signal);
    const endsIt = !['SIGSTOP', 'SIGCONT', 'SIGHUP'].includes(signal);
    if (endsIt && this.isRunning(i)) {
      await once(child, 'exit');
    }
  }

  async killAll(): Promise<void> {
    await Promise.all(this.members.map(async (_, i) => this.signal(i, 'SIGKILL')));
  }

  /** Ends every member: SIGTERM first, SIGKILL after 10 s. */
  async stopAll(): Promise<void> {
    await Promise.all(
      this.members.map(async (_, i) => {
        const child = this.#children[i];
        if (child === undefined || !this.isRunning(i)) {
          return;
        }
        child.kill('SIGTERM');
        const controller = new AbortController();
        await Promise.race([
          once(child, 'exit', { signal: controller.signal }),
          sleep(10_000, undefined, { signal: controller.signal }),
        ]);
        controller.abort();
        await this.signal(i, 'SIGKILL');
      }),
    );
  }

  #args(member: ProcessMember): string[] {
    const { clientScheme = 'http' } = member;
    const clientUrl = `${clientScheme}://127.0.0.1:${member.clientPort}`;
    return [
      'server',
      `--name=${member.name}`,
      `--data-dir=${member.dataDir}`,
      `--listen-client-urls=${clientUrl}`,
      `--advertise-client-urls=${clientUrl}`,
      `--listen-peer-urls=${peerUrlOf(member)}`,
      `--initial-advertise-peer-urls=${peerUrlOf(member)}`,
      `--initial-cluster=${member.initialCluster}`,
      `--initial-cluster-state=${member.initialClusterState}`,
      `--initial-cluster-token=${this.#token}`,
      `--listen-metrics-urls=${clientScheme}://127.0.0.1:${member.metricsPort}`,
      ...member.extraArgs,
    ];
  }
}

/**
 * Clusters of three that the load generator starts for itself: Holdfast, and Debian's etcd beside
 * it, on free ports of loopback, with their data in a folder that goes with them.
 *
 * Whatever was started is stopped: SIGTERM first, SIGKILL by pid for what does not go; and SIGKILL
 * at once when this process ends in any other way that Node can see.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Authority } from '../../tls/index.ts';
import { ExitError } from '../exit.ts';
import { Access, plainAccess } from './access.ts';
import type { Endpoint } from './connection.ts';
import { findLeader } from './leader.ts';

/** What can be started. */
export type ClusterKind = 'holdfast' | 'etcd';

/** A cluster that runs. */
export interface RunningCluster {
  readonly kind: ClusterKind;
  readonly endpoints: readonly Endpoint[];
  readonly access: Access;
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** What to start. */
export interface ClusterOptions {
  readonly kind: ClusterKind;
  /** Folder for all that it keeps. */
  readonly dataRoot: string;
  /** `tls`: clients and members speak TLS, with certificates that last as long as it. */
  readonly security: 'plain' | 'tls';
}

/** Files by which the members of a cluster speak TLS. */
interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

interface MemberLayout {
  readonly name: string;
  readonly dataDir: string;
  readonly clientUrl: string;
  readonly peerUrl: string;
  readonly metricsUrl: string;
  readonly endpoint: Endpoint;
}

const binary = fileURLToPath(new URL('../../../bin/holdfast', import.meta.url));
const membersMax = 3;
const readyMaxMs = 60_000;
const readyPollMs = 100;
/** Short: their data goes anyway, and etcd spends seconds on handing over leadership. */
const stopMaxMs = 2000;
const outputLinesMax = 20;
const hourMs = 3600 * 1000;
/** Longer than any run. */
const certificateMs = 30 * 24 * hourMs;
const host = '127.0.0.1';

/**
 * Starts a cluster and waits until its members agree on a leader.
 *
 * @throws {ExitError} 1 — a program is missing, or a member ended; with its last words
 */
export async function startCluster(
  { kind, dataRoot, security }: ClusterOptions,
  signal: AbortSignal,
): Promise<RunningCluster> {
  signal.throwIfAborted();
  const folder = join(dataRoot, kind);
  const { access, args } = security === 'tls' ? await secure(folder) : notSecured;
  const members = await layOut(folder, security === 'tls' ? 'https' : 'http');
  const processes = members.map((member) => new MemberProcess(kind, member, members, args));
  const stop = async (): Promise<void> => {
    await Promise.all(processes.map(async (each) => each.stop()));
  };
  try {
    for (const [i, each] of processes.entries()) {
      await mkdir((members[i] as MemberLayout).dataDir, { recursive: true, mode: 0o700 });
      await each.start();
    }
    await waitUntilLed({ members, processes, access }, signal);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    kind,
    endpoints: members.map((member) => member.endpoint),
    access,
    pids: processes.map((each) => each.pid),
    stop,
  };
}

/** The name that tables and messages use. */
export function clusterTitle(kind: ClusterKind): string {
  return kind === 'holdfast' ? 'Holdfast' : 'etcd';
}

/** How a cluster is reached, and the flags that make it so. */
interface Secured {
  readonly access: Access;
  readonly args: readonly string[];
}

const notSecured: Secured = { access: plainAccess, args: [] };

/** Clients check members, members check each other; etcd and Holdfast have the same flags. */
async function secure(folder: string): Promise<Secured> {
  const nowMs = performance.timeOrigin + performance.now();
  const validity = { fromMs: nowMs - hourMs, untilMs: nowMs + certificateMs };
  const authority = Authority.create('holdfast bench', validity);
  const { cert, key } = authority.issue({ commonName: 'member', hosts: [host], validity });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = (name: string): string => join(folder, name);
  const files: TlsFiles = { ca: path('ca.pem'), cert: path('cert.pem'), key: path('key.pem') };
  await writeFile(files.ca, authority.pem);
  await writeFile(files.cert, cert);
  await writeFile(files.key, key, { mode: 0o600 });
  return {
    access: new Access({ ca: Buffer.from(authority.pem), cert: undefined, key: undefined }),
    args: [
      ...[`--cert-file=${files.cert}`, `--key-file=${files.key}`],
      ...[`--peer-cert-file=${files.cert}`, `--peer-key-file=${files.key}`],
      ...[`--peer-trusted-ca-file=${files.ca}`, '--peer-client-cert-auth'],
    ],
  };
}

async function layOut(folder: string, scheme: string): Promise<readonly MemberLayout[]> {
  const ports = await freePorts(membersMax * 3);
  const url = (port: number, as = scheme): string => `${as}://${host}:${port}`;
  return Array.from({ length: membersMax }, (_, i): MemberLayout => {
    const [client = 0, peer = 0, metrics = 0] = ports.slice(3 * i);
    return {
      name: `n${i + 1}`,
      dataDir: join(folder, `n${i + 1}`),
      clientUrl: url(client),
      peerUrl: url(peer),
      metricsUrl: url(metrics, 'http'),
      endpoint: { host, port: client },
    };
  });
}

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, host);
      await once(server, 'listening');
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  return ports;
}

/** One member as a process. */
class MemberProcess {
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #title: string;
  readonly #killAtExit = (): void => {
    this.#child?.kill('SIGKILL');
  };
  #child: ChildProcess | undefined;
  #output: string[] = [];

  constructor(
    kind: ClusterKind,
    member: MemberLayout,
    members: readonly MemberLayout[],
    tlsArgs: readonly string[],
  ) {
    this.#title = `${clusterTitle(kind)}'s member ${member.name}`;
    this.#command = kind === 'holdfast' ? process.execPath : 'etcd';
    const args = kind === 'holdfast' ? holdfastArgs(member, members) : etcdArgs(member, members);
    this.#args = [...args, ...tlsArgs];
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async start(): Promise<void> {
    // A process group of its own: Ctrl-C reaches this process alone, which stops the members.
    const child = spawn(this.#command, this.#args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    process.once('exit', this.#killAtExit);
    child.once('exit', () => {
      process.removeListener('exit', this.#killAtExit);
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output = [...this.#output, ...text.split('\n')].slice(-outputLinesMax);
      });
    }
    try {
      await once(child, 'spawn');
    } catch (error) {
      process.removeListener('exit', this.#killAtExit);
      throw startError(this.#command, error as NodeJS.ErrnoException);
    }
    this.#child = child;
  }

  /** @throws {ExitError} 1 — the member is not there any more */
  checkRunning(): void {
    if (!this.#isRunning()) {
      const words = this.#output.filter((line) => line !== '').map((line) => `  ${line}`);
      throw new ExitError(
        1,
        [`holdfast bench: ${this.#title} has ended by itself; its last words:`, ...words].join(
          '\n',
        ),
      );
    }
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.#isRunning()) {
      return;
    }
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
    }, stopMaxMs);
    await exited;
    clearTimeout(timer);
  }

  #isRunning(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null;
  }
}

function startError(command: string, error: NodeJS.ErrnoException): ExitError {
  const isMissing = error.code === 'ENOENT' && command === 'etcd';
  return new ExitError(
    1,
    isMissing
      ? 'holdfast bench: there is no etcd to compare with. Install it (Debian, Ubuntu: ' +
          '`apt-get install etcd-server`), or put the program `etcd` into PATH.'
      : `holdfast bench: ${command} cannot be started: ${error.message}`,
  );
}

function holdfastArgs(member: MemberLayout, members: readonly MemberLayout[]): readonly string[] {
  return [
    binary,
    'server',
    ...sharedArgs(member, members),
    `--listen-metrics-urls=${member.metricsUrl}`,
    '--log-level=warn',
    '--log-format=json',
  ];
}

function etcdArgs(member: MemberLayout, members: readonly MemberLayout[]): readonly string[] {
  return [...sharedArgs(member, members), '--logger=zap', '--log-level=error'];
}

function sharedArgs(member: MemberLayout, members: readonly MemberLayout[]): readonly string[] {
  return [
    `--name=${member.name}`,
    `--data-dir=${member.dataDir}`,
    `--listen-client-urls=${member.clientUrl}`,
    `--advertise-client-urls=${member.clientUrl}`,
    `--listen-peer-urls=${member.peerUrl}`,
    `--initial-advertise-peer-urls=${member.peerUrl}`,
    `--initial-cluster=${members.map((each) => `${each.name}=${each.peerUrl}`).join(',')}`,
    `--initial-cluster-token=bench-${members[0]?.endpoint.port ?? 0}`,
  ];
}

interface StartingCluster {
  readonly members: readonly MemberLayout[];
  readonly processes: readonly MemberProcess[];
  readonly access: Access;
}

async function waitUntilLed(
  { members, processes, access }: StartingCluster,
  signal: AbortSignal,
): Promise<void> {
  const endpoints = members.map((member) => member.endpoint);
  const endMs = performance.now() + readyMaxMs;
  for (;;) {
    for (const each of processes) {
      each.checkRunning();
    }
    const leader = await findLeader(endpoints, access).catch(
      // Not listening yet: that is what is being waited for.
      () => undefined,
    );
    if (leader !== undefined) {
      return;
    }
    if (performance.now() > endMs) {
      throw new ExitError(
        1,
        `holdfast bench: no leader after ${readyMaxMs / 1000} s; is the machine overloaded?`,
      );
    }
    await sleep(readyPollMs, undefined, { signal });
  }
}

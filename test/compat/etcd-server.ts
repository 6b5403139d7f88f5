/**
 * The reference that Holdfast is compared with: Debian's etcd 3.4, on loopback, with its data in a
 * folder that goes when it stops.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from '../../src/base/index.ts';
import { connectKv } from '../harness/kv-client.ts';
import { freePorts } from '../harness/processes.ts';

const readyTimeoutMs = 30_000;

/** Members of a real etcd cluster; indexes count from 0. */
export interface EtcdServer {
  /** Client addresses, `host:port`. */
  readonly endpoints: readonly string[];
  /** Kills member `i` and waits for its end. */
  kill(i: number): Promise<void>;
  /** Kills member `i` and starts it again with its data; does not wait until it serves. */
  restart(i: number): Promise<void>;
  /** Ends all members and removes their data. */
  stop(): Promise<void>;
}

/**
 * Whether there is an etcd to compare with. Without one the comparisons are left out, loudly; in CI
 * that is an error, so that they cannot go missing there.
 */
export function hasEtcd(): boolean {
  const missing = [
    ...(versionOf('etcd', ['--version']).includes('etcd Version: 3.4') ? [] : ['etcd 3.4']),
    ...(versionOf('etcdctl', ['version']).includes('etcdctl version: 3.4') ? [] : ['etcdctl 3.4']),
  ];
  if (missing.length === 0) {
    return true;
  }
  const problem = `${missing.join(' and ')} not found (apt-get install etcd-server etcd-client)`;
  if (process.env['CI'] !== undefined) {
    throw new Error(`cannot compare with etcd: ${problem}`);
  }
  // eslint-disable-next-line no-console -- whoever runs the tests must see what they do not test
  console.warn(`\n*** NOT COMPARED WITH ETCD: ${problem} ***\n`);
  return false;
}

function versionOf(command: string, args: readonly string[]): string {
  try {
    const env = { PATH: process.env['PATH'], ETCDCTL_API: '3' };
    return execFileSync(command, args, { env, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    return `${command} cannot be run: ${String(error)}`;
  }
}

/** Starts an etcd cluster and waits until it serves linearizable reads. */
export async function startEtcd(
  memberCount = 1,
  extraArgs: readonly string[] = [],
): Promise<EtcdServer> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-etcd-'));
  const ports = await freePorts(2 * memberCount);
  const members = Array.from({ length: memberCount }, (_, i) => ({
    name: `e${i + 1}`,
    clientUrl: `http://127.0.0.1:${ports[2 * i] ?? 0}`,
    peerUrl: `http://127.0.0.1:${ports[2 * i + 1] ?? 0}`,
  }));
  const cluster = members.map(({ name, peerUrl }) => `${name}=${peerUrl}`).join(',');
  const startMember = ({ name, clientUrl, peerUrl }: (typeof members)[number]): ChildProcess => {
    const args = [
      `--name=${name}`,
      `--data-dir=${join(directory, name)}`,
      `--listen-client-urls=${clientUrl}`,
      `--advertise-client-urls=${clientUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=${cluster}`,
      '--logger=zap',
      '--log-level=warn',
      ...extraArgs,
    ];
    const child = spawn('etcd', args, { stdio: ['ignore', 'pipe', 'pipe'], env: etcdEnv() });
    const log = createWriteStream(join(directory, `${name}.log`));
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    return child;
  };
  const children = members.map(startMember);
  const server: EtcdServer = {
    endpoints: members.map(({ clientUrl }) => clientUrl.replace('http://', '')),
    async kill(i) {
      await endChild(children[i]);
    },
    async restart(i) {
      await endChild(children[i]);
      children[i] = startMember(must(members[i], `member ${i}`));
    },
    async stop() {
      await Promise.all(children.map(endChild));
      await rm(directory, { recursive: true, force: true });
    },
  };
  try {
    await Promise.all(server.endpoints.map(waitUntilReady));
  } catch (error) {
    const log = await readFile(join(directory, 'e1.log'), 'utf8');
    await server.stop();
    throw new Error(`etcd does not come up; its log:\n${log.slice(-2000)}`, { cause: error });
  }
  return server;
}

/** The environment without settings of etcd or etcdctl that would change what they do. */
function etcdEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] };
}

/** Waits until `endpoint` (`host:port`) serves linearizable reads. */
export async function waitUntilReady(endpoint: string): Promise<void> {
  const client = connectKv(endpoint);
  try {
    await client.waitUntilReady(readyTimeoutMs);
  } finally {
    client.close();
  }
}

async function endChild(child: ChildProcess | undefined): Promise<void> {
  if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}

/**
 * `holdfast dev`: a cluster of processes on this machine, for trying things out and for
 * development.
 *
 * Data is kept between runs. Ctrl-C stops all of them cleanly; if one ends by itself the others go
 * on, which is what a cluster is for, and a line says so.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { formatLogLine } from '../observability/index.ts';
import { lockFolder } from '../storage/index.ts';
import { ExitError } from './exit.ts';
import { loadConfig } from './load-config.ts';
import type { ServerFlagName } from './server-flags.ts';

const binary = fileURLToPath(new URL('../../bin/holdfast', import.meta.url));
/** Distance between the ports of two members. */
const portStep = 10_000;
const firstPortStep = 20_000;
/** What a member’s data directory holds, some of it at least. */
const memberFiles: readonly string[] = ['member.json', 'wal', 'engine', 'lock'];
const readyPollMs = 100;
const readyTimeoutMs = 60_000;

interface DevMember {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  readonly metricsPort: number;
  readonly dataDir: string;
}

/** Flags of a member, by name without dashes. */
type MemberFlags = Readonly<Partial<Record<ServerFlagName, string>>> & { readonly name: string };

/** Settings of the cluster. */
export interface DevOptions {
  readonly nodes: number;
  readonly dataDir: string;
  readonly clientPort: number;
  readonly fresh?: boolean;
  readonly logLevel: string;
}

/**
 * Runs the cluster until it is told to stop.
 *
 * @throws {ExitError} it cannot start, or no member is left
 */
export async function runDev(options: DevOptions): Promise<void> {
  const dataDir = resolve(options.dataDir);
  const members = layOut(options.nodes, options.clientPort, dataDir);
  const flags = members.map((member) => flagsOf(member, members, options.logLevel));
  for (const each of flags) {
    // Members have our environment: what it says to them is checked with their flags.
    loadConfig({ flags: each, env: process.env });
  }
  await checkPorts(members);
  await prepareFolders(dataDir, members, options.fresh === true);
  await runCluster(members, flags);
}

/** Client ports 2379, 22379, 32379, …; peers one above, metrics two above. */
function layOut(nodes: number, firstPort: number, dataDir: string): readonly DevMember[] {
  return Array.from({ length: nodes }, (_, i) => {
    const clientPort = i === 0 ? firstPort : firstPort + firstPortStep + (i - 1) * portStep;
    if (clientPort + 2 > 65_535) {
      throw new ExitError(
        2,
        `holdfast: member ${i + 1} would need port ${clientPort + 2}; ` +
          'use fewer nodes or a lower --client-port',
      );
    }
    const name = `n${i + 1}`;
    return {
      name,
      clientPort,
      peerPort: clientPort + 1,
      metricsPort: clientPort + 2,
      dataDir: join(dataDir, name),
    };
  });
}

/** Says which port is taken before anything is started. */
async function checkPorts(members: readonly DevMember[]): Promise<void> {
  for (const { name, clientPort, peerPort, metricsPort } of members) {
    for (const port of [clientPort, peerPort, metricsPort]) {
      const server = createServer();
      server.listen(port, '127.0.0.1');
      try {
        await once(server, 'listening');
      } catch (error) {
        throw new ExitError(
          1,
          `holdfast: port ${port}, which ${name} needs, cannot be used: ` +
            `${(error as Error).message}. Is another cluster running? ` +
            'Choose another --client-port.',
        );
      }
      server.close();
      await once(server, 'close');
    }
  }
}

/** @throws {ExitError} when a folder cannot be made or emptied, or belongs to a running member */
async function prepareFolders(
  dataDir: string,
  members: readonly DevMember[],
  isFresh: boolean,
): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true });
    for (const member of isFresh ? members : []) {
      await removeMember(member.dataDir);
    }
  } catch (error) {
    const reason = (error as Error).message.replace(/\.$/, '');
    throw new ExitError(1, `holdfast: ${reason}. Name another folder with --data-dir.`);
  }
}

/** Removes a member's data; nothing else, and none in use, whatever `--data-dir` says. */
async function removeMember(folder: string): Promise<void> {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  if (names.length === 0) {
    return;
  }
  if (!memberFiles.some((name) => names.includes(name))) {
    throw new Error(`${folder} is not a member’s data, so it is not removed`);
  }
  const lock = await lockFolder(folder);
  try {
    await rm(folder, { recursive: true });
  } finally {
    await lock.release();
  }
}

async function runCluster(
  members: readonly DevMember[],
  flags: readonly MemberFlags[],
): Promise<void> {
  const out = process.stdout;
  // Whoever read the output may be gone; the members must be stopped in good order all the same.
  out.on('error', () => undefined);
  const children = flags.map(startMember);
  let isStopping = false;
  for (const [i, child] of children.entries()) {
    child.once('exit', (code, signal) => {
      if (!isStopping) {
        const how = signal ?? `exit code ${code ?? ''}`;
        out.write(`${members[i]?.name ?? ''} has ended by itself (${how})\n`);
      }
    });
  }
  const stopped = firstSignal(children);
  const allGone = Promise.all(children.map(async (child) => once(child, 'exit')));
  waitUntilReady(members, () => isStopping).then(
    (name) => {
      if (name !== undefined) {
        out.write(welcome(members, name));
      }
    },
    (error: unknown) => {
      out.write(`${String(error)}\n`);
    },
  );
  const reason = await Promise.race([stopped.then(() => 'signal'), allGone.then(() => 'gone')]);
  isStopping = true;
  if (reason === 'gone') {
    throw new ExitError(
      1,
      'holdfast: no member is left; the lines above say why. If they speak of another cluster: ' +
        'its data was made with other --nodes or ports; choose another --data-dir, or --fresh.',
    );
  }
  out.write('stopping …\n');
  await Promise.all(children.map(stopMember));
  out.write('stopped\n');
}

/** Resolves at Ctrl-C, a request to end, or the terminal's end; a second one kills the members. */
async function firstSignal(children: readonly ChildProcess[]): Promise<void> {
  return new Promise((resolve) => {
    let isFirst = true;
    const onSignal = (): void => {
      if (isFirst) {
        isFirst = false;
        resolve();
      } else {
        for (const child of children) {
          child.kill('SIGKILL');
        }
      }
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, onSignal);
    }
  });
}

function flagsOf(member: DevMember, members: readonly DevMember[], logLevel: string): MemberFlags {
  const url = (port: number): string => `http://127.0.0.1:${port}`;
  const cluster = members.map((each) => `${each.name}=${url(each.peerPort)}`).join(',');
  return {
    name: member.name,
    'data-dir': member.dataDir,
    'listen-client-urls': url(member.clientPort),
    'listen-peer-urls': url(member.peerPort),
    'listen-metrics-urls': url(member.metricsPort),
    'initial-cluster': cluster,
    'initial-cluster-token': 'holdfast-dev',
    'log-level': logLevel,
    'log-format': 'json',
  };
}

function startMember(flags: MemberFlags): ChildProcess {
  const child = spawn(
    process.execPath,
    [binary, 'server', ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)],
    // A process group of its own: Ctrl-C reaches this process alone, which stops the members in
    // good order.
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      process.stdout.write(`${flags.name} ${line.startsWith('{') ? formatLogLine(line) : line}\n`);
    });
  }
  return child;
}

async function stopMember(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
}

/** The leader's name once every member is ready; undefined when the cluster stops first. */
async function waitUntilReady(
  members: readonly DevMember[],
  isStopping: () => boolean,
): Promise<string | undefined> {
  const endMs = performance.now() + readyTimeoutMs;
  while (performance.now() < endMs && !isStopping()) {
    const states = await Promise.all(members.map(async (member) => lookAt(member)));
    if (states.every((state) => state.isReady)) {
      const leader = states.findIndex((state) => state.isLeader);
      if (leader >= 0) {
        return members[leader]?.name;
      }
    }
    await sleep(readyPollMs);
  }
  if (isStopping()) {
    return undefined;
  }
  throw new Error(
    `the cluster is not ready after ${readyTimeoutMs / 1000} s; the lines above may say why`,
  );
}

async function lookAt(member: DevMember): Promise<{ isReady: boolean; isLeader: boolean }> {
  try {
    const base = `http://127.0.0.1:${member.metricsPort}`;
    const ready = await fetch(`${base}/readyz`);
    await ready.text();
    const metrics = ready.ok ? await (await fetch(`${base}/metrics`)).text() : '';
    return { isReady: ready.ok, isLeader: /^holdfast_is_leader 1$/m.test(metrics) };
  } catch {
    // Not listening yet: that is what is being waited for.
    return { isReady: false, isLeader: false };
  }
}

function welcome(members: readonly DevMember[], leader: string): string {
  const endpoints = members.map((member) => `127.0.0.1:${member.clientPort}`).join(',');
  const count = members.length === 1 ? '1 member is' : `${members.length} members are`;
  return [
    `${count} up; ${leader} leads.`,
    `  endpoints  ${endpoints}`,
    `  try        npx holdfast put hello world && npx holdfast get hello`,
    `  or         ETCDCTL_API=3 etcdctl --endpoints=${endpoints} endpoint status -w table`,
    `  metrics    http://127.0.0.1:${members[0]?.metricsPort ?? 0}/metrics`,
    '  Ctrl-C stops them.',
    '',
  ].join('\n');
}

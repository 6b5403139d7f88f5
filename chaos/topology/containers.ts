/**
 * The cluster of `cluster/docker-compose.yml` as a topology: its members are containers of a docker
 * engine, its links the proxies of its own Toxiproxy.
 *
 * It must run, and be empty: what was written before a history begins no check can explain.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../nemesis/tools.ts';
import { Cluster } from './cluster.ts';
import { type LinkName, Links } from './links.ts';
import { type LogEvent, type MemberControl, parseLog } from './member.ts';

const startLimitMs = 60_000;
const callLimitMs = 2000;
/** Seconds that a member has to end before the engine kills it. */
const stopLimitSeconds = 15;
/** Bytes of a container's log. */
const logBytesMax = 64 * 1024 * 1024;

/** Where the compose file publishes its members. */
const published = [
  { name: 'n1', client: 2379, metrics: 2381 },
  { name: 'n2', client: 22379, metrics: 22381 },
  { name: 'n3', client: 32379, metrics: 32381 },
] as const;

async function docker(...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run('docker', args, { maxBuffer: logBytesMax });
  return args[0] === 'logs' ? `${stdout}\n${stderr}` : stdout;
}

/** A member in a container. */
class ContainerMember implements MemberControl {
  readonly name: string;
  readonly place: MemberControl['place'];
  readonly pid = undefined;
  readonly #id: string;
  #isRunning = true;
  #isPaused = false;

  constructor(name: string, id: string, ports: { readonly client: number; metrics: number }) {
    this.name = name;
    this.#id = id;
    this.place = {
      clientAddress: `127.0.0.1:${ports.client}`,
      metricsAddress: `127.0.0.1:${ports.metrics}`,
      peerAddress: `${name}:2380`,
      dataDir: '/data',
    };
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  async start(): Promise<void> {
    await docker('start', this.#id);
    this.#isRunning = true;
  }

  async kill(): Promise<void> {
    await this.resume();
    await docker('kill', this.#id);
    this.#isRunning = false;
  }

  async stop(): Promise<void> {
    await this.resume();
    await docker('stop', '-t', String(stopLimitSeconds), this.#id);
    this.#isRunning = false;
  }

  async pause(): Promise<void> {
    await docker('pause', this.#id);
    this.#isPaused = true;
  }

  async resume(): Promise<void> {
    if (this.#isPaused) {
      await docker('unpause', this.#id);
      this.#isPaused = false;
    }
  }

  expectEnd(): void {
    // The engine tells nobody here when a container ends.
  }

  async hasEnded(limitMs: number): Promise<boolean> {
    const endMs = performance.now() + limitMs;
    while (performance.now() < endMs) {
      const state = await docker('inspect', '-f', '{{.State.Running}}', this.#id);
      if (state.trim() === 'false') {
        this.#isRunning = false;
        return true;
      }
      await sleep(200);
    }
    return false;
  }

  async events(): Promise<readonly LogEvent[]> {
    return parseLog(await docker('logs', this.#id));
  }
}

async function containerOf(name: string): Promise<string> {
  const filters = ['--filter', `label=com.docker.compose.service=${name}`];
  const found = (await docker('ps', '-q', ...filters)).trim();
  if (!/^[0-9a-f]+$/.test(found)) {
    throw new Error(
      `there must be one running container of the service ${name}: ` +
        'cd cluster && docker compose up -d --build',
    );
  }
  return found;
}

/** @throws {Error} it does not run, serves nobody, or holds data. */
export async function attachContainers(toxiproxyUrl: string): Promise<Cluster> {
  const links = new Links(toxiproxyUrl, '');
  const members: ContainerMember[] = [];
  const clientAddresses: string[] = [];
  for (const { name, ...ports } of published) {
    members.push(new ContainerMember(name, await containerOf(name), ports));
    clientAddresses.push(await links.adopt(`clients>${name}`));
    for (const { name: other } of published) {
      if (other !== name) {
        const link: LinkName = `${name}>${other}`;
        await links.adopt(link);
      }
    }
  }
  await links.heal();
  const cluster = Cluster.attach(links, members, clientAddresses);
  const leader = await cluster.waitForLeader(startLimitMs);
  const { header } = await cluster.operator(leader).status(callLimitMs);
  if (header?.revision !== '1') {
    await cluster.stop(true);
    throw new Error(
      `the cluster holds data (revision ${header?.revision ?? 'unknown'}), and a game day begins ` +
        'with an empty one: docker compose down -v && docker compose up -d',
    );
  }
  return cluster;
}

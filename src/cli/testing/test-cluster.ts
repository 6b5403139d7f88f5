/**
 * A cluster for tests, in this process: real members on loopback, their data in a temporary folder.
 *
 * It is ready when it is returned: a leader has been elected and answers. Its members are as fast
 * as those of production but in one thing: they miss a leader sooner, so that a test that kills one
 * waits for a third of a second and not for one. When it is stopped nothing is left: no folder, no
 * connection, no timer.
 *
 * It does not show what needs a process or a machine of its own: a power cut, a stopped process, a
 * network that drops messages. `chaos/` is for those.
 */
import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KvError } from '../../base/index.ts';
import {
  type Codec,
  codecs,
  Holdfast,
  HoldfastError,
  type HoldfastOptions,
} from '../../client/index.ts';
import { createLogger } from '../../observability/index.ts';
import { readServerConfig, type ServerConfig } from '../server-config.ts';
import { type ServerFlagName, serverFlags } from '../server-flags.ts';
import { freePorts } from './free-ports.ts';
import { TestMember } from './test-member.ts';

/** Settings that the cluster chooses itself. */
const ownSettings = [
  ...['name', 'data-dir', 'listen-client-urls', 'advertise-client-urls', 'listen-peer-urls'],
  ...['initial-advertise-peer-urls', 'initial-cluster', 'initial-cluster-state'],
  ...['initial-cluster-token', 'listen-metrics-urls'],
] as const;

/** What a test cluster is made from. */
export interface TestClusterOptions {
  /** Number of members: 1 to 7; 3 when absent. */
  readonly nodes?: number | undefined;
  /**
   * Flags of `holdfast server` that differ from their defaults, without dashes, as in
   * `{ 'quota-backend-bytes': '16777216' }`.
   */
  readonly settings?: Readonly<Partial<Record<ServerFlagName, string>>> | undefined;
  /** What the members write to stderr; `silent` when absent. */
  readonly logLevel?: ServerConfig['logLevel'] | undefined;
}

const nodesDefault = 3;
const nodesMax = 7;
/** Milliseconds: elections are short, but longer than what a busy test holds this process up. */
const timing = { 'heartbeat-interval': '30', 'election-timeout': '300' } as const;
/** Limit: how often other ports are tried when somebody else was faster to take one. */
const startsMax = 5;
/** Limit: how long a leader is waited for, milliseconds; dozens of elections. */
const leaderTimeoutMs = 10_000;
/** Milliseconds between two looks at who leads. */
const leaderPollMs = 5;

/**
 * Starts a cluster and waits until it serves.
 *
 * @throws {HoldfastError} CONFIG_INVALID — with every mistake in the options.
 */
export async function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  checkOptions(options);
  for (let starts = 1; ; starts++) {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
    const cluster = new TestCluster(folder, await layOut(folder, options));
    try {
      await cluster.start();
      return cluster;
    } catch (error) {
      await cluster.stop();
      const isPortTaken = error instanceof KvError && error.code === 'CONFIG_INVALID';
      if (!isPortTaken || starts === startsMax) {
        throw error;
      }
    }
  }
}

/** See the module comment. */
export class TestCluster implements AsyncDisposable {
  readonly members: readonly TestMember[];
  readonly #folder: string;
  readonly #clients = new Set<AsyncDisposable>();
  #stopped: Promise<void> | undefined;
  readonly #atExit = (): void => {
    rmSync(this.#folder, { recursive: true, force: true });
  };

  /** @internal */
  constructor(folder: string, members: readonly TestMember[]) {
    this.#folder = folder;
    this.members = members;
    // For a test that ends the process without a word.
    process.once('exit', this.#atExit);
  }

  /** `host:port` of each member, also of those that are down. */
  get endpoints(): readonly string[] {
    return this.members.map(({ endpoint }) => endpoint);
  }

  /** A client of this cluster; it is closed with the cluster, if not before. */
  client(options?: Omit<HoldfastOptions, 'endpoints'>): Holdfast;
  client<V>(options: Omit<HoldfastOptions<V>, 'endpoints'> & { codec: Codec<V> }): Holdfast<V>;
  client<V>(options: Omit<HoldfastOptions<V>, 'endpoints'> = {}): Holdfast<V> {
    // Without a codec V is string, as the first signature says.
    const { codec = codecs.string as unknown as Codec<V> } = options;
    const client = new Holdfast<V>({ ...options, codec, endpoints: this.endpoints });
    this.#clients.add(client);
    return client;
  }

  /**
   * The member that leads, as soon as there is one.
   *
   * @throws {Error} none within ten seconds: is a majority of the members running?
   */
  async leader(): Promise<TestMember> {
    const endMs = performance.now() + leaderTimeoutMs;
    for (;;) {
      const leader = this.#leader();
      if (leader !== undefined) {
        return leader;
      }
      if (performance.now() > endMs) {
        const running = this.members.filter(({ isRunning }) => isRunning).length;
        const count = `${running} of ${this.members.length} members run`;
        throw new Error(`no leader within ${leaderTimeoutMs} ms; ${count}`);
      }
      await sleep(leaderPollMs);
    }
  }

  /** @internal Starts all members; one that has a leader to hear from serves. */
  async start(): Promise<void> {
    const starts = await Promise.allSettled(this.members.map(async (member) => member.start()));
    const failed = starts.find(({ status }) => status === 'rejected');
    if (failed?.status === 'rejected') {
      throw failed.reason;
    }
    await this.leader();
    await Promise.all(this.members.map(async ({ api }) => api?.confirmRead()));
  }

  /** Closes the clients, ends the members and removes their data. Again it does nothing. */
  async stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Of two that say so the one of the later term: the other one has not heard of it yet. */
  #leader(): TestMember | undefined {
    const term = ({ api }: TestMember): number => api?.term ?? 0;
    return this.members.filter(({ isLeader }) => isLeader).sort((a, b) => term(b) - term(a))[0];
  }

  /** Nothing of it is needed any more, so nothing waits for good order. */
  async #stop(): Promise<void> {
    await Promise.all([...this.#clients].map(async (client) => client[Symbol.asyncDispose]()));
    const ends = await Promise.allSettled(this.members.map(async (member) => member.kill()));
    await rm(this.#folder, { recursive: true, force: true });
    process.off('exit', this.#atExit);
    const failures = ends.flatMap((end): unknown[] =>
      end.status === 'rejected' ? [end.reason] : [],
    );
    if (failures.length > 0) {
      throw new AggregateError(failures, 'members of the test cluster failed');
    }
  }
}

function checkOptions({ nodes = nodesDefault, settings = {} }: TestClusterOptions): void {
  const mistakes: string[] = [];
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > nodesMax) {
    mistakes.push(`nodes is ${nodes}: give a whole number from 1 to ${nodesMax}`);
  }
  for (const name of Object.keys(settings)) {
    if ((ownSettings as readonly string[]).includes(name)) {
      mistakes.push(`settings: "${name}" is chosen by the test cluster`);
    } else if (!serverFlags.some((flag) => flag.name === name)) {
      mistakes.push(`settings: "${name}" is no flag of \`holdfast server\``);
    }
  }
  if (mistakes.length > 0) {
    throw new HoldfastError('CONFIG_INVALID', `test cluster: ${mistakes.join('; ')}`);
  }
}

async function layOut(
  folder: string,
  { nodes = nodesDefault, settings = {}, logLevel = 'silent' }: TestClusterOptions,
): Promise<readonly TestMember[]> {
  const ports = await freePorts(2 * nodes);
  const places = Array.from({ length: nodes }, (_, i) => ({
    name: `n${i + 1}`,
    endpoint: `127.0.0.1:${ports[2 * i] ?? 0}`,
    peerUrl: `http://127.0.0.1:${ports[2 * i + 1] ?? 0}`,
  }));
  return places.map(({ name, endpoint, peerUrl }) => {
    const result = readServerConfig({
      flags: {
        ...timing,
        ...settings,
        name,
        'data-dir': join(folder, name),
        'listen-client-urls': `http://${endpoint}`,
        'listen-peer-urls': peerUrl,
        'listen-metrics-urls': '',
        'initial-cluster': places.map((each) => `${each.name}=${each.peerUrl}`).join(','),
        'initial-cluster-token': folder,
        'log-level': logLevel,
      },
      env: {},
    });
    if (result.kind === 'invalid') {
      throw new HoldfastError('CONFIG_INVALID', `test cluster: ${result.problems.join('; ')}`);
    }
    const logging = { level: logLevel, format: 'auto', fields: { member: name } } as const;
    const logger = createLogger(logging, process.stderr);
    return new TestMember({ config: result.config, endpoint, logger });
  });
}

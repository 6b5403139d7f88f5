/**
 * A cluster of real processes on loopback whose every link runs through a proxy: `n1>n2` is what n1
 * sends to n2, `clients>n1` is where n1's clients dial.
 *
 * Operators' connections lead to the members themselves: what observes a fault must not be hit by
 * it.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../src/cli/testing/free-ports.ts';
import { MemberConnection } from '../connection.ts';
import type { LinkName } from './links.ts';
import { Links } from './links.ts';
import { type EnvOf, type MemberControl, type MemberPlace, MemberProcess } from './member.ts';
import { holdfastCommand } from './project.ts';

/** How members confirm reads, see `--read-mode`. */
export type ReadMode = 'read-index' | 'lease';

/** What a cluster is like. */
export interface ClusterOptions {
  readonly size: number;
  /** Logs go here. */
  readonly directory: string;
  /** Where each member keeps its data; in `directory` when left out. */
  readonly dataDirs?: readonly string[] | undefined;
  /** More environment for the members' processes. */
  readonly envOf?: EnvOf | undefined;
  readonly readMode?: ReadMode | undefined;
  readonly toxiproxyUrl: string;
  /** What members run; this project's own when left out. */
  readonly command?: string | undefined;
  /** Keeps the names of proxies apart. */
  readonly prefix: string;
  readonly onCrash: (member: string, how: string) => void;
  /** Fills the members' data directories before they start, from a backup say. */
  readonly fill?: ((plan: MemberPlan) => Promise<void>) | undefined;
}

/** What whoever fills a data directory must know of the cluster that starts from it. */
export interface MemberPlan {
  readonly name: string;
  readonly dataDir: string;
  readonly initialCluster: string;
  readonly token: string;
  readonly peerUrl: string;
}

/** Settings that make rare things happen in a short run: snapshots, and catching up from them. */
const serverArgs = [
  '--snapshot-count=1500',
  '--snapshot-catchup-entries=300',
  '--log-format=json',
  '--log-level=info',
];

const pollMs = 20;
const callLimitMs = 1000;

interface Ports {
  readonly name: string;
  readonly client: number;
  readonly peer: number;
  readonly metrics: number;
}

/** See the module comment. */
export class Cluster {
  readonly members: MemberControl[];
  readonly links: Links;
  readonly #clientAddresses: readonly string[];
  readonly #operators: MemberConnection[];
  /** How it was made; undefined: it was there already. */
  readonly #origin: { readonly options: ClusterOptions; readonly token: string } | undefined;

  private constructor(
    links: Links,
    members: readonly MemberControl[],
    clientAddresses: readonly string[],
    origin?: { readonly options: ClusterOptions; readonly token: string },
  ) {
    this.#origin = origin;
    this.links = links;
    this.members = [...members];
    this.#clientAddresses = clientAddresses;
    this.#operators = members.map(
      ({ name, place }) => new MemberConnection(name, place.clientAddress),
    );
  }

  /** A cluster that runs already; `clientAddresses` lead to its members through links. */
  static attach(
    links: Links,
    members: readonly MemberControl[],
    clientAddresses: readonly string[],
  ): Cluster {
    return new Cluster(links, members, clientAddresses);
  }

  /** Creates the links and starts the members. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const { size, toxiproxyUrl, prefix } = options;
    const ports = await choosePorts(1, size);
    const links = new Links(toxiproxyUrl, prefix);
    const initial = ports.map(({ name, peer }) => `${name}=http://127.0.0.1:${peer}`).join(',');
    const token = `chaos-${prefix}`;
    const places: MemberPlace[] = [];
    const clientAddresses: string[] = [];
    for (const [i, own] of ports.entries()) {
      clientAddresses.push(await links.add(`clients>${own.name}`, `127.0.0.1:${own.client}`));
      const dials: string[] = [];
      for (const other of ports) {
        if (other !== own) {
          const link: LinkName = `${own.name}>${other.name}`;
          dials.push(`${other.name}=${await links.add(link, `127.0.0.1:${other.peer}`)}`);
        }
      }
      const dataDir = options.dataDirs?.[i] ?? join(options.directory, own.name);
      const peerUrl = `http://127.0.0.1:${own.peer}`;
      await options.fill?.({ name: own.name, dataDir, initialCluster: initial, token, peerUrl });
      places.push(
        placeOf(options, own, dataDir, [
          `--initial-cluster=${initial}`,
          '--initial-cluster-state=new',
          `--initial-cluster-token=${token}`,
          `--peer-dial=${dials.join(',')}`,
        ]),
      );
    }
    const members = places.map((place) => processOf(options, place));
    const cluster = new Cluster(links, members, clientAddresses, { options, token });
    await Promise.all(cluster.members.map(async (member) => member.start()));
    return cluster;
  }

  get names(): readonly string[] {
    return this.members.map(({ name }) => name);
  }

  member(name: string): MemberControl {
    const found = this.members.find((member) => member.name === name);
    if (found === undefined) {
      throw new Error(`there is no member ${name}`);
    }
    return found;
  }

  /** The direct connection to a member, for observing and administering. */
  operator(name: string): MemberConnection {
    const found = this.#operators.find(({ member }) => member === name);
    if (found === undefined) {
      throw new Error(`there is no member ${name}`);
    }
    return found;
  }

  /** A connection of its own for a client of member `i`, through its link. */
  connect(i: number): MemberConnection {
    return new MemberConnection(this.members[i]?.name ?? '', this.#clientAddresses[i] ?? '');
  }

  /** How many members clients reach through links. */
  get linkedCount(): number {
    return this.#clientAddresses.length;
  }

  /** Lays out one more member and its operator; it is started once the cluster knows of it. */
  async lay(
    dataDir?: string,
  ): Promise<{ readonly member: MemberControl; readonly peerUrl: string }> {
    const [own] = await choosePorts(this.members.length + 1, 1);
    if (own === undefined || this.#origin === undefined) {
      throw new Error('there is no place for another member');
    }
    const { options, token } = this.#origin;
    const peerUrl = `http://127.0.0.1:${own.peer}`;
    const present = this.members.filter((member) => member.isRunning);
    const initial = [
      ...present.map(({ name, place }) => `${name}=http://${place.peerAddress}`),
      `${own.name}=${peerUrl}`,
    ];
    const place = placeOf(options, own, dataDir ?? join(options.directory, own.name), [
      `--initial-cluster=${initial.join(',')}`,
      '--initial-cluster-state=existing',
      `--initial-cluster-token=${token}`,
    ]);
    const member = processOf(options, place);
    this.members.push(member);
    this.#operators.push(new MemberConnection(own.name, place.clientAddress));
    return { member, peerUrl };
  }

  /** The name of the member that leads, by its own word; the one of the highest term. */
  async leader(): Promise<string | undefined> {
    let found: { readonly name: string; readonly term: number } | undefined;
    await Promise.all(
      this.members.map(async ({ name, isRunning, isPaused }) => {
        if (!isRunning || isPaused) {
          return;
        }
        const term = await this.#leadsIn(name);
        if (term !== undefined && term > (found?.term ?? 0)) {
          found = { name, term };
        }
      }),
    );
    return found?.name;
  }

  /** @throws {Error} nobody leads in time. */
  async waitForLeader(limitMs: number): Promise<string> {
    const endMs = performance.now() + limitMs;
    while (performance.now() < endMs) {
      const leader = await this.leader();
      if (leader !== undefined) {
        return leader;
      }
      await sleep(pollMs);
    }
    throw new Error(`no member leads after ${limitMs} ms`);
  }

  /**
   * Ends the processes and the proxies, and removes the data unless it is to be kept. A cluster
   * that was there before stays, with its links healed.
   */
  async stop(keepsData: boolean): Promise<void> {
    for (const operator of this.#operators) {
      operator.close();
    }
    if (this.#origin === undefined) {
      await this.links.heal();
      return;
    }
    await Promise.all(this.members.map(async (member) => member.stop()));
    await this.links.remove();
    if (!keepsData) {
      await Promise.all(
        this.members.map(async ({ place }) => rm(place.dataDir, { recursive: true, force: true })),
      );
    }
  }

  async #leadsIn(name: string): Promise<number | undefined> {
    try {
      const { leader, header, raftTerm } = await this.operator(name).status(callLimitMs);
      return leader !== '0' && leader === header?.member_id ? Number(raftTerm) : undefined;
    } catch {
      // One that does not answer does not lead, as far as anybody can tell.
      return undefined;
    }
  }
}

function processOf(
  { envOf = () => ({}), onCrash }: ClusterOptions,
  place: MemberPlace,
): MemberProcess {
  return new MemberProcess(place, envOf, (how) => {
    onCrash(place.name, how);
  });
}

/** The name of a cluster's member, counted from 1. */
export function memberName(serial: number): string {
  return `n${serial}`;
}

async function choosePorts(first: number, count: number): Promise<readonly Ports[]> {
  const ports = await freePorts(3 * count);
  return Array.from({ length: count }, (_, i) => ({
    name: memberName(first + i),
    client: ports[3 * i] ?? 0,
    peer: ports[3 * i + 1] ?? 0,
    metrics: ports[3 * i + 2] ?? 0,
  }));
}

function placeOf(
  { directory, command = holdfastCommand, readMode }: ClusterOptions,
  { name, client, peer, metrics }: Ports,
  dataDir: string,
  args: readonly string[],
): MemberPlace {
  const [clientAddress, peerAddress, metricsAddress] = [client, peer, metrics].map(
    (port) => `127.0.0.1:${port}`,
  ) as [string, string, string];
  return {
    name,
    dataDir,
    command,
    logFile: join(directory, `${name}.log`),
    clientAddress,
    peerAddress,
    metricsAddress,
    args: [
      `--name=${name}`,
      `--data-dir=${dataDir}`,
      `--listen-client-urls=http://${clientAddress}`,
      `--advertise-client-urls=http://${clientAddress}`,
      `--listen-peer-urls=http://${peerAddress}`,
      `--initial-advertise-peer-urls=http://${peerAddress}`,
      `--listen-metrics-urls=http://${metricsAddress}`,
      ...(readMode === undefined ? [] : [`--read-mode=${readMode}`]),
      ...serverArgs,
      ...args,
    ],
  };
}

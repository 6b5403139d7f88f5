/** From the command line's texts to a checked plan of what to run; every mistake is named. */
import { readAccessFiles } from '../client/access-files.ts';
import { accessNames, accessOf, type RawAccessOptions } from '../client/access.ts';
import { Access } from './access.ts';
import type { Endpoint } from './connection.ts';
import { FlagReader } from './flag-reader.ts';
import type { LoadEnd } from './load.ts';
import { tagBytes } from './requests.ts';
import { type WorkloadName, type WorkloadOptions, workloadNames } from './workload.ts';

/** Options as commander hands them over: texts, or true for flags without a value. */
export interface BenchFlags extends RawAccessOptions {
  readonly endpoints?: string;
  readonly clients?: string;
  readonly connections?: string;
  readonly keySize: string;
  readonly valueSize: string;
  readonly keySpace: string;
  readonly sequentialKeys?: boolean;
  readonly consistency: string;
  readonly readRatio: string;
  readonly rate?: string;
  readonly total?: string;
  readonly duration?: string;
  readonly warmup: string;
  readonly samples?: string;
  readonly targetLeader?: boolean;
  readonly writeOut: string;
  readonly seed: string;
  readonly against?: string;
  /** True when no list is named. */
  readonly suite?: string | true;
  readonly watchers?: string;
  readonly leases?: string;
  readonly streams?: string;
  readonly rounds?: string;
  readonly dataRoot?: string;
  readonly client?: boolean | string;
  readonly tls?: boolean;
}

/** What goes on besides the calls of a load, or with them. */
export type Scene =
  | { readonly kind: 'calls' }
  /** Watchers of all keys, over so many streams: a put ends when all of them have its event. */
  | { readonly kind: 'watched'; readonly watchers: number; readonly streams: number }
  /** Watchers of other keys. */
  | { readonly kind: 'idleWatchers'; readonly watchers: number; readonly streams: number }
  /** Renewals of so many leases in turn, instead of the load. */
  | { readonly kind: 'renewals'; readonly leases: number; readonly streams: number }
  /** Leases that end when the measurement begins. */
  | { readonly kind: 'endingLeases'; readonly leases: number };

/** One kind of load to measure. */
export interface BenchCase {
  readonly name: string;
  readonly load: WorkloadOptions;
  readonly scene: Scene;
  readonly clients: number;
  readonly connections: number;
  /** All connections lead to the leader, instead of to the members in turn. */
  readonly isLeaderOnly: boolean;
  /** Calls per second of all callers together; undefined: as many as they can make. */
  readonly rate: number | undefined;
}

/** What to run, and how to show it. */
export interface BenchPlan {
  /** Undefined: clusters are started here, Holdfast and the one of `against`. */
  readonly endpoints: readonly Endpoint[] | undefined;
  /** How these are reached, and as whom. */
  readonly access: Access;
  /** Whether clusters that are started here speak TLS. */
  readonly startsTls: boolean;
  readonly cases: readonly BenchCase[];
  readonly isSuite: boolean;
  /** Whether the client library is measured besides the load generator, or in its place. */
  readonly library: 'without' | 'too' | 'only';
  readonly end: LoadEnd;
  /** Load before each measurement that does not count. */
  readonly warmupMs: number;
  readonly rounds: number;
  readonly output: 'simple' | 'json';
  /** Where started clusters keep their data; undefined: the system's folder for temporary files. */
  readonly dataRoot: string | undefined;
  /** File for the time and latency of each measured call. */
  readonly samples: string | undefined;
}

const clientsMax = 100_000;
const connectionsMax = 10_000;
const valueBytesMax = 1024 * 1024;
const keyBytesMax = 1024;
const totalMax = 1_000_000_000;
const roundsMax = 100;
const rateMax = 1_000_000;
const seedMax = 0xffff_ffff;
/** A run with fewer connections than this would test whichever members they happen to reach. */
const suiteSpreadMin = 3;

const defaultEndpoints = '127.0.0.1:2379';
const defaultDurationMs = 10_000;
const defaultRounds = 3;

/** Works that watch or renew; each is one case, or two that belong together. */
const sceneNames = ['watch', 'watch-idle', 'lease-keepalive', 'lease-expire'] as const;

type SceneName = (typeof sceneNames)[number];
type WorkName = WorkloadName | SceneName;

const workNames: readonly WorkName[] = [...workloadNames, ...sceneNames];

/** Works that the client library can do as the load generator does them. */
const libraryWorks: readonly WorkName[] = ['put', 'range', 'mixed'];

const watchersMax = 1_000_000;
const leasesMax = 1_000_000;
const streamsMax = 1000;
/** As etcd's own benchmark of watches has it. */
const defaultStreams = 10;

/** Watchers or leases, unless a number is given. */
const defaultCounts: Readonly<Record<SceneName, number>> = {
  watch: 100,
  'watch-idle': 100_000,
  'lease-keepalive': 10_000,
  'lease-expire': 100_000,
};

/** A work of a standard list, and how it is called upon. */
interface SuiteWork {
  readonly work: WorkName;
  readonly consistency?: WorkloadOptions['consistency'];
  readonly clients: number;
  readonly connections: number;
  /** Of watchers. */
  readonly count?: number;
  readonly rate?: number;
}

function libraryOf({ client }: BenchFlags): BenchPlan['library'] {
  if (client === undefined || client === false) {
    return 'without';
  }
  return client === 'only' ? 'only' : 'too';
}

/**
 * The standard lists: design and documentation speak of these. Single clients come last, when the
 * members have run long enough for their code to be compiled. Where latency beside something else
 * is asked for, calls are made at a rate that leaves the machine time for it.
 */
const suites: Readonly<Record<string, readonly SuiteWork[]>> = {
  kv: [
    { work: 'put', clients: 1000, connections: 100 },
    { work: 'range', clients: 1000, connections: 100 },
    { work: 'range', consistency: 'serializable', clients: 1000, connections: 100 },
    { work: 'mixed', clients: 1000, connections: 100 },
    { work: 'txn', clients: 1000, connections: 100 },
    { work: 'put', clients: 1, connections: 1 },
    { work: 'range', clients: 1, connections: 1 },
  ],
  notice: [
    { work: 'watch', count: 1, clients: 100, connections: 10 },
    { work: 'watch', count: 100, clients: 100, connections: 10 },
    { work: 'watch', count: 1000, clients: 100, connections: 10 },
    { work: 'watch-idle', clients: 100, connections: 10, rate: 200 },
    { work: 'lease-grant', clients: 1000, connections: 100 },
    { work: 'lease-keepalive', clients: 1000, connections: 100 },
    { work: 'lease-expire', clients: 100, connections: 10, rate: 200 },
  ],
};

/**
 * Checks everything that was asked for.
 *
 * @throws {ExitError} 2 — with every mistake on a line of its own
 */
export function readBenchPlan(work: string | undefined, flags: BenchFlags): BenchPlan {
  const reader = new FlagReader();
  const isSuite = flags.suite !== undefined;
  const isAgainst = flags.against !== undefined;
  const named = isSuite ? undefined : readWork(reader, work);
  const load = readLoad(reader, named, flags);
  checkCombinations(reader, work, flags);
  reader.check(
    flags.client === undefined || (!isSuite && libraryWorks.includes(named ?? 'put')),
    `--client is for ${libraryWorks.join(', ')}`,
  );
  reader.check(
    typeof flags.client !== 'string' || flags.client === 'only',
    `--client takes nothing or "only", not ${JSON.stringify(flags.client)}`,
  );
  const plan: BenchPlan = {
    endpoints: isAgainst
      ? undefined
      : reader.endpoints('--endpoints', flags.endpoints ?? defaultEndpoints),
    access: isAgainst ? new Access() : readAccess(reader, flags),
    startsTls: flags.tls === true,
    cases: isSuite
      ? readSuite(reader, load, flags)
      : casesOf(named ?? 'put', load, readCallers(reader, flags)),
    isSuite,
    library: libraryOf(flags),
    end: readEnd(reader, flags),
    warmupMs: reader.durationMs('--warmup', flags.warmup, 0),
    rounds: reader.integer(
      '--rounds',
      flags.rounds ?? String(isAgainst ? defaultRounds : 1),
      1,
      roundsMax,
    ),
    output: flags.writeOut === 'json' ? 'json' : 'simple',
    dataRoot: flags.dataRoot,
    samples: flags.samples,
  };
  reader.throwIfAnyWrong();
  return plan;
}

/** @throws {ExitError} 2 — a file cannot be used, or there is a name without a password */
function readAccess(reader: FlagReader, flags: BenchFlags): Access {
  const { files, account } = accessOf(flags);
  const scheme = reader.scheme('--endpoints', flags.endpoints ?? defaultEndpoints);
  const hasFiles = Object.values(files).some((file) => file !== undefined);
  const isContradiction = hasFiles && scheme === 'http';
  reader.check(
    !isContradiction,
    '--endpoints says http://, and there are files for TLS: write https://, or leave them out',
  );
  const speaksTls = (hasFiles || scheme === 'https') && !isContradiction;
  return new Access(speaksTls ? readAccessFiles(files) : undefined, account);
}

/** Who makes the calls of a case, and what else takes part. */
interface Callers {
  readonly clients: number;
  readonly connections: number;
  readonly isLeaderOnly: boolean;
  readonly rate: number | undefined;
  /** Of watchers, or of leases; undefined: the work's own number. */
  readonly watchers: number | undefined;
  readonly leases: number | undefined;
  readonly streams: number;
}

function readCallers(reader: FlagReader, flags: BenchFlags): Callers {
  const clients = reader.integer('--clients', flags.clients ?? '1', 1, clientsMax);
  const connections = reader.integer(
    '--connections',
    flags.connections ?? String(Math.min(clients, connectionsMax)),
    1,
    connectionsMax,
  );
  reader.check(
    connections <= clients || flags.connections === undefined,
    `--connections is ${connections}, more than the ${clients} clients that would use them`,
  );
  const isLeaderOnly = flags.targetLeader === true;
  const own = { clients, connections: Math.min(connections, clients), isLeaderOnly };
  return { ...own, ...readShared(reader, flags) };
}

/** What single works and suites have in common. */
function readShared(
  reader: FlagReader,
  flags: BenchFlags,
): Pick<Callers, 'rate' | 'watchers' | 'leases' | 'streams'> {
  return {
    rate: reader.optionalInteger('--rate', flags.rate, 1, rateMax),
    watchers: reader.optionalInteger('--watchers', flags.watchers, 0, watchersMax),
    leases: reader.optionalInteger('--leases', flags.leases, 1, leasesMax),
    streams: reader.integer('--streams', flags.streams ?? String(defaultStreams), 1, streamsMax),
  };
}

function readSuite(
  reader: FlagReader,
  load: WorkloadOptions,
  flags: BenchFlags,
): readonly BenchCase[] {
  const name = flags.suite === true || flags.suite === undefined ? 'kv' : flags.suite;
  const works = suites[name];
  reader.check(
    works !== undefined,
    `--suite knows ${Object.keys(suites).join(' and ')}, not "${name}"`,
  );
  const shared = readShared(reader, flags);
  return (works ?? []).flatMap(
    ({ work, consistency = 'linearizable', clients, connections, count, rate }) =>
      casesOf(
        work,
        { ...load, workload: workloadOf(work), consistency },
        {
          ...{ ...shared, clients, connections },
          watchers: count ?? shared.watchers,
          rate: shared.rate ?? rate,
          isLeaderOnly: flags.targetLeader === true || connections < suiteSpreadMin,
        },
      ),
  );
}

/** The cases that a work consists of. */
function casesOf(work: WorkName, load: WorkloadOptions, callers: Callers): readonly BenchCase[] {
  const { clients, connections, isLeaderOnly, rate } = callers;
  const { watchers = defaultCount(work), leases = defaultCount(work) } = callers;
  const shared = { load, clients, connections, isLeaderOnly, rate };
  const streams = Math.min(callers.streams, Math.max(1, watchers));
  const calls = { kind: 'calls' } as const;
  switch (work) {
    case 'watch':
      return [
        {
          ...{ ...shared, name: `events to ${plural(watchers, 'watcher')}` },
          scene: { kind: 'watched', watchers, streams },
        },
      ];
    case 'watch-idle':
      return [0, watchers].map((idle) => ({
        ...{ ...shared, name: `put beside ${plural(idle, 'idle watcher')}` },
        scene: { kind: 'idleWatchers', watchers: idle, streams },
      }));
    case 'lease-keepalive':
      return [
        {
          ...{ ...shared, name: `lease keep-alive, ${plural(leases, 'lease')}` },
          scene: { kind: 'renewals', leases, streams: Math.min(callers.streams, clients) },
        },
      ];
    case 'lease-expire':
      return [
        { ...shared, name: 'put before leases end', scene: calls },
        {
          ...{ ...shared, name: `put while ${plural(leases, 'lease')} end` },
          scene: { kind: 'endingLeases', leases },
        },
      ];
    default:
      return [{ ...shared, name: describeLoad(load), scene: calls }];
  }
}

function isScene(work: WorkName): work is SceneName {
  return sceneNames.some((name) => name === work);
}

function defaultCount(work: WorkName): number {
  return isScene(work) ? defaultCounts[work] : 0;
}

/** The calls of a work: what watches or renews, does so beside puts. */
function workloadOf(work: WorkName): WorkloadName {
  return isScene(work) ? 'put' : work;
}

/** A load's name, as in `range, serializable`. */
function describeLoad({ workload, consistency, readRatio }: WorkloadOptions): string {
  switch (workload) {
    case 'put':
      return 'put';
    case 'txn':
      return 'txn (compare, put)';
    case 'range':
      return `range, ${consistency}`;
    case 'mixed':
      return `mixed, ${Math.round(readRatio * 100)} % range, ${consistency}`;
    case 'lease-grant':
      return 'lease grant';
  }
}

function readWork(reader: FlagReader, work: string | undefined): WorkName | undefined {
  const known = workNames.find((name) => name === work);
  reader.check(
    known !== undefined,
    work === undefined
      ? `name a workload (${workNames.join(', ')}), or use --suite`
      : `there is no workload "${work}"; choose one of ${workNames.join(', ')}`,
  );
  return known;
}

function checkCombinations(reader: FlagReader, work: string | undefined, flags: BenchFlags): void {
  const isSuite = flags.suite !== undefined;
  reader.check(
    !isSuite || work === undefined,
    `--suite runs its own list of workloads: leave out "${work ?? ''}"`,
  );
  reader.check(
    !isSuite || (flags.clients === undefined && flags.connections === undefined),
    '--suite has its own numbers of clients and connections: leave out --clients and --connections',
  );
  reader.check(
    flags.against === undefined || flags.against === 'etcd',
    `--against knows "etcd" only, not "${flags.against ?? ''}"`,
  );
  reader.check(
    flags.against === undefined || flags.endpoints === undefined,
    '--against starts its own clusters: leave out --endpoints',
  );
  reader.check(
    flags.dataRoot === undefined || flags.against !== undefined,
    '--data-root is where --against keeps its clusters: it needs --against etcd',
  );
  reader.check(
    flags.tls === undefined || flags.against !== undefined,
    '--tls is for the clusters that --against starts; write https:// in --endpoints for others',
  );
  const given = accessNames.filter((name) => flags[name] !== undefined);
  reader.check(
    flags.against === undefined || given.length === 0,
    `--against starts its own clusters: leave out --${given.join(', --')}`,
  );
  const isWatched = work === 'watch' || flags.suite === 'notice';
  reader.check(
    !isWatched || Number(flags.valueSize) >= tagBytes,
    `watched values hold the number of their put: --value-size must be ${tagBytes} at least`,
  );
  reader.check(
    work !== 'watch' || flags.watchers !== '0',
    'events are counted where they arrive: --watchers must be 1 at least',
  );
  reader.check(
    flags.writeOut === 'simple' || flags.writeOut === 'json',
    `--write-out must be simple or json, not "${flags.writeOut}"`,
  );
}

function readLoad(
  reader: FlagReader,
  work: WorkName | undefined,
  flags: BenchFlags,
): WorkloadOptions {
  const consistency = { l: 'linearizable', s: 'serializable' } as const;
  reader.check(
    flags.consistency in consistency,
    `--consistency must be l (linearizable) or s (serializable), not "${flags.consistency}"`,
  );
  const keySizeBytes = reader.integer('--key-size', flags.keySize, 1, keyBytesMax);
  const keySpace = reader.integer('--key-space', flags.keySpace, 1, totalMax);
  reader.check(
    keySpace <= 16 ** Math.min(keySizeBytes, 10),
    `--key-space ${keySpace} needs longer keys than ${keySizeBytes} hexadecimal digits`,
  );
  const readRatio = Number(flags.readRatio);
  reader.check(
    flags.readRatio.trim() !== '' && readRatio >= 0 && readRatio <= 1,
    `--read-ratio must be a number from 0 to 1, not "${flags.readRatio}"`,
  );
  return {
    workload: workloadOf(work ?? 'put'),
    consistency: consistency[flags.consistency === 's' ? 's' : 'l'],
    keySizeBytes,
    valueSizeBytes: reader.integer('--value-size', flags.valueSize, 0, valueBytesMax),
    keySpace,
    keyOrder: flags.sequentialKeys === true ? 'sequential' : 'random',
    readRatio,
    seed: reader.integer('--seed', flags.seed, 0, seedMax),
  };
}

function readEnd(reader: FlagReader, flags: BenchFlags): LoadEnd {
  reader.check(
    flags.total === undefined || flags.duration === undefined,
    'a run ends after --total calls or after --duration: give one of them',
  );
  if (flags.total !== undefined) {
    return { kind: 'total', total: reader.integer('--total', flags.total, 1, totalMax) };
  }
  return {
    kind: 'duration',
    durationMs:
      flags.duration === undefined
        ? defaultDurationMs
        : reader.durationMs('--duration', flags.duration, 1),
  };
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

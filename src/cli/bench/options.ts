/** From the command line's texts to a checked plan of what to run; every mistake is named. */
import { ExitError } from '../exit.ts';
import type { Endpoint } from './connection.ts';
import type { LoadEnd } from './load.ts';
import { type WorkloadName, type WorkloadOptions, workloadNames } from './workload.ts';

/** Options as commander hands them over: texts, or true for flags without a value. */
export interface BenchFlags {
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
  readonly targetLeader?: boolean;
  readonly writeOut: string;
  readonly seed: string;
  readonly against?: string;
  readonly suite?: boolean;
  readonly rounds?: string;
  readonly dataRoot?: string;
}

/** One kind of load to measure. */
export interface BenchCase {
  readonly name: string;
  readonly load: WorkloadOptions;
  readonly clients: number;
  readonly connections: number;
  /** All connections lead to the leader, instead of to the members in turn. */
  readonly isLeaderOnly: boolean;
}

/** What to run, and how to show it. */
export interface BenchPlan {
  /** Undefined: clusters are started here, Holdfast and the one of `against`. */
  readonly endpoints: readonly Endpoint[] | undefined;
  readonly cases: readonly BenchCase[];
  readonly isSuite: boolean;
  readonly end: LoadEnd;
  /** Calls per second of all callers together; undefined: as many as they can make. */
  readonly rate: number | undefined;
  /** Load before each measurement that does not count. */
  readonly warmupMs: number;
  readonly rounds: number;
  readonly output: 'simple' | 'json';
  /** Where started clusters keep their data; undefined: the system's folder for temporary files. */
  readonly dataRoot: string | undefined;
}

const clientsMax = 100_000;
const connectionsMax = 10_000;
const valueBytesMax = 1024 * 1024;
const keyBytesMax = 1024;
const totalMax = 1_000_000_000;
const durationMaxMs = 24 * 3600 * 1000;
const roundsMax = 100;
const rateMax = 1_000_000;
const seedMax = 0xffff_ffff;
/** A run with fewer connections than this would test whichever members they happen to reach. */
const suiteSpreadMin = 3;

const defaultEndpoints = '127.0.0.1:2379';
const defaultDurationMs = 10_000;
const defaultRounds = 3;

/**
 * The standard list: design and documentation speak of these. Single clients come last, when the
 * members have run long enough for their code to be compiled.
 */
const suite: readonly {
  readonly workload: WorkloadName;
  readonly consistency: WorkloadOptions['consistency'];
  readonly clients: number;
  readonly connections: number;
}[] = [
  { workload: 'put', consistency: 'linearizable', clients: 1000, connections: 100 },
  { workload: 'range', consistency: 'linearizable', clients: 1000, connections: 100 },
  { workload: 'range', consistency: 'serializable', clients: 1000, connections: 100 },
  { workload: 'mixed', consistency: 'linearizable', clients: 1000, connections: 100 },
  { workload: 'txn', consistency: 'linearizable', clients: 1000, connections: 100 },
  { workload: 'put', consistency: 'linearizable', clients: 1, connections: 1 },
  { workload: 'range', consistency: 'linearizable', clients: 1, connections: 1 },
];

/**
 * Checks everything that was asked for.
 *
 * @throws {ExitError} 2 — with every mistake on a line of its own
 */
export function readBenchPlan(workload: string | undefined, flags: BenchFlags): BenchPlan {
  const reader = new FlagReader();
  const load = readLoad(reader, workload, flags);
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
  const isSuite = flags.suite === true;
  const isAgainst = flags.against !== undefined;
  checkCombinations(reader, workload, flags);
  const plan: BenchPlan = {
    endpoints: isAgainst ? undefined : readEndpoints(reader, flags.endpoints ?? defaultEndpoints),
    cases: isSuite
      ? suiteCases(load, flags.targetLeader === true)
      : [
          {
            name: describeLoad(load),
            load,
            clients,
            connections: Math.min(connections, clients),
            isLeaderOnly: flags.targetLeader === true,
          },
        ],
    isSuite,
    end: readEnd(reader, flags),
    rate: flags.rate === undefined ? undefined : reader.integer('--rate', flags.rate, 1, rateMax),
    warmupMs: reader.durationMs('--warmup', flags.warmup, 0),
    rounds: reader.integer(
      '--rounds',
      flags.rounds ?? String(isAgainst ? defaultRounds : 1),
      1,
      roundsMax,
    ),
    output: flags.writeOut === 'json' ? 'json' : 'simple',
    dataRoot: flags.dataRoot,
  };
  reader.throwIfAnyWrong();
  return plan;
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
  }
}

function suiteCases(load: WorkloadOptions, isLeaderOnly: boolean): readonly BenchCase[] {
  return suite.map(({ workload, consistency, clients, connections }) => {
    const own = { ...load, workload, consistency };
    return {
      name: describeLoad(own),
      load: own,
      clients,
      connections,
      isLeaderOnly: isLeaderOnly || connections < suiteSpreadMin,
    };
  });
}

function checkCombinations(
  reader: FlagReader,
  workload: string | undefined,
  flags: BenchFlags,
): void {
  const isSuite = flags.suite === true;
  reader.check(
    !isSuite || workload === undefined,
    `--suite runs its own list of workloads: leave out "${workload ?? ''}"`,
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
    flags.writeOut === 'simple' || flags.writeOut === 'json',
    `--write-out must be simple or json, not "${flags.writeOut}"`,
  );
}

function readLoad(
  reader: FlagReader,
  workload: string | undefined,
  flags: BenchFlags,
): WorkloadOptions {
  const known = workloadNames.find((name) => name === workload);
  reader.check(
    known !== undefined || (flags.suite === true && workload === undefined),
    workload === undefined
      ? `name a workload (${workloadNames.join(', ')}), or use --suite`
      : `there is no workload "${workload}"; choose one of ${workloadNames.join(', ')}`,
  );
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
    workload: known ?? 'put',
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

/** Reads `host:port,…`, with or without `http://`. */
function readEndpoints(reader: FlagReader, text: string): readonly Endpoint[] {
  return text.split(',').map((endpoint) => {
    const trimmed = endpoint.trim();
    if (trimmed.startsWith('https://')) {
      reader.check(false, `--endpoints: "${trimmed}" uses TLS, which the load generator does not`);
      return { host: '', port: 0 };
    }
    const match = /^(?:http:\/\/)?(?<host>\[[0-9a-fA-F:]+\]|[\w.-]+):(?<port>\d{1,5})\/?$/.exec(
      trimmed,
    );
    const port = Number(match?.groups?.['port']);
    reader.check(
      match !== null && port >= 1 && port <= 65_535,
      `--endpoints: "${trimmed}" is not host:port, as in 127.0.0.1:2379`,
    );
    const host = match?.groups?.['host'] ?? '';
    return { host: host.replace(/^\[|\]$/g, ''), port };
  });
}

/** Reads single values and collects what is wrong. */
class FlagReader {
  readonly #problems: string[] = [];

  check(isRight: boolean, problem: string): void {
    if (!isRight) {
      this.#problems.push(problem);
    }
  }

  integer(flag: string, text: string, min: number, max: number): number {
    const value = Number(text);
    const isRight = /^\d+$/.test(text) && value >= min && value <= max;
    this.check(isRight, `${flag} must be a whole number from ${min} to ${max}, not "${text}"`);
    return isRight ? value : min;
  }

  durationMs(flag: string, text: string, minMs: number): number {
    const match = /^(?<count>\d+(?:\.\d+)?)(?<unit>ms|s|m|h)$/.exec(text);
    const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
    const unit = match?.groups?.['unit'] as keyof typeof unitMs | undefined;
    const durationMs =
      unit === undefined ? Number.NaN : Number(match?.groups?.['count']) * unitMs[unit];
    const isRight = durationMs >= minMs && durationMs <= durationMaxMs;
    this.check(isRight, `${flag} must be a time as 500ms, 10s or 2m, at most 24h, not "${text}"`);
    return isRight ? durationMs : minMs;
  }

  throwIfAnyWrong(): void {
    if (this.#problems.length > 0) {
      const lines = this.#problems.map((problem) => `  ${problem}`);
      throw new ExitError(2, ['holdfast bench:', ...lines, '(see --help)'].join('\n'));
    }
  }
}

/** One measurement: connects, warms up, runs the load, and notes what it cost whom. */
import { ExitError } from '../exit.ts';
import { Connection, type Endpoint } from './connection.ts';
import { findLeader } from './leader.ts';
import { type LoadEnd, type LoadResult, runLoad } from './load.ts';
import { readCpuMs } from './machine.ts';
import type { BenchCase } from './options.ts';
import { Workload, type WorkloadOptions, type WorkloadRequest } from './workload.ts';

/** Who is measured. */
export interface Subject {
  readonly title: string;
  readonly endpoints: readonly Endpoint[];
  /** Processes whose CPU time is noted; none for clusters that run elsewhere. */
  readonly pids: readonly number[];
}

/** How it is measured. */
export interface MeasureOptions {
  readonly end: LoadEnd;
  /** Calls per second; as many as the callers can make when left out. */
  readonly rate?: number | undefined;
  readonly warmupMs: number;
  readonly signal: AbortSignal;
}

/** What came out, in plain numbers. */
export interface Measurement {
  readonly operations: number;
  readonly errorCount: number;
  readonly errors: LoadResult['errors'];
  readonly elapsedMs: number;
  readonly operationsPerSecond: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** CPU time of the load generator per call, microseconds. */
  readonly clientCpuMicroseconds: number;
  /** CPU time of all members together per call, microseconds; undefined where it cannot be read. */
  readonly serverCpuMicroseconds: number | undefined;
  /** Share of the time in which the load generator's event loop was busy, 0 to 1. */
  readonly clientUtilization: number;
}

const fillClients = 32;

/**
 * Measures one case on one subject.
 *
 * @throws {ExitError} 1 — the subject cannot be reached, or stopped answering
 */
export async function measure(
  subject: Subject,
  { load, clients, connections, isLeaderOnly }: BenchCase,
  { end, rate, warmupMs, signal }: MeasureOptions,
): Promise<Measurement> {
  const endpoints = isLeaderOnly ? [await leaderOf(subject)] : subject.endpoints;
  return withConnections(endpoints, connections, signal, async (opened, abort) => {
    const workload = new Workload(load);
    const next = (): WorkloadRequest | undefined => workload.next();
    const shared = { connections: opened, clients, next, rate, signal: abort };
    if (warmupMs > 0) {
      await runLoad({ ...shared, end: { kind: 'duration', durationMs: warmupMs } });
    }
    const cpuBeforeMs = await readCpuMs(subject.pids);
    const result = await runLoad({ ...shared, end });
    const cpuAfterMs = await readCpuMs(subject.pids);
    return {
      ...summarize(result),
      serverCpuMicroseconds:
        subject.pids.length === 0 || cpuBeforeMs === undefined || cpuAfterMs === undefined
          ? undefined
          : ((cpuAfterMs - cpuBeforeMs) * 1000) / result.operations,
    };
  });
}

/**
 * Writes every key once, so that reads find something.
 *
 * @throws {ExitError} 1 — the subject cannot be reached, or a write failed
 */
export async function fillKeys(
  subject: Subject,
  load: WorkloadOptions,
  signal: AbortSignal,
): Promise<void> {
  await withConnections(subject.endpoints, fillClients, signal, async (connections, abort) => {
    const requests = new Workload(load).fill();
    const { errors } = await runLoad({
      connections,
      clients: fillClients,
      next: () => requests.next().value ?? undefined,
      end: { kind: 'total', total: Number.POSITIVE_INFINITY },
      signal: abort,
    });
    const [first] = errors;
    if (first !== undefined) {
      throw new ExitError(
        1,
        `holdfast bench: ${subject.title} refused keys to read: ${first.code}: ${first.text}`,
      );
    }
  });
}

async function withConnections<T>(
  endpoints: readonly Endpoint[],
  count: number,
  signal: AbortSignal,
  use: (connections: readonly Connection[], signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const lost = new AbortController();
  const connections: Connection[] = [];
  try {
    for (let i = 0; i < count; i++) {
      signal.throwIfAborted();
      // In turn: each begins at another member, and goes on to the next if that one is lost.
      const start = i % endpoints.length;
      const order = [...endpoints.slice(start), ...endpoints.slice(0, start)];
      connections.push(
        await openConnection(order, (error) => lost.abort(unreachable(order[0], error))),
      );
    }
    return await use(connections, AbortSignal.any([signal, lost.signal]));
  } finally {
    for (const connection of connections) {
      connection.close();
    }
  }
}

async function openConnection(
  endpoints: readonly Endpoint[],
  onLost: (error: Error) => void,
): Promise<Connection> {
  try {
    return await Connection.open({ endpoints, onLost });
  } catch (error) {
    throw unreachable(endpoints[0], error as Error);
  }
}

async function leaderOf(subject: Subject): Promise<Endpoint> {
  let leader: Endpoint | undefined;
  try {
    leader = await findLeader(subject.endpoints);
  } catch (error) {
    throw unreachable(undefined, error as Error);
  }
  if (leader === undefined) {
    throw new ExitError(
      1,
      `holdfast bench: the endpoints of ${subject.title} name no leader among them; ` +
        'give the endpoints of all members, and look whether they have one',
    );
  }
  return leader;
}

function unreachable(endpoint: Endpoint | undefined, error: Error): ExitError {
  const where = endpoint === undefined ? 'an endpoint' : `${endpoint.host}:${endpoint.port}`;
  return new ExitError(
    1,
    `holdfast bench: ${where} cannot be used: ${error.message}. Does a cluster run there? ` +
      '`holdfast dev` starts one; --endpoints names another.',
  );
}

function summarize(result: LoadResult): Omit<Measurement, 'serverCpuMicroseconds'> {
  const { latency, operations, elapsedMs } = result;
  return {
    operations,
    errorCount: result.errorCount,
    errors: result.errors,
    elapsedMs,
    operationsPerSecond: (operations / elapsedMs) * 1000,
    meanMs: latency.meanMs,
    p50Ms: latency.quantileMs(0.5),
    p90Ms: latency.quantileMs(0.9),
    p99Ms: latency.quantileMs(0.99),
    p999Ms: latency.quantileMs(0.999),
    maxMs: latency.maxMs,
    clientCpuMicroseconds: result.cpuMicroseconds / operations,
    clientUtilization: result.loopUtilization,
  };
}

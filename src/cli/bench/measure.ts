/** One measurement: connects, warms up, runs the load, and notes what it cost whom. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ExitError } from '../exit.ts';
import type { Callee } from './connection.ts';
import { FanOut } from './fan-out.ts';
import type { LatencyHistogram } from './latency-histogram.ts';
import { Leases } from './leases.ts';
import { type LoadEnd, type LoadOptions, type LoadResult, runLoad } from './load.ts';
import { readCpuMs, readResidentBytes } from './machine.ts';
import type { BenchCase } from './options.ts';
import { RenewalStream } from './renewals.ts';
import { Stage, type Subject } from './stage.ts';
import { openWatchers, type WatchedKeys } from './watchers.ts';
import {
  keyOf,
  stayingLeaseTtl,
  Workload,
  type WorkloadOptions,
  type WorkloadRequest,
} from './workload.ts';

/** How it is measured. */
export interface MeasureOptions {
  readonly end: LoadEnd;
  readonly warmupMs: number;
  readonly signal: AbortSignal;
  /** Told of each measured call; see `runLoad`. */
  readonly onCall?: LoadOptions['onCall'];
}

/** Something else that was seen besides throughput and latency. */
export interface Figure {
  readonly name: string;
  readonly value: number;
}

/** What came out, in plain numbers. */
export interface Measurement {
  /** What is counted: calls that ended, or events that reached a watcher. */
  readonly counted: 'calls' | 'events';
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
  /** CPU time of the load generator per call or event, microseconds. */
  readonly clientCpuMicroseconds: number;
  /**
   * CPU time of all members together per call or event, microseconds; undefined where it cannot be
   * read.
   */
  readonly serverCpuMicroseconds: number | undefined;
  /** Share of the time in which the load generator's event loop was busy, 0 to 1. */
  readonly clientUtilization: number;
  readonly figures: readonly Figure[];
}

/** What a kind of work runs with. */
interface Run {
  readonly stage: Stage;
  readonly benchCase: BenchCase;
  readonly options: MeasureOptions;
}

/** A run's load, and the CPU time of the members meanwhile. */
interface MeasuredLoad {
  readonly result: LoadResult;
  readonly serverCpuMs: number | undefined;
}

const fillClients = 32;
/** Between the last grant and the end of all leases, at least: etcd makes 1 s into 2. */
const leaseTtlMinMs = 3000;
/** Grants from whose time that of all is reckoned, and how much longer all may take. */
const trialGrants = 2000;
const grantTimeFactor = 1.5;
const leaseCountPollMs = 500;
const leaseEndMaxMs = 600_000;

/**
 * Measures one case on one subject.
 *
 * @throws {ExitError} 1 — the subject cannot be reached, or stopped answering
 */
export async function measure(
  subject: Subject,
  benchCase: BenchCase,
  options: MeasureOptions,
): Promise<Measurement> {
  return Stage.run(subject, benchCase.isLeaderOnly, options.signal, async (stage) => {
    const run = { stage, benchCase, options };
    const { scene } = benchCase;
    switch (scene.kind) {
      case 'calls':
        return measureCalls(run);
      case 'watched':
        return measureWatched(run, scene.watchers, scene.streams);
      case 'idleWatchers':
        return measureBesideIdle(run, scene.watchers, scene.streams);
      case 'renewals':
        return measureRenewals(run, scene.leases, scene.streams);
      case 'endingLeases':
        return measureEndingLeases(run, scene.leases);
    }
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
  await Stage.run(subject, false, signal, async (stage) => {
    const requests = new Workload(load).fill();
    const { errors } = await runLoad({
      callees: await stage.connect(fillClients),
      clients: fillClients,
      next: () => requests.next().value ?? undefined,
      end: { kind: 'total', total: Number.POSITIVE_INFINITY },
      signal: stage.signal,
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

async function measureCalls(run: Run): Promise<Measurement> {
  const { stage, benchCase } = run;
  const callees = stage.subject.isByLibrary
    ? [stage.library()]
    : await stage.connect(benchCase.connections);
  return summarize(await runWarmed(run, callees, requestsOf(run)));
}

/** Puts, each of which ends when all watchers have been told; what is counted is the events. */
async function measureWatched(run: Run, watchers: number, streams: number): Promise<Measurement> {
  const { stage, benchCase } = run;
  const { load, connections } = benchCase;
  const fanOut = new FanOut(watchers, load.valueSizeBytes);
  const allKeys = { key: keyOf(0, load), rangeEnd: behind(keyOf(load.keySpace - 1, load)) };
  await openWatchers({
    ...{ connections: await stage.connect(streams), count: watchers, keysOf: () => allKeys },
    onEvents: (tags) => {
      fanOut.received(tags);
    },
    onFailure: (error) => {
      stage.fail(error);
    },
    signal: stage.signal,
  });
  const callees = (await stage.connect(connections)).map((each) => fanOut.over(each));
  const next = requestsOf(run);
  await warmUp(run, callees, next);
  fanOut.takeLatency();
  const measured = await runMeasured(run, callees, next);
  return summarize(measured, fanOut.takeLatency());
}

/** Puts beside watchers of other keys, who are told nothing; and the memory that these take. */
async function measureBesideIdle(
  run: Run,
  watchers: number,
  streams: number,
): Promise<Measurement> {
  const { stage, benchCase } = run;
  const { pids } = stage.subject;
  const callees = await stage.connect(benchCase.connections);
  const next = requestsOf(run);
  await warmUp(run, callees, next);
  const residentBefore = await readResidentBytes(pids);
  if (watchers > 0) {
    await openWatchers({
      ...{ connections: await stage.connect(streams), count: watchers, keysOf: idleKeysOf },
      onEvents: () => {
        stage.fail(new Error('a watcher was told of a key that nobody has written'));
      },
      onFailure: (error) => {
        stage.fail(error);
      },
      signal: stage.signal,
    });
    await warmUp(run, callees, next);
  }
  const measurement = summarize(await runMeasured(run, callees, next));
  const residentAfter = await readResidentBytes(pids);
  if (watchers === 0 || residentBefore === undefined || residentAfter === undefined) {
    return measurement;
  }
  const mebibytes = (residentAfter - residentBefore) / 1024 ** 2;
  const name = 'memory of all members for 10,000 idle watchers, MiB';
  return pids.length === 0
    ? measurement
    : { ...measurement, figures: [{ name, value: (mebibytes * 10_000) / watchers }] };
}

/** Renewals as calls, each caller with one under way. */
async function measureRenewals(run: Run, count: number, streams: number): Promise<Measurement> {
  const { stage, benchCase } = run;
  const connections = await stage.connect(benchCase.connections);
  const leases = new Leases(connections, count, stage.signal);
  await leases.grant(() => stayingLeaseTtl);
  const callees = (await stage.connect(streams)).map(
    (connection) =>
      new RenewalStream(connection, (error) => {
        stage.fail(error);
      }),
  );
  const measurement = summarize(await runWarmed(run, callees, leases.renewals()));
  await leases.revoke();
  return measurement;
}

/** Puts from the moment on in which many leases end, which were granted to end together. */
async function measureEndingLeases(run: Run, count: number): Promise<Measurement> {
  const { stage, benchCase } = run;
  const callees = await stage.connect(benchCase.connections);
  const next = requestsOf(run);
  const trial = new Leases(callees, trialGrants, stage.signal);
  const trialStartMs = performance.now();
  await trial.grant(() => stayingLeaseTtl);
  const perLeaseMs = (performance.now() - trialStartMs) / trialGrants;
  await trial.revoke();

  const endMs = performance.now() + perLeaseMs * count * grantTimeFactor + 2 * leaseTtlMinMs;
  const leases = new Leases(callees, count, stage.signal);
  await leases.grant(() => Math.max(1, Math.round((endMs - performance.now()) / 1000)));
  if (performance.now() > endMs - leaseTtlMinMs) {
    throw new ExitError(1, 'holdfast bench: grants became slower, and leases end too early');
  }
  await warmUp(run, callees, next);
  await sleep(Math.max(0, endMs - performance.now()), undefined, { signal: stage.signal });
  const measured = await runMeasured(run, callees, next);
  const endedMeanwhile = count - (await leases.countLeft());
  const allEndedMs = await untilAllEnded(leases, stage.signal);
  return {
    ...summarize(measured),
    figures: [
      { name: 'leases ended during the measurement', value: endedMeanwhile },
      { name: 'until all had ended, seconds', value: (allEndedMs - endMs) / 1000 },
    ],
  };
}

/** Waits for the end of leases, and returns when that was. */
async function untilAllEnded(leases: Leases, signal: AbortSignal): Promise<number> {
  const giveUpMs = performance.now() + leaseEndMaxMs;
  while ((await leases.countLeft()) > 0) {
    if (performance.now() > giveUpMs) {
      throw new ExitError(1, `holdfast bench: leases are still there after ${leaseEndMaxMs} ms`);
    }
    await sleep(leaseCountPollMs, undefined, { signal });
  }
  return performance.now();
}

function requestsOf({ benchCase }: Run): () => WorkloadRequest {
  const workload = new Workload(benchCase.load);
  return () => workload.next();
}

async function runWarmed(
  run: Run,
  callees: readonly Callee[],
  next: () => WorkloadRequest,
): Promise<MeasuredLoad> {
  await warmUp(run, callees, next);
  return runMeasured(run, callees, next);
}

async function warmUp(
  { stage, benchCase, options }: Run,
  callees: readonly Callee[],
  next: () => WorkloadRequest,
): Promise<void> {
  if (options.warmupMs > 0) {
    const { clients, rate } = benchCase;
    const end = { kind: 'duration', durationMs: options.warmupMs } as const;
    await runLoad({ callees, clients, next, rate, signal: stage.signal, end });
  }
}

async function runMeasured(
  { stage, benchCase, options }: Run,
  callees: readonly Callee[],
  next: () => WorkloadRequest,
): Promise<MeasuredLoad> {
  const { clients, rate } = benchCase;
  const { pids } = stage.subject;
  const cpuBeforeMs = await readCpuMs(pids);
  const { signal } = stage;
  const { end, onCall } = options;
  const result = await runLoad({ callees, clients, next, rate, signal, end, onCall });
  const cpuAfterMs = await readCpuMs(pids);
  const isKnown = pids.length > 0 && cpuBeforeMs !== undefined && cpuAfterMs !== undefined;
  return { result, serverCpuMs: isKnown ? cpuAfterMs - cpuBeforeMs : undefined };
}

/** In plain numbers; of events instead of calls, if their latencies are given. */
function summarize({ result, serverCpuMs }: MeasuredLoad, events?: LatencyHistogram): Measurement {
  const { elapsedMs } = result;
  const latency = events ?? result.latency;
  const operations = latency.count;
  return {
    counted: events === undefined ? 'calls' : 'events',
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
    serverCpuMicroseconds:
      serverCpuMs === undefined ? undefined : (serverCpuMs * 1000) / operations,
    clientUtilization: result.loopUtilization,
    figures: [],
  };
}

/** A key of its own for each watcher; the load writes hexadecimal numbers alone. */
function idleKeysOf(watcher: number): WatchedKeys {
  return { key: Buffer.from(`idle/${watcher}`, 'latin1') };
}

/** The first key that comes after `key`. */
function behind(key: Buffer): Buffer {
  return Buffer.concat([key, Buffer.alloc(1)]);
}

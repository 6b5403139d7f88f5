import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { Endpoint } from '../../../src/cli/bench/connection.ts';
import { plainAccess } from '../../../src/cli/bench/access.ts';
import { findLeader } from '../../../src/cli/bench/leader.ts';
import { fillKeys, measure } from '../../../src/cli/bench/measure.ts';
import type { BenchCase, Scene } from '../../../src/cli/bench/options.ts';
import type { Subject } from '../../../src/cli/bench/stage.ts';
import type { WorkloadOptions } from '../../../src/cli/bench/workload.ts';
import { ExitError } from '../../../src/cli/exit.ts';
import { freePorts, ProcessCluster } from '../../harness/processes.ts';

const signal = new AbortController().signal;
const load: WorkloadOptions = {
  workload: 'put',
  consistency: 'linearizable',
  keySizeBytes: 8,
  valueSizeBytes: 256,
  keySpace: 150,
  keyOrder: 'random',
  readRatio: 0.5,
  seed: 1,
};

function caseOf(overrides: Partial<WorkloadOptions>, isLeaderOnly = false): BenchCase {
  const own = { ...load, ...overrides };
  const scene = { kind: 'calls' } as const;
  return {
    ...{ name: own.workload, load: own, scene, clients: 20, connections: 3 },
    ...{ isLeaderOnly, rate: undefined },
  };
}

function sceneOf(scene: Scene): BenchCase {
  return { ...caseOf({}), scene };
}

describe('measure', () => {
  let folder: string;
  let cluster: ProcessCluster;
  let subject: Subject;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
    cluster = await ProcessCluster.create([join(folder, 'n1')]);
    await cluster.startAll();
    const port = cluster.members[0]?.clientPort ?? 0;
    const endpoints: readonly Endpoint[] = [{ host: '127.0.0.1', port }];
    subject = { title: 'one member', endpoints, access: plainAccess, pids: [cluster.pid(0) ?? 0] };
    // Until it serves: nobody can be told to wait for a process that is not listening yet.
    while ((await findLeader(endpoints, plainAccess).catch(() => undefined)) === undefined) {
      expect(cluster.isRunning(0)).toBe(true);
      await sleep(50);
    }
  });

  afterAll(async () => {
    await cluster.stopAll();
    await rm(folder, { recursive: true, force: true });
  });

  test('every workload makes exactly the calls that were asked for, without an error', async () => {
    await fillKeys(subject, load, signal);
    const cases = [
      caseOf({ workload: 'put' }),
      caseOf({ workload: 'put' }, true),
      caseOf({ workload: 'range' }),
      caseOf({ workload: 'range', consistency: 'serializable' }),
      caseOf({ workload: 'mixed' }),
      caseOf({ workload: 'txn' }),
      caseOf({ workload: 'lease-grant' }),
    ];

    for (const each of cases) {
      const end = { kind: 'total', total: 333 } as const;
      const measurement = await measure(subject, each, { end, warmupMs: 0, signal });

      expect(measurement).toMatchObject({ operations: 333, errorCount: 0, errors: [] });
      expect(measurement.operationsPerSecond).toBeCloseTo(333_000 / measurement.elapsedMs, 6);
      expect(measurement.p50Ms).toBeLessThanOrEqual(measurement.p99Ms);
      expect(measurement.p99Ms).toBeLessThanOrEqual(measurement.maxMs);
    }
  });

  test('watched puts are counted by the events that reach the watchers, every one', async () => {
    const end = { kind: 'total', total: 100 } as const;
    const scene = { kind: 'watched', watchers: 7, streams: 2 } as const;

    const measurement = await measure(subject, sceneOf(scene), { end, warmupMs: 20, signal });

    expect(measurement).toMatchObject({ counted: 'events', operations: 700, errorCount: 0 });
  });

  test('puts beside idle watchers come with the memory that these take', async () => {
    const end = { kind: 'total', total: 100 } as const;
    const scene = { kind: 'idleWatchers', watchers: 50, streams: 2 } as const;

    const measurement = await measure(subject, sceneOf(scene), { end, warmupMs: 0, signal });

    expect(measurement).toMatchObject({ counted: 'calls', operations: 100, errorCount: 0 });
    expect(measurement.figures.map(({ name }) => name)).toEqual([
      'memory of all members for 10,000 idle watchers, MiB',
    ]);
  });

  test('renewals are calls, each of a lease that is there', async () => {
    const end = { kind: 'total', total: 333 } as const;
    const scene = { kind: 'renewals', leases: 30, streams: 4 } as const;

    const measurement = await measure(subject, sceneOf(scene), { end, warmupMs: 0, signal });

    expect(measurement).toMatchObject({ operations: 333, errorCount: 0, errors: [] });
  });

  test('a warm-up does not count', async () => {
    const end = { kind: 'total', total: 50 } as const;

    const measurement = await measure(subject, caseOf({}), { end, warmupMs: 20, signal });

    expect(measurement.operations).toBe(50);
  });

  test('an endpoint where nobody listens ends with a hint', async () => {
    const [port = 0] = await freePorts(1);
    const gone = { ...subject, endpoints: [{ host: '127.0.0.1', port }] };
    const options = { end: { kind: 'total', total: 1 }, warmupMs: 0, signal } as const;

    for (const isLeaderOnly of [false, true]) {
      const failure = measure(gone, caseOf({}, isLeaderOnly), options);

      await expect(failure).rejects.toThrow(/ECONNREFUSED.*holdfast dev/);
      await expect(failure).rejects.toBeInstanceOf(ExitError);
    }
  });
});

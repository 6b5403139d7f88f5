import { describe, expect, test } from 'vitest';
import { plainAccess } from '../../../src/cli/bench/access.ts';
import { type BenchFlags, readBenchPlan } from '../../../src/cli/bench/options.ts';
import { ExitError } from '../../../src/cli/exit.ts';
import { TestCa, writeFiles } from '../../harness/certificates.ts';
import { createTempDir } from '../../storage/temp-dir.ts';

const defaults: BenchFlags = {
  keySize: '8',
  valueSize: '256',
  keySpace: '10000',
  consistency: 'l',
  readRatio: '0.5',
  warmup: '1s',
  writeOut: 'simple',
  seed: '1',
};

function plan(workload: string | undefined, flags: Partial<BenchFlags> = {}) {
  return readBenchPlan(workload, { ...defaults, ...flags });
}

function problemOf(workload: string | undefined, flags: Partial<BenchFlags>): string {
  try {
    plan(workload, flags);
  } catch (error) {
    expect(error).toBeInstanceOf(ExitError);
    expect((error as ExitError).exitCode).toBe(2);
    return (error as ExitError).message;
  }
  return '';
}

describe('readBenchPlan', () => {
  test('the client library is measured with the works that it can do, on request', () => {
    expect(plan('mixed', { client: true }).library).toBe('too');
    expect(plan('put', { client: 'only' }).library).toBe('only');
    expect(() => plan('txn', { client: true })).toThrow('--client is for put, range, mixed');
    expect(() => plan(undefined, { client: true, suite: true })).toThrow('--client is for');
  });

  test('a bare workload runs for ten seconds with one client on the default endpoint', () => {
    expect(plan('put')).toEqual({
      endpoints: [{ host: '127.0.0.1', port: 2379 }],
      access: plainAccess,
      startsTls: false,
      cases: [
        {
          name: 'put',
          load: {
            workload: 'put',
            consistency: 'linearizable',
            keySizeBytes: 8,
            valueSizeBytes: 256,
            keySpace: 10_000,
            keyOrder: 'random',
            readRatio: 0.5,
            seed: 1,
          },
          scene: { kind: 'calls' },
          clients: 1,
          connections: 1,
          isLeaderOnly: false,
          rate: undefined,
        },
      ],
      isSuite: false,
      library: 'without',
      end: { kind: 'duration', durationMs: 10_000 },
      warmupMs: 1000,
      rounds: 1,
      output: 'simple',
      dataRoot: undefined,
      samples: undefined,
    });
  });

  test('every option reaches the plan', () => {
    const all = plan('mixed', {
      endpoints: 'a:1,b:2',
      clients: '1000',
      connections: '100',
      keySize: '16',
      valueSize: '0',
      keySpace: '7',
      sequentialKeys: true,
      consistency: 's',
      readRatio: '0.9',
      total: '500',
      warmup: '0s',
      targetLeader: true,
      writeOut: 'json',
      seed: '9',
      rounds: '2',
    });

    expect(all).toMatchObject({
      endpoints: [
        { host: 'a', port: 1 },
        { host: 'b', port: 2 },
      ],
      cases: [
        {
          name: 'mixed, 90 % range, serializable',
          load: {
            workload: 'mixed',
            consistency: 'serializable',
            keySizeBytes: 16,
            valueSizeBytes: 0,
            keySpace: 7,
            keyOrder: 'sequential',
            readRatio: 0.9,
            seed: 9,
          },
          clients: 1000,
          connections: 100,
          isLeaderOnly: true,
        },
      ],
      end: { kind: 'total', total: 500 },
      warmupMs: 0,
      rounds: 2,
      output: 'json',
    });
  });

  test('connections default to one per client', () => {
    expect(plan('put', { clients: '40' }).cases[0]?.connections).toBe(40);
  });

  test('times have units', () => {
    const durations = ['1ms', '2.5s', '3m', '1h'].map((duration) => plan('put', { duration }).end);

    expect(durations).toEqual(
      [1, 2500, 180_000, 3_600_000].map((durationMs) => ({ kind: 'duration', durationMs })),
    );
  });

  test('the suite is the list of the performance page, single clients on the leader', () => {
    const { cases, isSuite } = plan(undefined, { suite: true });

    expect(isSuite).toBe(true);
    expect(
      cases.map((each) => [each.name, each.clients, each.connections, each.isLeaderOnly]),
    ).toEqual([
      ['put', 1000, 100, false],
      ['range, linearizable', 1000, 100, false],
      ['range, serializable', 1000, 100, false],
      ['mixed, 50 % range, linearizable', 1000, 100, false],
      ['txn (compare, put)', 1000, 100, false],
      ['put', 1, 1, true],
      ['range, linearizable', 1, 1, true],
    ]);
  });

  test('the suite of notice watches, renews and lets leases end', () => {
    const { cases } = plan(undefined, { suite: 'notice', streams: '20' });

    expect(cases.map((each) => [each.name, each.clients, each.connections, each.rate])).toEqual([
      ['events to 1 watcher', 100, 10, undefined],
      ['events to 100 watchers', 100, 10, undefined],
      ['events to 1000 watchers', 100, 10, undefined],
      ['put beside 0 idle watchers', 100, 10, 200],
      ['put beside 100000 idle watchers', 100, 10, 200],
      ['lease grant', 1000, 100, undefined],
      ['lease keep-alive, 10000 leases', 1000, 100, undefined],
      ['put before leases end', 100, 10, 200],
      ['put while 100000 leases end', 100, 10, 200],
    ]);
    expect(cases.map(({ scene }) => scene)).toEqual([
      { kind: 'watched', watchers: 1, streams: 1 },
      { kind: 'watched', watchers: 100, streams: 20 },
      { kind: 'watched', watchers: 1000, streams: 20 },
      { kind: 'idleWatchers', watchers: 0, streams: 20 },
      { kind: 'idleWatchers', watchers: 100_000, streams: 20 },
      { kind: 'calls' },
      { kind: 'renewals', leases: 10_000, streams: 20 },
      { kind: 'calls' },
      { kind: 'endingLeases', leases: 100_000 },
    ]);
    expect(
      cases.every(({ load, isLeaderOnly }) => load.workload !== 'range' && !isLeaderOnly),
    ).toBe(true);
  });

  test('numbers of watchers, leases and streams are for whoever asks', () => {
    const scenes = ['watch', 'watch-idle', 'lease-keepalive', 'lease-expire'].flatMap((work) =>
      plan(work, { watchers: '3', leases: '4', streams: '2', clients: '5' }).cases.map(
        ({ scene }) => scene,
      ),
    );

    expect(scenes).toEqual([
      { kind: 'watched', watchers: 3, streams: 2 },
      { kind: 'idleWatchers', watchers: 0, streams: 2 },
      { kind: 'idleWatchers', watchers: 3, streams: 2 },
      { kind: 'renewals', leases: 4, streams: 2 },
      { kind: 'calls' },
      { kind: 'endingLeases', leases: 4 },
    ]);
  });

  test('a comparison starts its own clusters and takes the middle of three rounds', () => {
    expect(plan('put', { against: 'etcd' })).toMatchObject({ endpoints: undefined, rounds: 3 });
  });

  test.each<[string, string | undefined, Partial<BenchFlags>]>([
    ['name a workload (put, range, mixed, txn, lease-grant, watch, ', undefined, {}],
    ['there is no workload "get"; choose one of put, range, mixed, txn, ', 'get', {}],
    ['--suite runs its own list of workloads: leave out "put"', 'put', { suite: true }],
    ['leave out --clients and --connections', undefined, { suite: true, clients: '3' }],
    ['--clients must be a whole number from 1 to 100000, not "0"', 'put', { clients: '0' }],
    ['--clients must be a whole number from 1 to 100000, not "1e3"', 'put', { clients: '1e3' }],
    ['--connections is 3, more than the 2 clients', 'put', { clients: '2', connections: '3' }],
    ['--key-size must be a whole number from 1 to 1024, not ""', 'put', { keySize: '' }],
    ['--value-size must be a whole number from 0', 'put', { valueSize: '-1' }],
    ['--key-space 10000 needs longer keys than 3', 'put', { keySize: '3' }],
    ['--consistency must be l (linearizable) or s', 'range', { consistency: 'x' }],
    ['--read-ratio must be a number from 0 to 1, not "1.5"', 'mixed', { readRatio: '1.5' }],
    ['--read-ratio must be a number from 0 to 1, not "x"', 'mixed', { readRatio: 'x' }],
    ['--duration must be a time as 500ms, 10s or 2m', 'put', { duration: '10' }],
    ['--duration must be a time as 500ms, 10s or 2m', 'put', { duration: '0s' }],
    ['--duration must be a time as 500ms, 10s or 2m', 'put', { duration: '25h' }],
    ['--warmup must be a time', 'put', { warmup: 'soon' }],
    ['give one of them', 'put', { total: '5', duration: '5s' }],
    ['--total must be a whole number', 'put', { total: '0' }],
    ['--rounds must be a whole number from 1 to 100', 'put', { rounds: '0' }],
    ['--write-out must be simple or json, not "xml"', 'put', { writeOut: 'xml' }],
    ['--seed must be a whole number', 'put', { seed: 'x' }],
    ['--against knows "etcd" only, not "consul"', 'put', { against: 'consul' }],
    ['--suite knows kv and notice, not "x"', undefined, { suite: 'x' }],
    ['--value-size must be 4 at least', 'watch', { valueSize: '3' }],
    ['--value-size must be 4 at least', undefined, { suite: 'notice', valueSize: '0' }],
    ['--watchers must be 1 at least', 'watch', { watchers: '0' }],
    ['--watchers must be a whole number', 'watch-idle', { watchers: 'x' }],
    ['--leases must be a whole number from 1', 'lease-expire', { leases: '0' }],
    ['--streams must be a whole number from 1', 'watch', { streams: '0' }],
    ['leave out --endpoints', 'put', { against: 'etcd', endpoints: 'a:1' }],
    ['it needs --against etcd', 'put', { dataRoot: 'data' }],
    ['reaches all endpoints by TLS, or none', 'put', { endpoints: 'https://a:1,http://b:1' }],
    ['write https://, or leave them out', 'put', { endpoints: 'http://a:1', cacert: 'ca.pem' }],
    ['leave out --cacert, --user', 'put', { against: 'etcd', cacert: 'ca.pem', user: 'ann' }],
    ['--tls is for the clusters that --against starts', 'put', { tls: true }],
    ['"localhost" is not host:port', 'put', { endpoints: 'localhost' }],
    ['"a:70000" is not host:port', 'put', { endpoints: 'a:70000' }],
  ])('refuses with "%s"', (problem, workload, flags) => {
    expect(problemOf(workload, flags)).toContain(problem);
  });

  test('https:// or a file is TLS, and a name with its password is somebody', async () => {
    const ca = await TestCa.create();
    const { ca: cacert } = await writeFiles(createTempDir(), { ca: ca.pem });

    expect(plan('put', { endpoints: 'https://a:1' }).access.secureContext).toBeDefined();
    const { access } = plan('put', { cacert, user: 'ann', password: 'secret' });
    expect(access.pem?.ca?.toString()).toBe(ca.pem);
    expect(access.account).toEqual({ name: 'ann', password: 'secret' });
    expect(plan('put', { against: 'etcd', tls: true })).toMatchObject({ startsTls: true });
  });

  test('all mistakes are told at once', () => {
    const problem = problemOf('get', { clients: 'x', warmup: 'y', endpoints: ',' });

    expect(problem.split('\n').length).toBe(1 + 5 + 1);
  });

  test('endpoints are hosts, addresses of both kinds and plain URLs', () => {
    const { endpoints } = plan('put', {
      endpoints: 'localhost:2379, http://10.0.0.1:1/,[::1]:3',
    });

    expect(endpoints).toEqual([
      { host: 'localhost', port: 2379 },
      { host: '10.0.0.1', port: 1 },
      { host: '::1', port: 3 },
    ]);
  });
});

import { describe, expect, test } from 'vitest';
import type { Measurement } from '../../../src/cli/bench/measure.ts';
import type { BenchCase } from '../../../src/cli/bench/options.ts';
import {
  caseTitle,
  figuresTable,
  measurementLine,
  measurementText,
  mediansOf,
  ratioOf,
  reportTable,
} from '../../../src/cli/bench/report.ts';

const measurement: Measurement = {
  counted: 'calls',
  operations: 1000,
  errorCount: 0,
  errors: [],
  elapsedMs: 2000,
  operationsPerSecond: 500,
  meanMs: 0.5,
  p50Ms: 0.4567,
  p90Ms: 5.678,
  p99Ms: 12.34,
  p999Ms: 20,
  maxMs: 30,
  clientCpuMicroseconds: 14.2,
  serverCpuMicroseconds: 123.4,
  clientUtilization: 0.25,
  figures: [],
};

const benchCase: BenchCase = {
  name: 'put',
  load: {
    workload: 'put',
    consistency: 'linearizable',
    keySizeBytes: 8,
    valueSizeBytes: 256,
    keySpace: 10,
    keyOrder: 'random',
    readRatio: 0.5,
    seed: 1,
  },
  scene: { kind: 'calls' },
  clients: 1000,
  connections: 1,
  isLeaderOnly: true,
  rate: undefined,
};

const withRate = (operationsPerSecond: number, overrides: Partial<Measurement> = {}) => ({
  ...measurement,
  operationsPerSecond,
  ...overrides,
});

describe('medians', () => {
  test('the middle value, or the mean of the two in the middle', () => {
    const medians = [[], [4], [9, 1, 5], [1, 2, 3, 10]].map((rates) =>
      mediansOf(rates.map((rate) => withRate(rate))),
    );

    expect(medians.map((each) => each.operationsPerSecond)).toEqual([0, 4, 5, 2.5]);
  });

  test('each figure is taken by itself, and errors are added up', () => {
    const medians = mediansOf([
      withRate(3, { p99Ms: 1, errorCount: 1 }),
      withRate(1, { p99Ms: 3 }),
      withRate(2, { p99Ms: 2, errorCount: 2, serverCpuMicroseconds: undefined }),
    ]);

    expect(medians).toMatchObject({ operationsPerSecond: 2, p99Ms: 2, errorCount: 3 });
    expect(medians.serverCpuMicroseconds).toBe(123.4);
  });

  test('the ratio is that of the medians, second over first, and needs two', () => {
    const first = { title: 'etcd', rounds: [withRate(100), withRate(1), withRate(200)] };
    const second = { title: 'Holdfast', rounds: [withRate(150), withRate(120), withRate(10)] };

    expect(ratioOf([first, second])).toBe(1.2);
    expect(ratioOf([first])).toBeUndefined();
  });
});

describe('texts', () => {
  test('a case is named with all that its figures depend on', () => {
    expect(caseTitle(benchCase)).toBe(
      'put: 1000 clients, 1 connection, leader only; keys 8 bytes (10 random), values 256 bytes',
    );
  });

  test('a measurement shows every figure', () => {
    expect(measurementText(measurement).split('\n')).toEqual([
      '  calls       1000 in 2.00 s, 0 failed',
      '  throughput  500.0 calls/s',
      '  latency ms  mean 0.500  p50 0.457  p90 5.68  p99 12.3  p99.9 20.0  max 30.0',
      '  CPU         load generator 14.2 µs per call, busy 25 %; members 123.4 µs per call',
    ]);
  });

  test('failed calls and a load generator at its limit are not passed over', () => {
    const text = measurementText({
      ...measurement,
      errorCount: 3,
      errors: [{ code: 'UNAVAILABLE', text: 'no leader', count: 3 }],
      clientUtilization: 0.95,
      serverCpuMicroseconds: undefined,
    });

    expect(text).toContain('3 × UNAVAILABLE: no leader');
    expect(text).toContain('the load generator was busy throughout');
    expect(text).not.toContain('members');
    expect(measurementLine({ ...measurement, errorCount: 3 })).toContain('3 FAILED');
  });

  test('a comparison is a table with a ratio', () => {
    const table = reportTable([
      {
        benchCase,
        subjects: [
          { title: 'etcd', rounds: [withRate(100)] },
          { title: 'Holdfast', rounds: [withRate(150, { errorCount: 2 })] },
        ],
      },
    ]);

    const cells = table.split('\n').map((line) => line.slice(2, -2).split(' | '));
    const figures = ['100', '0.457 / 12.3', '123 + 14', '150', '0.457 / 12.3', '123 + 14'];
    const titles = ['calls/s', 'p50 / p99 ms', 'CPU µs per call: members + generator'];
    expect(cells).toEqual([
      ['work', 'clients / connections', 'to']
        .concat(`etcd ${titles[0] ?? ''}`, titles.slice(1))
        .concat(`Holdfast ${titles[0] ?? ''}`, titles.slice(1), 'Holdfast / etcd', 'failed'),
      ['---', '---:', '---', ...Array.from({ length: 8 }, () => '---:')],
      ['put', '1000 / 1', 'leader', ...figures, '1.50 ×', '2'],
    ]);
  });

  test('what is counted is named: calls, or events', () => {
    const text = measurementText({ ...measurement, counted: 'events' });

    expect(text.split('\n').slice(0, 2)).toEqual([
      '  events      1000 in 2.00 s, 0 failed',
      '  throughput  500.0 events/s',
    ]);
    expect(text).toContain('load generator 14.2 µs per event');
    expect(measurementLine({ ...measurement, counted: 'events' })).toContain('500 events/s');
  });

  test('what was seen besides stands in a table of its own, as medians', () => {
    const name = 'memory, MiB';
    const withFigure = (value: number) => withRate(1, { figures: [{ name, value }] });
    const etcd = { title: 'etcd', rounds: [withFigure(12.25), withFigure(500), withFigure(1)] };
    const holdfast = { title: 'Holdfast', rounds: [withFigure(3)] };

    const lines = figuresTable([
      { benchCase, subjects: [etcd, holdfast] },
      { benchCase, subjects: [] },
    ]);

    expect(lines).toEqual([
      '| work | besides | etcd | Holdfast |',
      '| --- | --- | ---: | ---: |',
      '| put | memory, MiB | 12.3 | 3 |',
      '',
    ]);
    expect(measurementText(withFigure(12.25))).toContain('  memory, MiB: 12.3');
    expect(figuresTable([{ benchCase, subjects: [] }])).toEqual([]);
  });

  test('one subject alone has no ratio', () => {
    const table = reportTable([
      { benchCase, subjects: [{ title: 'endpoints', rounds: [measurement] }] },
    ]);

    expect(table).not.toContain('×');
  });
});

import { describe, expect, test, vi } from 'vitest';
import { LatencyRecorder, Metrics } from '../../src/observability/metrics.ts';
import { familiesOf, samplesOf } from './exposition.ts';

// Looks 10 ms apart, as Node reports them: 9.9 ms for half of them, 14 ms for most, 100 ms at
// worst.
vi.mock('node:perf_hooks', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  monitorEventLoopDelay: () => ({
    enable: () => true,
    reset: () => undefined,
    percentile: (percent: number) => (percent === 50 ? 9_900_000 : 14_000_000),
    max: 100_000_000,
  }),
}));

describe('Metrics', () => {
  test('each is named holdfast_…, has a type and a sentence of help, and occurs once', async () => {
    const metrics = new Metrics();
    metrics.startProcessMetrics({ nowMs: () => 1500 });

    const families = familiesOf(await metrics.render());

    expect(families.length).toBeGreaterThan(30);
    for (const { name, type, help } of families) {
      expect(name).toMatch(/^holdfast_[a-z][a-z0-9_]*$/);
      expect(type).toMatch(/^(counter|gauge|histogram|summary)$/);
      expect(help).toMatch(/^\S.*\S$/);
    }
    const names = families.map((family) => family.name);
    expect(names).toEqual([...new Set(names)]);
  });

  test('every sample belongs to a family that was announced', async () => {
    const metrics = new Metrics();
    metrics.startProcessMetrics({ nowMs: () => 1500 });
    metrics.countRequest('Put', 'OK', 0.001);
    metrics.peerConnected.set({ peer: 'n2' }, 1);
    const text = await metrics.render();
    const names = new Set(familiesOf(text).map((family) => family.name));

    for (const sample of samplesOf(text)) {
      const family = sample.name.replace(/_(bucket|sum|count)$/, '');

      expect(names.has(sample.name) || names.has(family)).toBe(true);
      expect(sample.value).not.toBeNaN();
    }
  });

  test('counters, and only they, end in _total; times are in seconds', async () => {
    const families = familiesOf(await new Metrics().render());

    for (const { name, type } of families) {
      expect(`${name} ${type === 'counter'}`).toBe(`${name} ${name.endsWith('_total')}`);
      expect(name).not.toMatch(/_(ms|millis|milliseconds|us|kb|mb)(_|$)/);
    }
  });

  test('failures of commands are 0 before the first, so that a rate sees it', async () => {
    const samples = samplesOf(await new Metrics().render());
    const failed = samples.filter(({ name }) => name === 'holdfast_proposals_failed_total');

    expect(failed.map(({ labels, value }) => `${labels} ${value}`)).toEqual([
      'outcome="rejected" 0',
      'outcome="unknown" 0',
    ]);
  });

  test('two members in one process do not share a number', async () => {
    const one = new Metrics();
    const other = new Metrics();
    one.proposalsTotal.inc();
    one.countRequest('Put', 'OK', 0.1);
    one.commitSeconds.observe(0.1);
    one.startProcessMetrics({ nowMs: () => 1500 });
    other.startProcessMetrics({ nowMs: () => 1500 });

    const valueOf = async (metrics: Metrics, name: string): Promise<number | undefined> =>
      samplesOf(await metrics.render()).find((sample) => sample.name === name)?.value;

    for (const name of [
      'holdfast_proposals_total',
      'holdfast_commit_duration_seconds_count',
      'holdfast_requests_total',
    ]) {
      expect(await valueOf(one, name)).toBe(1);
      expect((await valueOf(other, name)) ?? 0).toBe(0);
    }
  });

  test('requests are counted by method and status code, and their times together', async () => {
    const metrics = new Metrics();
    metrics.countRequest('Range', 'OK', 0.2);
    metrics.countRequest('Range', 'OK', 0.3);
    metrics.countRequest('Range', 'UNAVAILABLE', 0.5);
    metrics.countRequest('Put', 'OK', 1);

    const text = await metrics.render();

    expect(text).toContain('holdfast_requests_total{method="Range",code="OK"} 2\n');
    expect(text).toContain('holdfast_requests_total{method="Range",code="UNAVAILABLE"} 1\n');
    expect(text).toContain('holdfast_requests_total{method="Put",code="OK"} 1\n');
    expect(text).toContain('holdfast_request_duration_seconds_count 4\n');
    expect(text).toContain('holdfast_request_duration_seconds_sum 2\n');
  });

  test('the delay of the event loop is what goes beyond the distance of two looks', async () => {
    const metrics = new Metrics();
    metrics.startProcessMetrics({ nowMs: () => 1500 });

    const samples = samplesOf(await metrics.render());

    const delays = samples.filter(({ name }) => name === 'holdfast_event_loop_delay_seconds');
    expect(delays.map(({ labels }) => labels)).toEqual([
      'quantile="0.5"',
      'quantile="0.99"',
      'quantile="1"',
    ]);
    expect(delays[0]?.value).toBe(0);
    expect(delays[1]?.value).toBeCloseTo(0.004, 9);
    expect(delays[2]?.value).toBeCloseTo(0.09, 9);
    expect(samples.map(({ name }) => name).filter((name) => /loop_?lag/.test(name))).toEqual([]);
  });

  test('the clock is told as it is when somebody looks', async () => {
    const metrics = new Metrics();
    let nowMs = 1500;
    metrics.startProcessMetrics({ nowMs: () => nowMs });
    const look = async () =>
      samplesOf(await metrics.render()).find(({ name }) => name === 'holdfast_clock_seconds_total')
        ?.value;

    expect(await look()).toBe(1.5);
    nowMs = 4000;
    expect(await look()).toBe(4);
  });

  test('the text is what Prometheus expects of its content type', () => {
    expect(new Metrics().contentType).toContain('text/plain; version=0.0.4');
  });
});

describe('LatencyRecorder', () => {
  const countAt = (text: string, bound: string): number =>
    samplesOf(text).find(({ labels }) => labels === `le="${bound}"`)?.value ?? Number.NaN;

  test('a latency falls into its bucket and all above; bounds are inclusive', () => {
    const recorder = new LatencyRecorder('l', 'Help.');
    for (const seconds of [0, 0.0001, 0.00011, 0.25, 10, 10.5]) {
      recorder.observe(seconds);
    }

    const text = recorder.render();

    expect(countAt(text, '0.0001')).toBe(2);
    expect(countAt(text, '0.00025')).toBe(3);
    expect(countAt(text, '0.1')).toBe(3);
    expect(countAt(text, '0.25')).toBe(4);
    expect(countAt(text, '10')).toBe(5);
    expect(countAt(text, '+Inf')).toBe(6);
  });

  test('is a histogram: buckets never shrink, the last is the count, the sum is the sum', () => {
    const recorder = new LatencyRecorder('l', 'Help.');
    for (let i = 0; i < 200; i++) {
      recorder.observe(2 ** (i / 10) / 4096);
    }

    const text = recorder.render();
    const samples = samplesOf(text);
    const buckets = samples.filter(({ name }) => name === 'l_bucket').map(({ value }) => value);

    expect(text.startsWith('# HELP l Help.\n# TYPE l histogram\n')).toBe(true);
    expect(buckets).toEqual([...buckets].sort((a, b) => a - b));
    expect(buckets.at(-1)).toBe(200);
    expect(samples.find(({ name }) => name === 'l_count')?.value).toBe(200);
    const sum = Array.from({ length: 200 }, (_, i) => 2 ** (i / 10) / 4096).reduce((a, b) => a + b);
    expect(samples.find(({ name }) => name === 'l_sum')?.value).toBeCloseTo(sum, 6);
  });

  test('without a latency it shows zeros', () => {
    expect(
      samplesOf(new LatencyRecorder('l', 'Help.').render()).every(({ value }) => value === 0),
    ).toBe(true);
  });
});

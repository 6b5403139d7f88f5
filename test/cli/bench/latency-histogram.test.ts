import { describe, expect, test } from 'vitest';
import { createPrng } from '../../../src/base/index.ts';
import { LatencyHistogram } from '../../../src/cli/bench/latency-histogram.ts';

const fractions = [0, 0.001, 0.25, 0.5, 0.9, 0.99, 0.999, 1];

function record(values: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) {
    histogram.record(value);
  }
  return histogram;
}

/** Nearest rank on the sorted values. */
function naiveQuantile(values: readonly number[], fraction: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(fraction * sorted.length)) - 1] ?? 0;
}

describe('LatencyHistogram', () => {
  test('every quantile is within 1/128 of the sorted values', () => {
    for (let seed = 0; seed < 40; seed++) {
      const prng = createPrng(seed);
      // From one value to thousands, from microseconds to minutes.
      const values = Array.from(
        { length: prng.nextInt(1, 3000) },
        () => prng.nextInt(1, 1000) * 10 ** prng.nextInt(-3, 3),
      );

      const histogram = record(values);

      for (const fraction of fractions) {
        const expected = naiveQuantile(values, fraction);
        const actual = histogram.quantileMs(fraction);
        expect(actual, `seed ${seed}, fraction ${fraction}`).toBeGreaterThanOrEqual(
          expected - 1e-9,
        );
        expect(actual, `seed ${seed}, fraction ${fraction}`).toBeLessThanOrEqual(
          expected * (1 + 1 / 128) + 1e-9,
        );
      }
    }
  });

  test('a value at the edge of a bucket counts in one bucket only', () => {
    for (let exponent = 0; exponent < 32; exponent++) {
      for (const microseconds of [2 ** exponent - 1, 2 ** exponent, 2 ** exponent + 1]) {
        const histogram = record([microseconds / 1000, microseconds / 1000]);

        expect(histogram.quantileMs(0.5)).toBeCloseTo(microseconds / 1000, 6);
        expect(histogram.count).toBe(2);
      }
    }
  });

  test('mean, maximum and count are exact', () => {
    const histogram = record([0.5, 1.25, 100_000]);

    expect(histogram.meanMs).toBeCloseTo(100_001.75 / 3, 9);
    expect(histogram.maxMs).toBe(100_000);
    expect(histogram.count).toBe(3);
  });

  test('what lies outside of the range counts as the nearest inside', () => {
    const histogram = record([-1, 2 ** 40]);

    expect(histogram.quantileMs(0.5)).toBe(0);
    expect(histogram.quantileMs(1)).toBeCloseTo(0xffff_ffff / 1000, 0);
  });

  test('nothing recorded reads as zero', () => {
    const histogram = new LatencyHistogram();

    expect([histogram.quantileMs(0.5), histogram.meanMs, histogram.maxMs]).toEqual([0, 0, 0]);
  });

  test('two merged are as one that has recorded all', () => {
    const left = [0.001, 3, 70, 0.4];
    const right = [5000, 0.02];

    const merged = record(left);
    merged.merge(record(right));

    const whole = record([...left, ...right]);
    expect(fractions.map((each) => merged.quantileMs(each))).toEqual(
      fractions.map((each) => whole.quantileMs(each)),
    );
    expect([merged.count, merged.meanMs, merged.maxMs]).toEqual([
      whole.count,
      whole.meanMs,
      whole.maxMs,
    ]);
  });
});

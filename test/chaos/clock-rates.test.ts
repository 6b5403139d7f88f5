import { describe, expect, test } from 'vitest';
import { promisedBounds } from '../../chaos/nemesis/clock-drift.ts';
import {
  type ClockReading,
  describeRates,
  drawRate,
  rateBetween,
} from '../../chaos/nemesis/clock-rates.ts';
import { createPrng } from '../../src/base/index.ts';
import { clockDriftMax } from '../../src/raft/lease.ts';

/** A reading that took from `earliestMs` to `latestMs`. */
function reading(earliestMs: number, latestMs: number, clockMs: number): ClockReading {
  return { earliestMs, latestMs, clockMs };
}

describe('the bounds that are promised', () => {
  test('are as far apart as lease reads allow, and no farther', () => {
    const ratio = promisedBounds.fastest / promisedBounds.slowest;

    expect(ratio).toBeLessThanOrEqual(1 + clockDriftMax);
    expect(ratio).toBeGreaterThan(1 + 0.99 * clockDriftMax);
  });
});

describe('drawRate', () => {
  const bounds = { slowest: 0.5, fastest: 3 };
  const prng = createPrng(1);

  test.each([
    [true, 2.4, 3],
    [false, 0.5, 0.65],
  ])('stays near the end that is asked for (fast: %s)', (isFast, least, most) => {
    for (let i = 0; i < 200; i++) {
      const rate = drawRate(prng, isFast, bounds);

      expect(rate).toBeGreaterThanOrEqual(least);
      expect(rate).toBeLessThanOrEqual(most);
    }
  });
});

describe('rateBetween', () => {
  test('bounds the rate by the time that certainly and possibly passed', () => {
    const { slowest, fastest } = rateBetween(reading(0, 100, 5000), reading(1000, 1100, 5990));

    expect(slowest).toBeCloseTo(990 / 1100, 9);
    expect(fastest).toBeCloseTo(990 / 900, 9);
  });
});

describe('describeRates', () => {
  const clock = (member: string, set: number, slowest: number, fastest: number) => ({
    ...{ member, set },
    seen: { slowest, fastest },
  });

  test('shows clocks that went as they were set', () => {
    expect(describeRates([clock('n1', 1.04, 1.038, 1.043), clock('n2', 0.96, 0.95, 1.01)])).toBe(
      "n1's clock set to ×1.04 went ×1.038 to 1.043, n2's clock set to ×0.96 went ×0.950 to 1.010",
    );
  });

  test('is no evidence if one went otherwise, none was seen to be bent, or none was seen', () => {
    const right = clock('n1', 1.04, 1.038, 1.043);

    expect(describeRates([right, clock('n2', 0.96, 0.999, 1.001)])).toBeUndefined();
    expect(describeRates([clock('n1', 1.04, 0.98, 1.06)])).toBeUndefined();
    expect(describeRates([])).toBeUndefined();
  });
});

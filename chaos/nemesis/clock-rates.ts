/**
 * How fast the clocks of members go: what was set, and what is seen. A member tells its monotonic
 * clock in its metrics; two looks, and the time between them here, bound its rate from both sides.
 */
import type { Prng } from '../../src/base/index.ts';
import type { Recorder } from '../history.ts';
import { readMetrics } from './metrics.ts';

/** Between which rates clocks go; 1 is the test's. */
export interface RateBounds {
  readonly slowest: number;
  readonly fastest: number;
}

/** A look at a clock: what it said, at some moment between two of the test's. */
export interface ClockReading {
  readonly earliestMs: number;
  readonly latestMs: number;
  readonly clockMs: number;
}

/** Looks at a clock, of which the quickest counts: the others say less. */
const looks = 4;
/** How far from an end of the bounds a rate may be, as a part of the way to 1. */
const jitter = 0.3;
/** By how much what is measured may miss what was set: libfaketime counts in doubles. */
const rounding = 0.001;

/**
 * A rate at the slow or the fast end of the bounds, or somewhat nearer to 1: what lies in the
 * middle neither strains anything nor can be told from a clock that is right.
 */
export function drawRate(prng: Prng, isFast: boolean, { slowest, fastest }: RateBounds): number {
  const end = isFast ? fastest : slowest;
  const rate = end + (1 - end) * jitter * (prng.nextInt(0, 1001) / 1000);
  return Number(rate.toFixed(4));
}

/** The clock of a member goes at this rate from its next start on. */
export function setRate(recorder: Recorder, member: string, rate: number): void {
  recorder.add({ kind: 'clock', atMs: recorder.nowMs(), member, rate });
}

/** What was set last. */
export function rateOf(recorder: Recorder, member: string): number {
  return recorder.of('clock').findLast((line) => line.member === member)?.rate ?? 1;
}

/** Reads the clock of the member whose metrics are there; undefined if it does not answer. */
export async function readClock(metricsAddress: string): Promise<ClockReading | undefined> {
  let best: ClockReading | undefined;
  for (let look = 0; look < looks; look++) {
    const earliestMs = performance.now();
    const seconds = (await readMetrics(metricsAddress)).get('holdfast_clock_seconds_total');
    const latestMs = performance.now();
    if (seconds === undefined) {
      return best;
    }
    if (best === undefined || latestMs - earliestMs < best.latestMs - best.earliestMs) {
      best = { earliestMs, latestMs, clockMs: seconds * 1000 };
    }
  }
  return best;
}

/** Between which rates a clock has gone from one reading to another one of the same process. */
export function rateBetween(from: ClockReading, to: ClockReading): RateBounds {
  const passedMs = to.clockMs - from.clockMs;
  return {
    slowest: passedMs / (to.latestMs - from.earliestMs),
    fastest: passedMs / (to.earliestMs - from.latestMs),
  };
}

/**
 * Evidence that clocks went as they were set: each that was measured did, as far as one can tell,
 * and at least one certainly did not go as the test's.
 */
export function describeRates(
  clocks: readonly { readonly member: string; readonly set: number; readonly seen: RateBounds }[],
): string | undefined {
  const isAsSet = clocks.every(
    ({ set, seen }) => seen.slowest <= set + rounding && set - rounding <= seen.fastest,
  );
  const isBent = clocks.some(({ seen }) => seen.fastest < 1 || seen.slowest > 1);
  return isAsSet && isBent
    ? clocks
        .map(({ member, set, seen }) => {
          const range = `${seen.slowest.toFixed(3)} to ${seen.fastest.toFixed(3)}`;
          return `${member}'s clock set to ×${set} went ×${range}`;
        })
        .join(', ')
    : undefined;
}

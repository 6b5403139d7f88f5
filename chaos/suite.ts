/** Suites: which workloads run under which nemeses, and for how long. */
import type { Counts } from './checkers/floors.ts';
import type { Verdict } from './checks.ts';
import { nemeses } from './nemesis/index.ts';
import type { RunResult } from './result.ts';
import { workloads } from './workloads/index.ts';

/** One run of a suite. */
export interface Pair {
  readonly workload: string;
  readonly nemesis: string;
  readonly seconds: number;
}

/** Every workload once, and the faults that have found most elsewhere: minutes, not hours. */
const quick: readonly (readonly [workload: string, nemesis: string, seconds: number])[] = [
  ['register', 'isolate-leader', 6],
  ['register', 'pause-leader', 6],
  ['append', 'one-way', 6],
  ['append', 'flapping', 6],
  ['bank', 'majority-minority', 6],
  ['bank', 'kill-leader', 6],
  ['counter', 'restart-storm', 6],
  ['counter', 'client-hangs', 6],
  ['set', 'ring', 6],
  ['watch', 'compaction', 5],
  ['lease', 'kill-leader', 6],
  ['lock', 'pause-leader', 6],
  ['election', 'isolate-leader', 6],
  ['mixed', 'combined', 8],
];

/** Long enough for one fault; where faults take turns, for a few. */
const oneFaultSeconds = 3;
const turnsSeconds = 12;

/** The runs of a suite. */
export function pairsOf(suite: 'quick' | 'full'): readonly Pair[] {
  if (suite === 'quick') {
    return quick.map(([workload, nemesis, seconds]) => ({ workload, nemesis, seconds }));
  }
  return Object.keys(workloads).flatMap((workload) =>
    Array.from(nemeses.values(), ({ name, faults }) => ({
      workload,
      nemesis: name,
      seconds: faults.length > 1 || name === 'combined' ? turnsSeconds : oneFaultSeconds,
    })),
  );
}

/** What all runs of a suite have come to. */
export interface Totals {
  readonly calls: number;
  readonly unknown: number;
  readonly faults: number;
  readonly leaderChanges: number;
  /** Milliseconds; the longest time without a write while faults went on, and of which run. */
  readonly longestGapMs: number;
  readonly longestGapRun: string;
  /** The slowest that a majority wrote again, and that all served again after healing. */
  readonly recoveryMs: number;
  readonly healingMs: number;
}

/** Adds up runs. */
export function totalsOf(results: readonly RunResult[]): Totals {
  const sum = (of: (counts: Counts) => number) =>
    results.reduce((total, { verdict }) => total + of(verdict.counts), 0);
  const most = (of: (verdict: Verdict) => number) =>
    Math.max(0, ...results.map(({ verdict }) => of(verdict)));
  const longestGapMs = most((verdict) => verdict.longestGapMs);
  return {
    calls: sum(({ ok, fail, unknown }) => ok + fail + unknown),
    unknown: sum(({ unknown }) => unknown),
    faults: sum(({ faults }) => faults),
    leaderChanges: sum(({ leaderChanges }) => leaderChanges),
    longestGapMs,
    longestGapRun: results.find(({ verdict }) => verdict.longestGapMs === longestGapMs)?.name ?? '',
    recoveryMs: most((verdict) => verdict.recoveryMs),
    healingMs: most((verdict) => verdict.healingMs),
  };
}

/** Suites: which workloads run under which nemeses, and for how long. */
import { nemeses } from './nemesis/index.ts';
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

const fullSeconds = 20;

/** The runs of a suite. */
export function pairsOf(suite: 'quick' | 'full'): readonly Pair[] {
  if (suite === 'quick') {
    return quick.map(([workload, nemesis, seconds]) => ({ workload, nemesis, seconds }));
  }
  return Object.keys(workloads).flatMap((workload) =>
    Array.from(nemeses.keys(), (nemesis) => ({ workload, nemesis, seconds: fullSeconds })),
  );
}

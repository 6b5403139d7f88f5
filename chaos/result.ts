/** What is kept of a run. */
import type { Verdict } from './checks.ts';

/** A run that is over. */
export interface RunResult {
  readonly name: string;
  readonly workload: string;
  readonly nemesis: string;
  readonly seed: number;
  readonly seconds: number;
  readonly replay: string;
  readonly directory: string;
  readonly verdict: Verdict;
}

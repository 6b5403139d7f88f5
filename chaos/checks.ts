/** Every check that holds for any workload, the workload's own, and what they make of a run. */
import { checkAvailability } from './checkers/availability.ts';
import { checkConvergence } from './checkers/convergence.ts';
import { checkDurability } from './checkers/durability.ts';
import { checkFloors, type Counts } from './checkers/floors.ts';
import type { Finding, HistoryView } from './checkers/history-view.ts';
import { checkSplitBrain, rivalBeliefMs } from './checkers/split-brain.ts';
import { checkStoreOrder } from './checkers/store-order.ts';
import { checkWatches } from './checkers/watches.ts';
import type { Workload } from './workloads/workload.ts';

/** A run that cannot make so many calls a second while nothing is wrong shows nothing. */
const callsPerSecondMin = 5;

/** What a run has shown. */
export interface Verdict {
  /** `undecided` is no success: a check could not tell, or a floor was not reached. */
  readonly verdict: 'good' | 'bad' | 'undecided';
  readonly findings: readonly Finding[];
  readonly counts: Counts;
  readonly longestGapMs: number;
  readonly recoveryMs: number;
  readonly healingMs: number;
  /** How long two members believed to lead at a time. */
  readonly rivalBeliefMs: number;
  /** Calls of unknown outcome that turned out to have happened, and not to have. */
  readonly unknownDone: number;
  readonly unknownNotDone: number;
}

/** Judges a history. */
export function judge(view: HistoryView, workload: Workload): Verdict {
  const floors = checkFloors(view, {
    callsPerSecondMin: callsPerSecondMin / Math.max(1, (workload.restMs ?? 0) / 20),
  });
  const availability = checkAvailability(view);
  const findings = [
    ...checkStoreOrder(view, workload.servedPrefixes),
    ...checkSplitBrain(view),
    ...checkDurability(view),
    ...checkWatches(view),
    ...checkConvergence(view),
    ...workload.check(view),
    ...availability.findings,
    ...floors.findings,
  ];
  const isBad = findings.some(({ kind }) => kind === 'violation');
  const { longestGapMs, recoveryMs, healingMs } = availability;
  return {
    verdict: isBad ? 'bad' : findings.length > 0 ? 'undecided' : 'good',
    findings,
    counts: floors.counts,
    longestGapMs,
    recoveryMs,
    healingMs,
    rivalBeliefMs: rivalBeliefMs(view),
    ...resolveUnknown(view),
  };
}

/** What became of puts of unknown outcome: each value is written once, and seen or not. */
function resolveUnknown(view: HistoryView) {
  const seen = new Set<string>();
  for (const event of Array.from(view.events.values()).flat()) {
    seen.add(`${event.key} ${event.value}`);
  }
  let unknownDone = 0;
  let unknownNotDone = 0;
  for (const { outcome, request } of view.calls) {
    const put =
      request.type === 'put'
        ? request
        : request.type === 'txn'
          ? request.success.find((part) => part.type === 'put')
          : undefined;
    if (outcome === 'unknown' && put !== undefined) {
      const wasDone = seen.has(`${put.key} ${put.value}`);
      unknownDone += wasDone ? 1 : 0;
      unknownNotDone += wasDone ? 0 : 1;
    }
  }
  return { unknownDone, unknownNotDone };
}

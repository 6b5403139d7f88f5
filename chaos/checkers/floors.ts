/**
 * What makes a run worth something: enough load, faults that really happened, calls that
 * overlapped, reads that saw something, watchers that got something, a final read from every
 * member. A run below a floor proves nothing, and is not called good.
 */
import type { CallRecord } from '../history.ts';
import { type Finding, type HistoryView, isAnswered, isStoreRequest } from './history-view.ts';

const check = 'floors';

/** What a run has to reach. */
export interface Floors {
  /** Successful calls in a second, before the first fault. */
  readonly callsPerSecondMin: number;
}

/** Counts of a run. */
export interface Counts {
  readonly ok: number;
  readonly fail: number;
  readonly unknown: number;
  readonly faults: number;
  readonly leaderChanges: number;
  /** Calls that overlapped another one on the same key. */
  readonly overlapping: number;
  readonly watchEvents: number;
  /** Successful calls in a second before the first fault. */
  readonly callsPerSecond: number;
}

/** Counts what a run did, and reports what was too little. */
export function checkFloors(
  view: HistoryView,
  { callsPerSecondMin }: Floors,
): { readonly findings: readonly Finding[]; readonly counts: Counts } {
  const findings: Finding[] = [];
  const report = (message: string) => {
    findings.push({ check, kind: 'undecided', message, calls: [] });
  };
  const counts = countsOf(view);
  if (counts.callsPerSecond < callsPerSecondMin) {
    report(`only ${counts.callsPerSecond.toFixed(1)} successful calls a second before the fault`);
  }
  for (const { name, what, evidence } of view.faults) {
    if (evidence === undefined) {
      report(`nothing shows that the fault "${name}" (${what}) happened`);
    }
  }
  if (view.faults.length === 0) {
    report('there was no fault');
  }
  if (counts.overlapping === 0) {
    report('no two calls on one key overlapped');
  }
  if (!view.calls.some(hasSeenSomething)) {
    report('no read saw anything that was written');
  }
  if (counts.watchEvents === 0) {
    report('no watcher got an event');
  }
  for (const member of view.members) {
    const isRead = view.calls.some(
      (call) => call.isFinal === true && call.member === member && call.outcome === 'ok',
    );
    if (!isRead) {
      report(`there is no final read from ${member}`);
    }
  }
  return { findings, counts };
}

function countsOf(view: HistoryView): Counts {
  const of = (outcome: CallRecord['outcome']) =>
    view.calls.filter((call) => call.outcome === outcome).length;
  const begunMs = Math.min(...view.calls.map(({ callMs }) => callMs));
  const faultMs = Math.min(...view.faults.map(({ fromMs }) => fromMs));
  const before = view.calls.filter(
    ({ returnMs, outcome }) => outcome === 'ok' && returnMs < faultMs,
  );
  const leaders = view.samples.filter(({ state }) => state === 'leader');
  return {
    ok: of('ok'),
    fail: of('fail'),
    unknown: of('unknown'),
    faults: view.faults.length,
    leaderChanges: Math.max(0, new Set(leaders.map(({ term }) => term)).size - 1),
    overlapping: countOverlapping(view),
    watchEvents: Array.from(view.events.values()).reduce((sum, each) => sum + each.length, 0),
    callsPerSecond: before.length === 0 ? 0 : (before.length / (faultMs - begunMs)) * 1000,
  };
}

function countOverlapping(view: HistoryView): number {
  const openUntilMs = new Map<string, number>();
  let count = 0;
  for (const { request, callMs, returnMs } of view.calls) {
    if (!isStoreRequest(request)) {
      continue;
    }
    const key = request.type === 'txn' ? keyOfTxn(request.success[0]) : request.key;
    const untilMs = openUntilMs.get(key) ?? 0;
    count += callMs < untilMs ? 1 : 0;
    openUntilMs.set(key, Math.max(untilMs, returnMs));
  }
  return count;
}

function keyOfTxn(part: { readonly key: string } | undefined): string {
  return part?.key ?? '';
}

function hasSeenSomething(call: CallRecord): boolean {
  if (!isAnswered(call)) {
    return false;
  }
  const results = call.result.type === 'txn' ? call.result.responses : [call.result];
  return results.some((result) => result.type === 'range' && result.kvs.length > 0);
}

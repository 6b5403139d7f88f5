/**
 * How soon a cluster serves again: within 3 s of a fault that leaves it a majority, and through
 * every member within 10 s of the end of the last one; by the slowest clock of a member, since
 * members wait by theirs.
 */
import type { CallRecord } from '../history.ts';
import { type Finding, type HistoryView, isAnswered } from './history-view.ts';
import { hasChanged } from './store.ts';

const check = 'availability';

/** From a fault to the first write that began after it and succeeded. */
const recoveryMsMax = 3000;
/** From the end of the last fault to a success at every member. */
const healingMsMax = 10_000;

/** Figures of one run, milliseconds. */
export interface Availability {
  readonly findings: readonly Finding[];
  /** The longest time between two successful writes while faults went on. */
  readonly longestGapMs: number;
  /** The longest time from a fault that leaves a majority to a write. */
  readonly recoveryMs: number;
  /** From the end of the last fault until every member had served. */
  readonly healingMs: number;
}

/** Measures, and reports what took too long. */
export function checkAvailability(view: HistoryView): Availability {
  const findings: Finding[] = [];
  const report = (message: string) => {
    findings.push({ check, kind: 'violation', message, calls: [] });
  };
  const { slowest } = view.clockRates;
  const recoveryLimitMs = Math.round(recoveryMsMax / slowest);
  const healingLimitMs = Math.round(healingMsMax / slowest);
  const writes = view.calls.filter(isWritten);
  let recoveryMs = 0;
  for (const { name, fromMs, toMs, keepsMajority } of view.faults) {
    if (!keepsMajority) {
      continue;
    }
    const first = firstAfter(writes, fromMs);
    const tookMs = (first?.returnMs ?? Number.POSITIVE_INFINITY) - fromMs;
    // A fault shorter than the bound is judged by the healing.
    const isJudged = toMs - fromMs >= recoveryLimitMs;
    recoveryMs = Math.max(recoveryMs, Math.min(tookMs, toMs - fromMs));
    if (isJudged && tookMs > recoveryLimitMs) {
      report(`no write within ${recoveryLimitMs} ms of "${name}": it took ${shown(tookMs)}`);
    }
  }
  const healedMs = Math.max(0, ...view.faults.map(({ toMs }) => toMs));
  let healingMs = 0;
  for (const member of view.members) {
    const first = firstAfter(
      view.calls.filter((call) => call.member === member && call.outcome === 'ok'),
      healedMs,
    );
    const tookMs = (first?.returnMs ?? Number.POSITIVE_INFINITY) - healedMs;
    healingMs = Math.max(healingMs, tookMs);
    if (tookMs > healingLimitMs) {
      report(`${member} did not serve within ${healingLimitMs} ms of healing: ${shown(tookMs)}`);
    }
  }
  return { findings, longestGapMs: longestGap(writes, view), recoveryMs, healingMs };
}

/** Whether a call has changed the store, and was told so. */
export function isWritten(call: CallRecord): boolean {
  return (
    call.outcome === 'ok' &&
    (isAnswered(call) ? hasChanged(call.result) : call.request.type !== 'leaseTimeToLive')
  );
}

/** The first that returned, of those that were called after a moment. */
function firstAfter(calls: readonly CallRecord[], afterMs: number): CallRecord | undefined {
  let first: CallRecord | undefined;
  for (const call of calls) {
    if (call.callMs >= afterMs && call.returnMs < (first?.returnMs ?? Number.POSITIVE_INFINITY)) {
      first = call;
    }
  }
  return first;
}

function longestGap(writes: readonly CallRecord[], view: HistoryView): number {
  const fromMs = Math.min(...view.faults.map((fault) => fault.fromMs));
  const toMs = Math.max(...view.faults.map((fault) => fault.toMs));
  const returns = writes.map(({ returnMs }) => returnMs).sort((a, b) => a - b);
  let longest = 0;
  for (const [i, returnMs] of returns.entries()) {
    const before = returns[i - 1];
    if (before !== undefined && returnMs > fromMs && before < toMs) {
      longest = Math.max(longest, returnMs - before);
    }
  }
  return longest;
}

function shown(ms: number): string {
  return Number.isFinite(ms) ? `${Math.round(ms)} ms` : 'until the end';
}

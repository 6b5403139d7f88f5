/** What a history says so far about a stretch of time: who served, how soon, how fast. */
import { isWritten } from '../checkers/availability.ts';
import type { CallRecord, SampleRecord } from '../history.ts';

/** From when to when, milliseconds of the run. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Calls that began and ended within a stretch. */
function within(calls: readonly CallRecord[], { fromMs, toMs }: Stretch): readonly CallRecord[] {
  return calls.filter(({ callMs, returnMs }) => callMs >= fromMs && returnMs <= toMs);
}

/** Writes that members acknowledged of those that were asked within a stretch. */
export function writesBy(
  calls: readonly CallRecord[],
  members: readonly string[],
  stretch: Stretch,
): readonly CallRecord[] {
  return within(calls, stretch).filter((call) => members.includes(call.member) && isWritten(call));
}

/** Linearizable reads that members answered of those that were asked within a stretch. */
export function readsBy(
  calls: readonly CallRecord[],
  members: readonly string[],
  stretch: Stretch,
): readonly CallRecord[] {
  return within(calls, stretch).filter(
    (call) => members.includes(call.member) && call.outcome === 'ok' && !isWritten(call),
  );
}

/** Milliseconds from a moment to the end of the first write that was asked after it. */
export function writtenAfterMs(
  calls: readonly CallRecord[],
  members: readonly string[],
  fromMs: number,
): number {
  const returns = calls
    .filter((call) => call.callMs >= fromMs && members.includes(call.member) && isWritten(call))
    .map(({ returnMs }) => returnMs);
  return Math.min(Number.POSITIVE_INFINITY, ...returns) - fromMs;
}

/** Milliseconds from a moment until one of these members said that it leads, and which. */
export function ledAfter(
  samples: readonly SampleRecord[],
  members: readonly string[],
  fromMs: number,
): { readonly afterMs: number; readonly leader: string; readonly term: number } {
  const found = samples.find(
    ({ atMs, member, state }) => atMs > fromMs && state === 'leader' && members.includes(member),
  );
  return {
    afterMs: (found?.atMs ?? Number.POSITIVE_INFINITY) - fromMs,
    leader: found?.member ?? 'nobody',
    term: found?.term ?? 0,
  };
}

/** The time that so large a share of the writes of a stretch took at most, milliseconds. */
export function writeTimeMs(calls: readonly CallRecord[], stretch: Stretch, share: number): number {
  const times = within(calls, stretch)
    .filter(isWritten)
    .map(({ callMs, returnMs }) => returnMs - callMs)
    .sort((a, b) => a - b);
  return times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
}

/** The longest time without a write within a stretch, milliseconds. */
export function gapMs(calls: readonly CallRecord[], { fromMs, toMs }: Stretch): number {
  const returns = calls
    .filter((call) => isWritten(call) && call.returnMs >= fromMs && call.returnMs <= toMs)
    .map(({ returnMs }) => returnMs)
    .sort((a, b) => a - b);
  let longest = 0;
  let last = fromMs;
  for (const at of [...returns, toMs]) {
    longest = Math.max(longest, at - last);
    last = at;
  }
  return longest;
}

/** Milliseconds for people. */
export function shownMs(ms: number): string {
  return Number.isFinite(ms) ? `${Math.round(ms)} ms` : 'not until now';
}

/**
 * No split brain, looked at in three ways.
 *
 * 1. A term has one leader: over all that members said of themselves when asked, and over all that
 *    their logs tell.
 * 2. No two acknowledgements contradict each other, whichever members and leaderships gave them: a
 *    revision is made by one write.
 * 3. Revisions follow real time: of two writes, the one that was answered before the other was
 *    called has the smaller revision; and no answer is older than what was told before.
 *
 * That two members believe to lead at a time, in different terms, is no fault: it must happen when
 * a leader is cut off. What must not happen is that both act.
 */
import {
  type Finding,
  type HistoryView,
  isAnswered,
  type StoreCallRecord,
} from './history-view.ts';
import { hasChanged } from './store.ts';

const check = 'no split brain';

/** Looks for a split brain. */
export function checkSplitBrain(view: HistoryView): readonly Finding[] {
  return [...findRivals(view), ...findContradictions(view), ...findInversions(view)];
}

/** How long two members believed to lead at a time, milliseconds: harmless, and worth knowing. */
export function rivalBeliefMs(view: HistoryView): number {
  const state = new Map<string, boolean>();
  let sinceMs: number | undefined;
  let total = 0;
  for (const { member, atMs, state: now } of view.samples) {
    state.set(member, now === 'leader');
    const believers = Array.from(state.values()).filter(Boolean).length;
    if (believers > 1) {
      sinceMs ??= atMs;
    } else if (sinceMs !== undefined) {
      total += atMs - sinceMs;
      sinceMs = undefined;
    }
  }
  return total;
}

function findRivals(view: HistoryView): readonly Finding[] {
  const leadersByTerm = new Map<number, Set<string>>();
  const note = (term: number, member: string) => {
    leadersByTerm.set(term, (leadersByTerm.get(term) ?? new Set<string>()).add(member));
  };
  for (const { state, term = 0, member } of view.samples) {
    if (state === 'leader') {
      note(term, member);
    }
  }
  for (const { term, member } of view.leaderships) {
    note(term, member);
  }
  return Array.from(leadersByTerm).flatMap(([term, leaders]) =>
    leaders.size > 1
      ? [violation(`term ${term} had ${leaders.size} leaders: ${[...leaders].join(', ')}`, [])]
      : [],
  );
}

function findContradictions(view: HistoryView): readonly Finding[] {
  const findings: Finding[] = [];
  const writeByRevision = new Map<number, StoreCallRecord>();
  for (const call of view.calls) {
    if (!isAnswered(call) || !hasChanged(call.result)) {
      continue;
    }
    const other = writeByRevision.get(call.revision);
    if (other === undefined) {
      writeByRevision.set(call.revision, call);
    } else {
      const of = ({ member, term = 0 }: StoreCallRecord) => `${member} in term ${term}`;
      findings.push(
        violation(
          `revision ${call.revision} was acknowledged twice, by ${of(other)} and by ${of(call)}`,
          [other, call],
        ),
      );
    }
  }
  return findings;
}

function findInversions(view: HistoryView): readonly Finding[] {
  const findings: Finding[] = [];
  const byReturn = view.calls.filter(isAnswered).sort((a, b) => a.returnMs - b.returnMs);
  let returned = 0;
  let newest: StoreCallRecord | undefined;
  for (const call of view.calls) {
    for (; (byReturn[returned]?.returnMs ?? Number.POSITIVE_INFINITY) < call.callMs; returned++) {
      const candidate = byReturn[returned];
      if (!isOld(candidate) && (candidate?.revision ?? 0) > (newest?.revision ?? 0)) {
        newest = candidate;
      }
    }
    if (newest === undefined || !isAnswered(call) || isOld(call)) {
      continue;
    }
    const isWrite = hasChanged(call.result);
    if (call.revision < newest.revision || (isWrite && call.revision === newest.revision)) {
      findings.push(
        violation(
          `${call.member} answered at revision ${call.revision}, though ${newest.member} told ` +
            `${newest.revision} before`,
          [newest, call],
        ),
      );
    }
  }
  return findings;
}

/** Reads that may be old, and repeated answers, which tell of when they were first given. */
function isOld(call: StoreCallRecord | undefined): boolean {
  return (
    (call?.request.type === 'range' && call.request.serializable === true) ||
    (call?.attempts ?? 1) > 1
  );
}

function violation(message: string, calls: readonly StoreCallRecord[]): Finding {
  return { check, kind: 'violation', message, calls: calls.map(({ id }) => id) };
}

/**
 * A write that is repeated under one idempotency key takes effect once: its value is written once
 * if it was acknowledged, at most once if its outcome is unknown, never if it surely failed. What
 * it is told is the revision of that one time.
 */
import type { CallRecord } from '../history.ts';
import { type Finding, type HistoryView, isStoreRequest } from './history-view.ts';

const check = 'exactly once';

/** Checks every put of a value, which no other call writes. */
export function checkExactlyOnce(view: HistoryView): readonly Finding[] {
  const revisionsByValue = new Map<string, number[]>();
  for (const [revision, events] of view.events) {
    for (const { type, key, value } of events) {
      const id = `${key} ${value}`;
      if (type === 'put') {
        revisionsByValue.set(id, [...(revisionsByValue.get(id) ?? []), revision]);
      }
    }
  }
  return view.calls.flatMap((call) => {
    const problem = problemOf(call, revisionsByValue);
    return problem === undefined
      ? []
      : [{ check, kind: 'violation', message: problem, calls: [call.id] } as const];
  });
}

function problemOf(
  { request, outcome, revision, attempts }: CallRecord,
  revisionsByValue: ReadonlyMap<string, readonly number[]>,
): string | undefined {
  if (!isStoreRequest(request) || request.type !== 'put') {
    return undefined;
  }
  const name = `${request.key} ${request.value}`;
  const revisions = revisionsByValue.get(name) ?? [];
  const told = `${name} (${attempts} attempts, ${outcome}) was written at ${revisions.join(', ')}`;
  if (revisions.length > 1) {
    return `${told}: more than once`;
  }
  if (outcome === 'ok' && revisions[0] !== revision) {
    return revisions.length === 0
      ? `${name} was acknowledged at ${revision ?? 0}, and never written`
      : `${told}, and its answer told ${revision ?? 0}`;
  }
  return outcome === 'fail' && revisions.length > 0 ? `${told}, though it had failed` : undefined;
}

/**
 * Whatever was acknowledged is in the store's account, at the revision that was told and with the
 * value that was written, and is still there when everything has healed; whatever surely failed is
 * not. All members then have the same.
 */
import {
  type Finding,
  type HistoryView,
  isAnswered,
  isStoreRequest,
  stateAt,
  type StoreCallRecord,
} from './history-view.ts';
import { answeredParts, hasChanged, partsOf } from './store.ts';
import type { CallRecord, WatchEvent } from '../history.ts';

const check = 'durability';

/** Checks acknowledged writes, failed ones, and the final reads from every member. */
export function checkDurability(view: HistoryView): readonly Finding[] {
  const values = new Map<string, number>();
  for (const [revision, events] of view.events) {
    for (const { type, key, value } of events) {
      if (type === 'put') {
        values.set(`${key} ${value}`, revision);
      }
    }
  }
  return [
    ...view.calls.flatMap((call) => {
      const problem =
        isAnswered(call) && hasChanged(call.result)
          ? lossOf(call, view.events.get(call.revision) ?? [])
          : failureSeen(call, values);
      return problem === undefined ? [] : [finding(problem, call)];
    }),
    ...checkFinalReads(view),
  ];
}

function lossOf(
  { request, result, revision }: StoreCallRecord,
  events: readonly WatchEvent[],
): string | undefined {
  for (const { part, result: of } of answeredParts(request, result)) {
    if (part.type === 'put' && !events.some((each) => isPutOf(each, part))) {
      return `the put of ${part.key} was acknowledged at revision ${revision}, and is not there`;
    }
    const deleted = events.filter(({ type }) => type === 'delete').length;
    if (part.type === 'deleteRange' && of.type === 'deleteRange' && deleted < of.deleted) {
      return (
        `a deletion of ${of.deleted} keys was acknowledged at revision ${revision}, ` +
        `where ${deleted} were deleted`
      );
    }
  }
  return undefined;
}

function isPutOf(
  event: WatchEvent,
  part: { readonly key: string; readonly value: string },
): boolean {
  return event.type === 'put' && event.key === part.key && event.value === part.value;
}

function failureSeen(
  { request, outcome, member }: CallRecord,
  values: ReadonlyMap<string, number>,
): string | undefined {
  if (outcome !== 'fail' || !isStoreRequest(request)) {
    return undefined;
  }
  for (const part of partsOf(request)) {
    const revision = part.type === 'put' ? values.get(`${part.key} ${part.value}`) : undefined;
    if (part.type === 'put' && revision !== undefined) {
      return `${member} refused the put of ${part.key}, which was done at revision ${revision}`;
    }
  }
  return undefined;
}

/** A final read is one of all keys: it must be what the account adds up to at its revision. */
function checkFinalReads(view: HistoryView): readonly Finding[] {
  return view.calls.flatMap((call) => {
    if (call.isFinal !== true || !isAnswered(call) || call.result.type !== 'range') {
      return [];
    }
    const expected = stateAt(view, call.revision);
    const found = new Map(call.result.kvs.map((kv) => [kv.key, kv]));
    const wrong = Array.from(new Set([...expected.keys(), ...found.keys()])).filter((key) => {
      const [a, b] = [expected.get(key), found.get(key)];
      return (
        a?.value !== b?.value || a?.modRevision !== b?.modRevision || a?.version !== b?.version
      );
    });
    return wrong.length === 0
      ? []
      : [finding(`the final read from ${call.member} differs in ${wrong.join(', ')}`, call)];
  });
}

function finding(message: string, { id }: CallRecord): Finding {
  return { check, kind: 'violation', message, calls: [id] };
}

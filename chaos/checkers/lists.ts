/**
 * Lists that are only appended to: all reads of one agree on its order, nothing that was appended
 * is lost, doubled or made up, and what was appended to two lists at once is in both or in neither.
 *
 * The order that revisions tell is checked elsewhere; this needs values alone.
 */
import type { CallRecord } from '../history.ts';
import { type Finding, type HistoryView, isAnswered, isStoreRequest } from './history-view.ts';

const check = 'lists';

interface Read {
  readonly call: CallRecord;
  readonly elements: readonly string[];
}

/** Checks the keys below `list/`, whose values are their elements, apart by blanks. */
export function checkLists(view: HistoryView): readonly Finding[] {
  const findings: Finding[] = [];
  const report = (message: string, calls: readonly CallRecord[]) => {
    findings.push({ check, kind: 'violation', message, calls: calls.map(({ id }) => id) });
  };
  const reads = readsByKey(view);
  const appended = appendsByKey(view);
  for (const [key, of] of reads) {
    const longest = of.reduce((a, b) => (b.elements.length > a.elements.length ? b : a));
    const { elements } = longest;
    if (new Set(elements).size < elements.length) {
      report(`${key} has an element twice`, [longest.call]);
    }
    const other = of.find((read) => read.elements.some((each, i) => each !== elements[i]));
    if (other !== undefined) {
      report(`two reads of ${key} disagree on its order`, [other.call, longest.call]);
    }
    const possible = appended.get(key) ?? new Map<string, CallRecord>();
    const madeUp = elements.find((element) => !possible.has(element));
    if (madeUp !== undefined) {
      report(`${key} has ${madeUp}, which nobody can have appended`, [longest.call]);
    }
    reportLost(key, of, possible, report);
  }
  reportHalves(view, report);
  return findings;
}

/** What was acknowledged before a read began is in that read. */
function reportLost(
  key: string,
  reads: readonly Read[],
  appended: ReadonlyMap<string, CallRecord>,
  report: (message: string, calls: readonly CallRecord[]) => void,
): void {
  for (const read of reads) {
    const has = new Set(read.elements);
    for (const [element, call] of appended) {
      if (call.outcome === 'ok' && call.returnMs < read.call.callMs && !has.has(element)) {
        report(`${key} lacks ${element}, appended before`, [call, read.call]);
      }
    }
  }
}

/** In one transaction's view, an element appended to two lists is in both or in neither. */
function reportHalves(
  view: HistoryView,
  report: (message: string, calls: readonly CallRecord[]) => void,
): void {
  const writers = view.calls.flatMap((call) => {
    const keys = appendedKeys(call);
    return keys.length === 2 ? [{ call, keys }] : [];
  });
  for (const call of view.calls) {
    const found = listsOf(call);
    if (found === undefined) {
      continue;
    }
    const lists = new Map(Array.from(found, ([key, elements]) => [key, new Set(elements)]));
    for (const { call: writer, keys } of writers) {
      const places = keys.flatMap(({ key, element }) => {
        const list = lists.get(key);
        return list === undefined ? [] : [list.has(element)];
      });
      if (places.length === 2 && places[0] !== places[1]) {
        report(`a transaction saw half of what another one appended`, [writer, call]);
      }
    }
  }
}

function readsByKey(view: HistoryView): ReadonlyMap<string, readonly Read[]> {
  const reads = new Map<string, Read[]>();
  for (const call of view.calls) {
    for (const [key, list] of listsOf(call) ?? []) {
      reads.set(key, [...(reads.get(key) ?? []), { call, elements: list }]);
    }
  }
  return reads;
}

/** What a transaction of reads alone, or a final read, saw. */
function listsOf(call: CallRecord): ReadonlyMap<string, readonly string[]> | undefined {
  if (!isAnswered(call) || call.request.type !== 'txn' || call.result.type !== 'txn') {
    return undefined;
  }
  const { success } = call.request;
  if (success.some((part) => part.type !== 'range')) {
    return undefined;
  }
  const lists = new Map<string, readonly string[]>();
  for (const [i, part] of success.entries()) {
    const response = call.result.responses[i];
    if (response?.type === 'range' && part.type === 'range') {
      const value = response.kvs[0]?.value;
      lists.set(part.key, value === undefined ? [] : value.split(' '));
    }
  }
  return lists;
}

function appendedKeys(call: CallRecord) {
  const { request, outcome, result } = call;
  const wasRefused = result?.type === 'txn' && !result.succeeded;
  if (!isStoreRequest(request) || request.type !== 'txn' || outcome === 'fail' || wasRefused) {
    return [];
  }
  return request.success.flatMap((part) =>
    part.type === 'put' ? [{ key: part.key, element: part.value.split(' ').at(-1) ?? '' }] : [],
  );
}

function appendsByKey(view: HistoryView): ReadonlyMap<string, ReadonlyMap<string, CallRecord>> {
  const appends = new Map<string, Map<string, CallRecord>>();
  for (const call of view.calls) {
    for (const { key, element } of appendedKeys(call)) {
      appends.set(key, (appends.get(key) ?? new Map<string, CallRecord>()).set(element, call));
    }
  }
  return appends;
}

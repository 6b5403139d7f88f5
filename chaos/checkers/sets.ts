/**
 * A set that only grows: what was added is in every later read, and nothing else is (the check
 * called set-full, for linearizable reads).
 *
 * An element counts as known from when its addition returned, or a read that has it did. Any read
 * that begins after that must have it.
 */
import type { CallRecord } from '../history.ts';
import { type Finding, type HistoryView, isAnswered, isStoreRequest } from './history-view.ts';

const check = 'set';

interface Addition {
  readonly call: CallRecord;
  readonly element: string;
}

/** Checks the keys below `set/`, whose values are their elements, apart by blanks. */
export function checkSet(view: HistoryView): readonly Finding[] {
  const reads = readsByKey(view);
  const additions = additionsByKey(view);
  return Array.from(reads).flatMap(([key, of]) => checkKey(key, of, additions.get(key) ?? []));
}

interface Read {
  readonly call: CallRecord;
  readonly elements: readonly string[];
}

function checkKey(
  key: string,
  reads: readonly Read[],
  additions: readonly Addition[],
): readonly Finding[] {
  const findings: Finding[] = [];
  const report = (message: string, calls: readonly CallRecord[]) => {
    const ids = calls.map(({ id }) => id);
    findings.push({ check, kind: 'violation', message: `${key}: ${message}`, calls: ids });
  };
  const possible = new Map(additions.map((addition) => [addition.element, addition]));
  const knownMs = new Map<string, { readonly atMs: number; readonly call: CallRecord }>();
  const learn = (element: string, call: CallRecord) => {
    const known = knownMs.get(element);
    if (known === undefined || call.returnMs < known.atMs) {
      knownMs.set(element, { atMs: call.returnMs, call });
    }
  };
  for (const { call, element } of additions) {
    if (isAnswered(call)) {
      learn(element, call);
    }
  }
  for (const { call, elements } of reads) {
    if (new Set(elements).size < elements.length) {
      report('a read has an element twice', [call]);
    }
    for (const element of elements) {
      learn(element, call);
      if (!possible.has(element)) {
        report(`a read has ${element}, which nobody can have added`, [call]);
      }
    }
  }
  for (const { call, elements } of reads) {
    const has = new Set(elements);
    for (const [element, known] of knownMs) {
      if (!has.has(element) && known.atMs < call.callMs) {
        report(`a read lacks ${element}, which was known before`, [known.call, call]);
      }
    }
  }
  return findings;
}

function readsByKey(view: HistoryView): ReadonlyMap<string, readonly Read[]> {
  const reads = new Map<string, Read[]>();
  for (const call of view.calls) {
    if (!isAnswered(call) || call.request.type !== 'range' || call.result.type !== 'range') {
      continue;
    }
    if (call.request.rangeEnd === undefined) {
      const value = call.result.kvs[0]?.value;
      const elements = value === undefined ? [] : value.split(' ');
      const { key } = call.request;
      reads.set(key, [...(reads.get(key) ?? []), { call, elements }]);
    }
  }
  return reads;
}

/** Additions that happened or may have: the last element of what was written. */
function additionsByKey(view: HistoryView): ReadonlyMap<string, readonly Addition[]> {
  const additions = new Map<string, Addition[]>();
  for (const call of view.calls) {
    const { request, result, outcome } = call;
    const wasRefused = result?.type === 'txn' && !result.succeeded;
    if (!isStoreRequest(request) || request.type !== 'txn' || outcome === 'fail' || wasRefused) {
      continue;
    }
    const [put] = request.success;
    const element = put?.type === 'put' ? put.value.split(' ').at(-1) : undefined;
    if (put?.type === 'put' && element !== undefined) {
      additions.set(put.key, [...(additions.get(put.key) ?? []), { call, element }]);
    }
  }
  return additions;
}

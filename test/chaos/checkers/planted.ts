/** Small histories with planted faults, for the tests of checkers. */
import type {
  CallRecord,
  FaultRecord,
  HistoryLine,
  SampleRecord,
  ServiceRequest,
  ServiceResult,
  WatchEvent,
  WatchStream,
} from '../../../chaos/history.ts';
import {
  type Finding,
  type HistoryView,
  viewHistory,
} from '../../../chaos/checkers/history-view.ts';
import type { KeyValue, StoreRequest, StoreResult } from '../../../chaos/checkers/store.ts';

let nextId = 0;

/** A call from `span[0]` to `span[1]`, successful unless said otherwise. */
export function call(
  process: number,
  [callMs, returnMs]: readonly [number, number],
  request: StoreRequest | ServiceRequest,
  result: StoreResult | ServiceResult | undefined,
  more: Partial<CallRecord> = {},
): CallRecord {
  return {
    kind: 'call',
    id: nextId++,
    process,
    member: 'n1',
    callMs,
    returnMs,
    outcome: 'ok',
    request,
    result,
    revision: 1,
    term: 1,
    attempts: 1,
    ...more,
  };
}

/** A put of `key` that made `revision`. */
export function put(
  process: number,
  span: readonly [number, number],
  [key, value]: readonly [string, string],
  revision: number,
  more: Partial<CallRecord> = {},
): CallRecord {
  return call(process, span, { type: 'put', key, value }, { type: 'put' }, { revision, ...more });
}

/** A read of one key, or of `[key, rangeEnd)`. */
export function read(
  process: number,
  span: readonly [number, number],
  key: string,
  kvs: readonly KeyValue[],
  more: Partial<CallRecord> & { readonly rangeEnd?: string } = {},
): CallRecord {
  const { rangeEnd, ...rest } = more;
  const request: StoreRequest = { type: 'range', key, rangeEnd };
  return call(process, span, request, { type: 'range', kvs, count: kvs.length }, rest);
}

/** A key as it was written first, at `revision`. */
export function record(key: string, value: string, revision = 1): KeyValue {
  return { key, value, createRevision: revision, modRevision: revision, version: 1 };
}

/** An event of a put that created its key, unless said otherwise. */
export function putEvent(
  modRevision: number,
  key: string,
  value: string,
  { createRevision = modRevision, version = 1 } = {},
): WatchEvent {
  return { type: 'put', key, value, modRevision, createRevision, version };
}

/** An event of a deletion. */
export function deleteEvent(modRevision: number, key: string): WatchEvent {
  return { type: 'delete', key, value: '', modRevision, createRevision: 0, version: 0 };
}

/** A stream on which each list of events came as one response, the revision's at that time. */
export function stream(
  responses: readonly (readonly WatchEvent[])[],
  startRevision = 1,
  end: WatchStream['end'] = 'closed',
): WatchStream {
  return {
    startRevision,
    end,
    responses: responses.map((events) => {
      const revision = events.at(-1)?.modRevision ?? 0;
      return { atMs: revision * 10, revision, events };
    }),
  };
}

/** A watcher with these streams. */
export function watch(watcher: string, ...streams: readonly WatchStream[]): HistoryLine {
  return { kind: 'watch', watcher, member: watcher, streams };
}

/** A watcher that got each of these events in a response of its own. */
export function account(...events: readonly WatchEvent[]): HistoryLine {
  return watch('n1', stream(events.map((event) => [event])));
}

/** A fault from `fromMs` to `toMs` that left a majority. */
export function fault(fromMs: number, toMs: number, more: Partial<FaultRecord> = {}): FaultRecord {
  return {
    kind: 'fault',
    name: 'cut',
    what: 'n1 is cut off',
    fromMs,
    toMs,
    members: ['n1'],
    keepsMajority: true,
    evidence: 'seen',
    ...more,
  };
}

/** A member's clock that goes at this rate. */
export function clock(member: string, rate: number): HistoryLine {
  return { kind: 'clock', atMs: 0, member, rate };
}

/** What a member said of itself. */
export function sample(
  atMs: number,
  member: string,
  state: SampleRecord['state'],
  term: number,
): SampleRecord {
  return { kind: 'sample', atMs, member, state, term };
}

/** The lines as a view, of a cluster of n1 alone unless said otherwise. */
export function view(
  lines: readonly HistoryLine[],
  members: readonly string[] = ['n1'],
): HistoryView {
  return viewHistory(lines, members);
}

/** What findings say. */
export function messages(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ message }) => message);
}

/**
 * A run's history, arranged for checks: calls, samples, faults, and the store's own account of
 * itself, which is the events of its watchers by revision.
 *
 * The account is put together from all watchers. That each of them got all of it is checked by
 * `watches.ts`, that it holds what was acknowledged by `durability.ts`.
 */
import type {
  CallRecord,
  CrashRecord,
  FaultRecord,
  HashRecord,
  HistoryLine,
  LeadershipRecord,
  SampleRecord,
  ServiceRequest,
  WatchEvent,
  WatchRecord,
} from '../history.ts';
import type { KeyValue, StoreRequest, StoreResult } from './store.ts';

/** What a check has found. */
export interface Finding {
  /** Which check. */
  readonly check: string;
  /** A check that could not tell is no success. */
  readonly kind: 'violation' | 'undecided';
  readonly message: string;
  /** The calls that it is about, by id. */
  readonly calls: readonly number[];
}

/** A history, arranged. */
export interface HistoryView {
  readonly members: readonly string[];
  readonly calls: readonly CallRecord[];
  readonly samples: readonly SampleRecord[];
  readonly faults: readonly FaultRecord[];
  /** Between these rates all clocks of members went; the test's own is 1. */
  readonly clockRates: { readonly slowest: number; readonly fastest: number };
  readonly leaderships: readonly LeadershipRecord[];
  readonly watches: readonly WatchRecord[];
  readonly hashes: readonly HashRecord[];
  readonly crashes: readonly CrashRecord[];
  /** The events of each revision, ascending by revision, each revision's by key. */
  readonly events: ReadonlyMap<number, readonly WatchEvent[]>;
  /** When a revision was first seen. */
  readonly seenMs: ReadonlyMap<number, number>;
  /** The last revision that anybody has told of. */
  readonly lastRevision: number;
}

/** A call on keys that succeeded. */
export type StoreCallRecord = CallRecord & {
  readonly request: StoreRequest;
  readonly result: StoreResult;
  readonly revision: number;
};

/** Arranges `lines`; `members` are those whose clients were served. */
export function viewHistory(
  lines: readonly HistoryLine[],
  members: readonly string[],
): HistoryView {
  const of = <Kind extends HistoryLine['kind']>(kind: Kind) =>
    lines.filter((line): line is Extract<HistoryLine, { kind: Kind }> => line.kind === kind);
  const calls = of('call').sort((a, b) => a.callMs - b.callMs);
  const watches = of('watch');
  const { events, seenMs } = collectEvents(watches);
  const rates = [1, ...of('clock').map(({ rate }) => rate)];
  const told = calls.map(({ revision = 0 }) => revision);
  return {
    members,
    calls,
    samples: of('sample'),
    faults: of('fault'),
    clockRates: { slowest: Math.min(...rates), fastest: Math.max(...rates) },
    leaderships: of('leadership'),
    watches,
    hashes: of('hash'),
    crashes: of('crash'),
    events,
    seenMs,
    lastRevision: Math.max(0, ...events.keys(), ...told),
  };
}

/** Whether a request is one on keys, not on leases, locks or elections. */
export function isStoreRequest(request: StoreRequest | ServiceRequest): request is StoreRequest {
  return (
    request.type === 'put' ||
    request.type === 'range' ||
    request.type === 'deleteRange' ||
    request.type === 'txn'
  );
}

/** Whether a call on keys succeeded. */
export function isAnswered(call: CallRecord): call is StoreCallRecord {
  return call.outcome === 'ok' && isStoreRequest(call.request);
}

/** The keys as they are after all events up to `revision`. */
export function stateAt(
  { events }: HistoryView,
  revision = Number.POSITIVE_INFINITY,
): ReadonlyMap<string, KeyValue> {
  const state = new Map<string, KeyValue>();
  for (const [at, changes] of events) {
    if (at > revision) {
      break;
    }
    for (const { type, key, value, modRevision, createRevision, version } of changes) {
      if (type === 'put') {
        state.set(key, { key, value, modRevision, createRevision, version });
      } else {
        state.delete(key);
      }
    }
  }
  return state;
}

function collectEvents(watches: readonly WatchRecord[]) {
  const byRevision = new Map<number, Map<string, WatchEvent>>();
  const seenMs = new Map<number, number>();
  for (const { streams } of watches) {
    for (const { atMs, events } of streams.flatMap(({ responses }) => responses)) {
      for (const event of events) {
        const { modRevision, key } = event;
        const changes = byRevision.get(modRevision) ?? new Map<string, WatchEvent>();
        byRevision.set(modRevision, changes.set(key, changes.get(key) ?? event));
        seenMs.set(modRevision, Math.min(atMs, seenMs.get(modRevision) ?? atMs));
      }
    }
  }
  const ascending = Array.from(byRevision).sort(([a], [b]) => a - b);
  const events = new Map(
    ascending.map(([revision, changes]) => [
      revision,
      Array.from(changes.values()).sort((a, b) => (a.key < b.key ? -1 : 1)),
    ]),
  );
  return { events, seenMs };
}

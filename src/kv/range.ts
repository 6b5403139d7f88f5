/**
 * Reading ranges: any past state that is not compacted, from any engine state at or after it.
 *
 * A read at revision R takes the current records of the range in contiguous scans. A record that
 * was changed after R is followed back along its chain of previous changes in the revisions table,
 * all keys of a scanned chunk together, one batch of gets per step. A link that is not there any
 * more was removed by a compaction that the reader's revision has passed, and means "absent". So
 * the cost of reading the newest state does not depend on the length of history, and a key that
 * does not change costs nothing to historical reads.
 *
 * Inside a batch that is being applied, the same code reads through an {@link Overlay} of the
 * changes that the batch has made and the engine does not hold yet.
 *
 * Answers are etcd's, to the letter: `count` is of all keys in the range whatever the limit and
 * filters, and a sort target without an order sorts the page that the limit has cut in key order.
 * Counting means scanning the whole range; who can do without (`noCount`) has reading end behind
 * the limit.
 */
import {
  assert,
  compareBytes,
  emptyBytes,
  equalBytes,
  type ErrorCode,
  must,
} from '../base/index.ts';
import type { KeySelector, KeyValue, RangeOperation, RangeResult } from './command.ts';
import {
  type EngineRange,
  isPoint,
  keysKey,
  keysRange,
  revisionKey,
  userKeyOf,
} from './key-layout.ts';
import { expectGet, type Reading, type StoredRecord } from './need.ts';
import {
  decodeCurrent,
  decodeEvent,
  type MvccRecord,
  peekRecord,
  recordToKeyValue,
} from './record.ts';
import { ChunkedScan } from './scan.ts';

/** The state that a read is made on. */
export interface ReadPoint {
  /** The store's revision; reads that name no revision are made at this one. */
  readonly revision: number;
  readonly compactRevision: number;
}

/** A read that the state machine refuses. */
export interface RangeRefused {
  readonly kind: 'refused';
  readonly code: ErrorCode;
}

/** A range's result, or why there is none. */
export type RangeOutcome = { readonly kind: 'ok'; readonly result: RangeResult } | RangeRefused;

/** What a read keeps for its answer, told while it goes on; only the read changes it. */
export interface RangeGauge {
  /** Bytes of the keys and values that are kept so far. */
  keptBytes: number;
  /**
   * The answer ends with the key by which so many bytes are kept, as it does at a limit; of reads
   * in key order.
   */
  readonly keptBytesMax?: number | undefined;
}

/** Changes of a batch that the engine does not hold yet. */
export interface Overlay {
  /** Current record of a key, which the batch has loaded beforehand. */
  pointRecord(key: Uint8Array): MvccRecord | undefined;
  /** Current records that the batch has written in a range of the keys table, by ascending key. */
  changedIn(range: EngineRange): readonly StoredRecord[];
  /** An event that the batch has written. */
  eventAt(revisionKey: Uint8Array): Uint8Array | undefined;
}

/** Told of each key that is live at the revision, in ascending order. `read` decodes its record. */
export type RangeVisitor = (key: Uint8Array, read: () => MvccRecord) => void;

/** The state whose keys are visited. */
export interface VisitedState {
  readonly revision: number;
  readonly overlay?: Overlay | undefined;
  /** How many more keys are of use; visits end when none is. All are when absent. */
  readonly wanted?: () => number;
}

/** Returns the revision to read at, or the code of the refusal. Order of the checks as in etcd. */
export function resolveRevision(revision: number, at: ReadPoint): number | ErrorCode {
  if (revision > at.revision) {
    return 'FUTURE_REVISION';
  }
  const resolved = revision > 0 ? revision : at.revision;
  return resolved < at.compactRevision ? 'COMPACTED' : resolved;
}

/**
 * Answers a range at `range.revision`, or at `at.revision` when it names none.
 *
 * @remarks
 * The engine may be ahead of `at`. All needs should be answered from one pinned engine state;
 * otherwise the caller must check, once this has ended, that nothing above the revision read has
 * been compacted meanwhile.
 */
export function* rangeQuery(
  range: RangeOperation,
  at: ReadPoint,
  overlay?: Overlay,
  gauge: RangeGauge = { keptBytes: 0 },
): Reading<RangeOutcome> {
  const revision = resolveRevision(range.revision, at);
  if (typeof revision === 'string') {
    return { kind: 'refused', code: revision };
  }
  const collector = new RangeCollector(range, gauge);
  const wanted = (): number => collector.wanted;
  yield* visitRange(range, { revision, overlay, wanted }, collector.visit);
  return { kind: 'ok', result: collector.finish() };
}

/**
 * Answers a range of one key whose record at the revision read is known; undefined means absent.
 */
export function pointResult(range: RangeOperation, record: MvccRecord | undefined): RangeResult {
  const collector = new RangeCollector(range, { keptBytes: 0 });
  if (record !== undefined && !record.isTombstone) {
    collector.visit(range.key, () => record);
  }
  return collector.finish();
}

/** Visits the keys of `selector` that are live at the revision. */
export function* visitRange(
  selector: KeySelector,
  { revision, overlay, wanted = () => Number.POSITIVE_INFINITY }: VisitedState,
  visit: RangeVisitor,
): Reading<void> {
  if (isPoint(selector)) {
    yield* visitPoint(selector.key, revision, overlay, visit);
    return;
  }
  const { gte, lt } = keysRange(selector);
  if (compareBytes(gte, lt) >= 0) {
    return;
  }
  const changed = overlay?.changedIn({ gte, lt }) ?? [];
  let changedAt = 0;
  const scan = new ChunkedScan({ gte, lt });
  let left = wanted();
  // Behind records that are of no use, tombstones above all, chunks grow as they do anywhere.
  let isEachOfUse = true;
  while (!scan.isDone && left > 0) {
    if (isEachOfUse) {
      scan.limitTo(left);
    }
    const records = scan.take(yield scan.need);
    const { lastKey } = scan;
    const changedEnd =
      lastKey === undefined ? changed.length : countUpTo(changed, changedAt, lastKey);
    const merged = mergeRecords(records, changed.slice(changedAt, changedEnd));
    changedAt = changedEnd;
    yield* visitRecords(merged, revision, overlay, visit);
    const before = left;
    left = wanted();
    isEachOfUse = before - left >= records.length;
  }
}

function* visitPoint(
  key: Uint8Array,
  revision: number,
  overlay: Overlay | undefined,
  visit: RangeVisitor,
): Reading<void> {
  let record: MvccRecord | undefined;
  if (overlay === undefined) {
    const need = { type: 'get', keys: [keysKey(key)], afterWrites: true } as const;
    const [bytes] = expectGet(yield need).values;
    record = bytes === undefined ? undefined : decodeCurrent(bytes);
  } else {
    record = overlay.pointRecord(key);
  }
  if (record !== undefined && record.main > revision) {
    const walk = { key, next: prevKeyOf(record), event: undefined };
    yield* walkChains([walk], revision, overlay);
    const { event } = walk as ChainWalk;
    record = event === undefined ? undefined : decodeEvent(event).record;
  }
  if (record !== undefined && !record.isTombstone) {
    const found = record;
    visit(key, () => found);
  }
}

/** One key on its way back through history. */
interface ChainWalk {
  readonly key: Uint8Array;
  /** The next event to look at; undefined at the end of the chain. */
  next: Uint8Array | undefined;
  /** The newest event at or before the revision, once found. */
  event: Uint8Array | undefined;
}

function* visitRecords(
  records: readonly StoredRecord[],
  revision: number,
  overlay: Overlay | undefined,
  visit: RangeVisitor,
): Reading<void> {
  const walks: ChainWalk[] = [];
  const walkByIndex = new Map<number, ChainWalk>();
  for (const [index, { key, value }] of records.entries()) {
    if (peekRecord(value).main > revision) {
      const walk = { key, next: prevKeyOf(decodeCurrent(value)), event: undefined };
      walks.push(walk);
      walkByIndex.set(index, walk);
    }
  }
  yield* walkChains(walks, revision, overlay);
  for (const [index, { key, value }] of records.entries()) {
    const walk = walkByIndex.get(index);
    if (walk === undefined) {
      if (!peekRecord(value).isTombstone) {
        visit(userKeyOf(key), () => decodeCurrent(value));
      }
    } else {
      const { event } = walk;
      if (event !== undefined && !peekRecord(event).isTombstone) {
        visit(userKeyOf(key), () => decodeEvent(event).record);
      }
    }
  }
}

/**
 * Goes back one event per step on all chains together, until each is at or before `revision`, or
 * ends.
 */
function* walkChains(
  walks: readonly ChainWalk[],
  revision: number,
  overlay: Overlay | undefined,
): Reading<void> {
  let open = walks.filter((walk) => walk.next !== undefined);
  while (open.length > 0) {
    const events = yield* loadEvents(
      open.map((walk) => must(walk.next, 'the next event of an open chain')),
      overlay,
    );
    for (const [index, walk] of open.entries()) {
      const event = events[index];
      walk.next = undefined;
      if (event !== undefined) {
        if (peekRecord(event).main <= revision) {
          walk.event = event;
        } else {
          walk.next = prevKeyOf(decodeEvent(event).record);
        }
      }
    }
    open = open.filter((walk) => walk.next !== undefined);
  }
}

function* loadEvents(
  keys: readonly Uint8Array[],
  overlay: Overlay | undefined,
): Reading<readonly (Uint8Array | undefined)[]> {
  const events = keys.map((key) => overlay?.eventAt(key));
  const missing = keys.filter((_key, index) => events[index] === undefined);
  if (missing.length === 0) {
    return events;
  }
  const { values } = expectGet(yield { type: 'get', keys: missing, afterWrites: true });
  let at = 0;
  return events.map((event) => event ?? values[at++]);
}

function prevKeyOf(record: MvccRecord): Uint8Array | undefined {
  return record.prevMain === 0 ? undefined : revisionKey(record.prevMain, record.prevSub);
}

/** Index of the first of `records`, from `start` on, whose key is above `last`. */
function countUpTo(records: readonly StoredRecord[], start: number, last: Uint8Array): number {
  let at = start;
  for (; at < records.length; at++) {
    if (compareBytes(must(records[at], 'a changed record').key, last) > 0) {
      break;
    }
  }
  return at;
}

/** Merges two ascending lists; where both have a key, the one of `changed` counts. */
function mergeRecords(
  records: readonly StoredRecord[],
  changed: readonly StoredRecord[],
): readonly StoredRecord[] {
  if (changed.length === 0) {
    return records;
  }
  const merged: StoredRecord[] = [];
  let at = 0;
  for (const record of records) {
    let candidate = changed[at];
    while (candidate !== undefined && compareBytes(candidate.key, record.key) < 0) {
      merged.push(candidate);
      candidate = changed[++at];
    }
    if (candidate !== undefined && equalBytes(candidate.key, record.key)) {
      merged.push(candidate);
      at++;
    } else {
      merged.push(record);
    }
  }
  for (; at < changed.length; at++) {
    merged.push(must(changed[at], 'a changed record'));
  }
  return merged;
}

type Comparator = (a: KeyValue, b: KeyValue) => number;

const comparators: Readonly<Record<RangeOperation['sortTarget'], Comparator>> = {
  key: (a, b) => compareBytes(a.key, b.key),
  version: (a, b) => a.version - b.version,
  create: (a, b) => a.createRevision - b.createRevision,
  mod: (a, b) => a.modRevision - b.modRevision,
  value: (a, b) => compareBytes(a.value, b.value),
};

/**
 * Turns visited keys into a result: counts, filters, sorts, and keeps no more than the answer can
 * need.
 */
class RangeCollector {
  readonly #range: RangeOperation;
  readonly #gauge: RangeGauge;
  /** Keys of the answer at most; 0 or less for any number. */
  #limit: number;
  readonly #hasFilter: boolean;
  readonly #comparator: Comparator | undefined;
  /**
   * How many keys in key order are looked at before sorting; the one above the limit tells of
   * `more`.
   */
  #pageMax: number;
  /** Above so many, kept keys are cut to what can still be in the answer. */
  readonly #keptMax: number;
  readonly #kept: KeyValue[] = [];
  #count = 0;
  /** Keys that passed the filters. */
  #passed = 0;

  constructor(range: RangeOperation, gauge: RangeGauge) {
    const { limit, sortOrder, sortTarget } = range;
    this.#range = range;
    this.#gauge = gauge;
    this.#limit = limit;
    this.#hasFilter =
      range.minModRevision !== 0 ||
      range.maxModRevision !== 0 ||
      range.minCreateRevision !== 0 ||
      range.maxCreateRevision !== 0;
    const isKeyOrder = sortTarget === 'key' && sortOrder !== 'descend';
    const comparator = comparators[sortTarget];
    this.#comparator = isKeyOrder
      ? undefined
      : sortOrder === 'descend'
        ? (a, b) => comparator(b, a)
        : comparator;
    const isPaged = limit > 0 && (isKeyOrder || (sortOrder === 'none' && !this.#hasFilter));
    this.#pageMax = isPaged ? limit + 1 : Number.POSITIVE_INFINITY;
    this.#keptMax = limit > 0 ? 2 * limit + 1000 : Number.POSITIVE_INFINITY;
    assert(isKeyOrder || gauge.keptBytesMax === undefined, 'only a prefix can end by its bytes');
  }

  /** How many more keys can make a difference to the result. */
  get wanted(): number {
    const { countOnly, noCount } = this.#range;
    return noCount && !countOnly ? this.#pageMax - this.#passed : Number.POSITIVE_INFINITY;
  }

  readonly visit: RangeVisitor = (key, read) => {
    this.#count++;
    if (this.#range.countOnly || this.#passed >= this.#pageMax) {
      return;
    }
    const kv = recordToKeyValue(key, read());
    if (this.#hasFilter && !passesFilter(this.#range, kv)) {
      return;
    }
    this.#passed++;
    this.#keep(kv);
    if (this.#kept.length > this.#keptMax) {
      this.#cut();
    }
  };

  finish(): RangeResult {
    this.#cut();
    const { keysOnly, noCount, countOnly } = this.#range;
    const kvs = keysOnly ? this.#kept.map(withoutValue) : this.#kept;
    const count = noCount && !countOnly ? 0 : this.#count;
    return { type: 'range', kvs, more: this.#limit > 0 && this.#passed > this.#limit, count };
  }

  #keep(kv: KeyValue): void {
    const { keysOnly, sortTarget } = this.#range;
    // A value that only sorts is kept until then.
    const kept = keysOnly && sortTarget !== 'value' ? withoutValue(kv) : kv;
    this.#kept.push(kept);
    const gauge = this.#gauge;
    gauge.keptBytes += kept.key.length + kept.value.length;
    const { keptBytesMax = Number.POSITIVE_INFINITY } = gauge;
    if (gauge.keptBytes >= keptBytesMax && (this.#limit <= 0 || this.#passed < this.#limit)) {
      this.#limit = this.#passed;
      this.#pageMax = this.#passed + 1;
    }
  }

  /**
   * Sorts, and drops what is beyond the limit. Stable, so keys that compare equal stay in key
   * order.
   */
  #cut(): void {
    if (this.#comparator !== undefined) {
      this.#kept.sort(this.#comparator);
    }
    if (this.#limit > 0 && this.#kept.length > this.#limit) {
      this.#kept.length = this.#limit;
      let bytes = 0;
      for (const { key, value } of this.#kept) {
        bytes += key.length + value.length;
      }
      this.#gauge.keptBytes = bytes;
    }
  }
}

function withoutValue(kv: KeyValue): KeyValue {
  return { ...kv, value: emptyBytes };
}

function passesFilter(range: RangeOperation, kv: KeyValue): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = range;
  return (
    (maxModRevision === 0 || kv.modRevision <= maxModRevision) &&
    (minModRevision === 0 || kv.modRevision >= minModRevision) &&
    (maxCreateRevision === 0 || kv.createRevision <= maxCreateRevision) &&
    (minCreateRevision === 0 || kv.createRevision >= minCreateRevision)
  );
}

/**
 * Hashes over stored records, for comparing members: what etcd calls HashKV and Hash.
 *
 * {@link hashKv} speaks of the state that clients can see: all history from the compact revision up
 * to the revision asked for, and every key as it is at that revision. Members that have physically
 * removed more or less of what was compacted, or have applied more entries since, give the same
 * hash. It is a sum over records, each hashed with its key, since no order of them comes cheap:
 *
 * ```text
 *   compacted to C, hash at R
 *   revisions table    ····o····o·o··|o··o··o·o··|··o··    o  counted: all events from C to R,
 *                          ^    |    C           R            and what one of them above C names
 *                          '----+-- previous change           as the change before it
 *   keys table at R    every live key
 * ```
 *
 * A key that has not changed since C counts with its current record, which is what reads look at,
 * and not with its event. An older event that a change at or before C has superseded, or a deletion
 * before C, may or may not be gone; neither is ever counted.
 */
import type { ErrorCode } from '../base/index.ts';
import { revisionKey, revisionsRange, stateRanges } from './key-layout.ts';
import { expectGet, type Reading, type StoredRecord } from './need.ts';
import { type ReadPoint, visitRange } from './range.ts';
import { decodeEvent, type MvccRecord, peekRecord } from './record.ts';
import { ChunkedScan } from './scan.ts';
import { HashSum, type HashWords, StateHasher } from './state-hash.ts';

/** The hash over the keyspace, or why there is none. */
export type HashKvOutcome =
  | {
      readonly kind: 'ok';
      /** 32 bits, unsigned. */
      readonly hash: number;
      /** The revision that it was taken at, and the compact revision it counts from. */
      readonly hashRevision: number;
      readonly compactRevision: number;
    }
  | { readonly kind: 'refused'; readonly code: ErrorCode };

const kindEvent = 1;
const kindLive = 2;
const kindKey = 3;
const kindValue = 4;

const allKeys = { key: Uint8Array.of(0), rangeEnd: Uint8Array.of(0) };

/**
 * Hashes the keyspace at `revision`, or at `at.revision` when it is 0 (or less).
 *
 * @remarks
 * As for `rangeQuery`, the engine may be ahead of `at`. All needs should be answered from one
 * pinned engine state; otherwise the caller must check, once this has ended, that nothing has been
 * compacted beyond `at.compactRevision` meanwhile.
 */
export function* hashKv(revision: number, at: ReadPoint): Reading<HashKvOutcome> {
  const { compactRevision } = at;
  // At the compact revision itself, too, as a range is: a restored cluster begins there.
  if (revision > 0 && revision < compactRevision) {
    return { kind: 'refused', code: 'COMPACTED' };
  }
  if (revision > at.revision) {
    return { kind: 'refused', code: 'FUTURE_REVISION' };
  }
  const hashRevision = revision > 0 ? revision : at.revision;
  const sum = new HashSum();
  yield* addHistory(sum, hashRevision, compactRevision);
  yield* visitRange(allKeys, { revision: hashRevision }, (key, read) => {
    sum.add(hashRecord(kindLive, key, read()));
  });
  return { kind: 'ok', hash: fold(sum.words), hashRevision, compactRevision };
}

/**
 * Hashes every stored record, this member's own bookkeeping included. Members of equal state may
 * differ in it: for tests, as etcd's Hash is.
 *
 * @internal for tests.
 */
export function* hashState(): Reading<number> {
  const hasher = new StateHasher();
  for (const range of stateRanges) {
    const scan = new ChunkedScan(range);
    while (!scan.isDone) {
      for (const { key, value } of scan.take(yield scan.need)) {
        hasher.bytes(kindKey, key);
        hasher.bytes(kindValue, value);
      }
    }
  }
  return fold(hasher.finish());
}

function* addHistory(sum: HashSum, revision: number, compactRevision: number): Reading<void> {
  const from = { main: Math.max(0, compactRevision), sub: 0 };
  const scan = new ChunkedScan(revisionsRange(from, revision));
  while (!scan.isDone) {
    const prevKeys = addEvents(sum, scan.take(yield scan.need), compactRevision);
    if (prevKeys.length > 0) {
      const { values } = expectGet(yield { type: 'get', keys: prevKeys, afterWrites: true });
      for (const value of values) {
        if (value !== undefined && !peekRecord(value).isTombstone) {
          addEvent(sum, value);
        }
      }
    }
  }
}

/** Adds events, and returns the keys of those before the compaction that they refer to. */
function addEvents(
  sum: HashSum,
  records: readonly StoredRecord[],
  compactRevision: number,
): readonly Uint8Array[] {
  const prevKeys: Uint8Array[] = [];
  for (const { value } of records) {
    const { main, prevMain, prevSub } = addEvent(sum, value);
    if (main > compactRevision && prevMain !== 0 && prevMain < compactRevision) {
      prevKeys.push(revisionKey(prevMain, prevSub));
    }
  }
  return prevKeys;
}

function addEvent(sum: HashSum, bytes: Uint8Array): MvccRecord {
  const { key, record } = decodeEvent(bytes);
  sum.add(hashRecord(kindEvent, key, record));
  return record;
}

function hashRecord(kind: number, key: Uint8Array, record: MvccRecord): HashWords {
  const hasher = new StateHasher();
  hasher.mix(kind, record.isTombstone ? 1 : 0);
  hasher.number(record.main);
  hasher.number(record.sub);
  hasher.number(record.createRevision);
  hasher.number(record.version);
  hasher.number(record.prevMain);
  hasher.number(record.prevSub);
  if (record.lease !== 0n) {
    hasher.mix(Number(record.lease & 0xffff_ffffn), Number((record.lease >> 32n) & 0xffff_ffffn));
  }
  hasher.bytes(kindKey, key);
  hasher.bytes(kindValue, record.value);
  return hasher.finish();
}

function fold({ high, low }: HashWords): number {
  return (high ^ low) >>> 0;
}

/**
 * Past events of the keyspace, in the order of revisions, for those who watch it.
 */
import { append, assert, must } from '../base/index.ts';
import type { KeyValue } from './command.ts';
import { revisionKey, revisionOf, revisionsRange } from './key-layout.ts';
import { expectGet, expectScan, type Reading, type StoredRecord } from './need.ts';
import { decodeEvent, type MvccRecord, recordToKeyValue } from './record.ts';

/** One change of one key, decoded when somebody looks. */
export class HistoryEvent {
  /** Revision of the change. */
  readonly main: number;
  readonly #bytes: Uint8Array;
  #decoded: { readonly key: Uint8Array; readonly record: MvccRecord } | undefined;

  /** Of a record of the revisions table. */
  constructor({ key, value }: StoredRecord) {
    this.main = revisionOf(key).main;
    this.#bytes = value;
  }

  /** Memory that it takes, about. */
  get bytes(): number {
    return this.#bytes.length + eventOverheadBytes;
  }

  get key(): Uint8Array {
    return this.#decode().key;
  }

  get isDelete(): boolean {
    return this.#decode().record.isTombstone;
  }

  /** Whether it is the end of a key whose time was up, or whose lease's was. */
  get isExpiry(): boolean {
    return this.#decode().record.isExpired;
  }

  /** As clients see it; of a deletion the key and the revision alone. */
  get keyValue(): KeyValue {
    const { key, record } = this.#decode();
    return recordToKeyValue(key, record);
  }

  /** Where the event is that says what the key was before; undefined when there was no such key. */
  get previousKey(): Uint8Array | undefined {
    const { record } = this.#decode();
    const isCreation = record.version === 1;
    return isCreation || record.prevMain === 0
      ? undefined
      : revisionKey(record.prevMain, record.prevSub);
  }

  #decode(): { readonly key: Uint8Array; readonly record: MvccRecord } {
    this.#decoded ??= decodeEvent(this.#bytes);
    return this.#decoded;
  }
}

const eventOverheadBytes = 200;

/** A piece of history. */
export interface HistoryPiece {
  readonly events: readonly HistoryEvent[];
  /** All events from the beginning of the piece up to this revision are in it. */
  readonly throughRevision: number;
}

/**
 * Reads events from revision `from` on, up to `through`: about `limit` of them, but never a
 * revision in part.
 */
export function* readHistory(from: number, through: number, limit: number): Reading<HistoryPiece> {
  assert(from <= through && limit > 0, 'a piece of history is not empty');
  const records: StoredRecord[] = [];
  let next = { main: from, sub: 0 };
  for (;;) {
    const range = revisionsRange(next, through);
    const need = { type: 'scan', ...range, limit, reverse: false, afterWrites: true } as const;
    const { records: found } = expectScan(yield need);
    append(records, found);
    if (found.length < limit) {
      return { events: records.map((each) => new HistoryEvent(each)), throughRevision: through };
    }
    const last = revisionOf(must(found.at(-1), 'the last record of a full scan').key);
    if (last.main > from) {
      const whole = records.map((each) => new HistoryEvent(each));
      return {
        events: whole.filter(({ main }) => main < last.main),
        throughRevision: last.main - 1,
      };
    }
    next = { main: last.main, sub: last.sub + 1 };
  }
}

/** Keys that are asked for at a time, while nobody knows how long their values are; and at most. */
const previousKeysMin = 16;
const previousKeysMax = 1024;
/** What a value that nobody has seen is taken for: where room is short, fewer are asked for. */
const unseenBytes = 256 * 1024;

/**
 * Reads what keys were before these events; undefined for one that is compacted. It ends with the
 * piece by which they take `bytesMax` bytes: then the answer is shorter than what was asked for.
 */
export function* readPrevious(
  previousKeys: readonly Uint8Array[],
  bytesMax: number,
): Reading<readonly (KeyValue | undefined)[]> {
  const found: (KeyValue | undefined)[] = [];
  let bytes = 0;
  const few = Math.max(1, Math.min(previousKeysMin, Math.floor(bytesMax / unseenBytes)));
  let count = few;
  while (found.length < previousKeys.length && bytes < bytesMax) {
    const keys = previousKeys.slice(found.length, found.length + count);
    const { values } = expectGet(yield { type: 'get', keys, afterWrites: true });
    for (const value of values) {
      bytes += value?.length ?? 0;
      found.push(value === undefined ? undefined : previousOf(value));
    }
    // What is left of the bytes, at the length of those so far.
    const fitting = Math.floor(((bytesMax - bytes) * found.length) / Math.max(1, bytes));
    count = Math.max(few, Math.min(fitting, 4 * count, previousKeysMax));
  }
  return found;
}

function previousOf(event: Uint8Array): KeyValue | undefined {
  const { key, record } = decodeEvent(event);
  return record.isTombstone ? undefined : recordToKeyValue(key, record);
}

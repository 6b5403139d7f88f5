/**
 * The bytes of the keyspace's records.
 *
 * One change writes two records that share their bytes: the event is the current record followed by
 * the current record's engine key. So a put is encoded once, in one piece, whatever is made of it:
 *
 * ```text
 *   | format flags main sub create version prev lease ttl length value | 'k' key | 'r' main sub |
 *   '------------------------- current record -------------------------' its key   event's key
 *   '------------------------------ event -------------------------------------'
 * ```
 *
 * Numbers are varints; `prev` (main, sub), `lease` and `ttl` are there when the flags say so. The
 * first byte is the format's version. Every decoder checks lengths to the last byte.
 */
import { assert, emptyBytes } from '../base/index.ts';
import type { KeyValue, LeaseId } from './command.ts';
import { keysTable, revisionKeyBytes, subMax, userKeyOf, writeRevisionKey } from './key-layout.ts';
import type { Slab, SlabAllocator } from './slab.ts';
import { ByteReader, varintBytesMax, writeBigint64, writeVarint } from './varint.ts';

/** A key's state after one of its changes. */
export interface MvccRecord {
  /** The change's revision. */
  readonly main: number;
  readonly sub: number;
  readonly createRevision: number;
  /** Changes since creation, 1 for the first; 0 in a tombstone, as is `createRevision`. */
  readonly version: number;
  readonly lease: LeaseId;
  /** Revision of the key's change before this one; `prevMain` is 0 when there is none. */
  readonly prevMain: number;
  readonly prevSub: number;
  readonly isTombstone: boolean;
  /** Of a tombstone: nobody deleted the key, its time was up, or its lease's. */
  readonly isExpired: boolean;
  /** Milliseconds that the key lasts from this change on; 0 when it has no time to live. */
  readonly ttlMs: number;
  /** Whether puts that say nothing of the time to live begin it anew. */
  readonly refreshesTtl: boolean;
  readonly value: Uint8Array;
}

/**
 * Where a change's bytes are in its slab. Views of them are made anew each time one is asked for: a
 * change is kept for long, and most of its views are not, which the garbage collector feels.
 */
export class EncodedChange {
  readonly slab: Slab;
  readonly #start: number;
  readonly #valueAt: number;
  readonly #keyAt: number;
  readonly #revisionAt: number;

  constructor(
    slab: Slab,
    at: {
      readonly start: number;
      readonly valueAt: number;
      readonly keyAt: number;
      readonly revisionAt: number;
    },
  ) {
    this.slab = slab;
    this.#start = at.start;
    this.#valueAt = at.valueAt;
    this.#keyAt = at.keyAt;
    this.#revisionAt = at.revisionAt;
  }

  /** The current record's key. */
  get keysKey(): Uint8Array {
    return this.#view(this.#keyAt, this.#revisionAt);
  }

  get current(): Uint8Array {
    return this.#view(this.#start, this.#keyAt);
  }

  /** The event's key. */
  get revisionKey(): Uint8Array {
    return this.#view(this.#revisionAt, this.#revisionAt + revisionKeyBytes);
  }

  get event(): Uint8Array {
    return this.#view(this.#start, this.#revisionAt);
  }

  /** The value inside them. */
  get value(): Uint8Array {
    return this.#view(this.#valueAt, this.#keyAt);
  }

  #view(start: number, end: number): Uint8Array {
    // By the constructor, which takes half the time of `subarray`.
    return new Uint8Array(this.slab.bytes.buffer, start, end - start);
  }
}

/** A change as the revisions table holds it. */
export interface MvccEvent {
  readonly key: Uint8Array;
  readonly record: MvccRecord;
}

const recordFormat = 1;
const flagTombstone = 1;
const flagPrev = 2;
const flagLease = 4;
const flagTtl = 8;
const flagTtlRefresh = 16;
const flagExpired = 32;
const flagsKnown = 63;

/** Format, flags, seven numbers, the lease and the value's length. */
const headerBytesMax = 2 + 8 * varintBytesMax + 8;

/** Encodes a change of `userKey`: its current record, its event, and the keys of both. */
export function encodeChange(
  slabs: SlabAllocator,
  userKey: Uint8Array,
  record: MvccRecord,
): EncodedChange {
  const { main, sub, value } = record;
  assert(sub <= subMax, 'a revision holds at most 2^32 changes');
  const valueLength = value.length;
  const keyLength = userKey.length + 1;
  const slab = slabs.reserve(headerBytesMax + valueLength + keyLength + revisionKeyBytes);
  const { bytes, used: start } = slab;
  const at = writeHeader(bytes, start, record);
  const valueAt = writeVarint(bytes, at, valueLength);
  bytes.set(value, valueAt);
  const keyAt = valueAt + valueLength;
  bytes[keyAt] = keysTable;
  bytes.set(userKey, keyAt + 1);
  const revisionAt = keyAt + keyLength;
  writeRevisionKey(bytes, revisionAt, main, sub);
  slab.used = revisionAt + revisionKeyBytes;
  return new EncodedChange(slab, { start, valueAt, keyAt, revisionAt });
}

/** Writes all of a record but its value, and returns the offset after it. */
function writeHeader(bytes: Uint8Array, start: number, record: MvccRecord): number {
  const hasPrev = record.prevMain !== 0;
  const hasLease = record.lease !== 0n;
  bytes[start] = recordFormat;
  bytes[start + 1] =
    (record.isTombstone ? flagTombstone : 0) |
    (hasPrev ? flagPrev : 0) |
    (hasLease ? flagLease : 0) |
    (record.ttlMs > 0 ? flagTtl : 0) |
    (record.refreshesTtl ? flagTtlRefresh : 0) |
    (record.isExpired ? flagExpired : 0);
  let at = writeVarint(bytes, start + 2, record.main);
  at = writeVarint(bytes, at, record.sub);
  at = writeVarint(bytes, at, record.createRevision);
  at = writeVarint(bytes, at, record.version);
  if (hasPrev) {
    at = writeVarint(bytes, at, record.prevMain);
    at = writeVarint(bytes, at, record.prevSub);
  }
  if (hasLease) {
    writeBigint64(bytes, at, record.lease);
    at += 8;
  }
  if (record.ttlMs > 0) {
    at = writeVarint(bytes, at, record.ttlMs);
  }
  return at;
}

/** Decodes a record of the keys table; its value is a view of `bytes`. */
export function decodeCurrent(bytes: Uint8Array): MvccRecord {
  const reader = new ByteReader(bytes, 'record of the keys table');
  const record = readRecord(reader);
  reader.end();
  return record;
}

/** Decodes a record of the revisions table; its key and value are views of `bytes`. */
export function decodeEvent(bytes: Uint8Array): MvccEvent {
  const reader = new ByteReader(bytes, 'record of the revisions table');
  const record = readRecord(reader);
  return { record, key: userKeyOf(reader.take(reader.remaining)) };
}

/**
 * Main revision of a current record or event, and whether it is a deletion, without decoding the
 * rest.
 */
export function peekRecord(bytes: Uint8Array): { main: number; isTombstone: boolean } {
  const reader = new ByteReader(bytes, 'record');
  const flags = readHead(reader);
  return { main: reader.varint(), isTombstone: (flags & flagTombstone) !== 0 };
}

/** A copy that does not keep the value in memory, for whoever ends its key. */
export function withoutValue(record: MvccRecord): MvccRecord {
  // In full: a literal that begins with a spread takes many times as long.
  return {
    main: record.main,
    sub: record.sub,
    createRevision: record.createRevision,
    version: record.version,
    lease: record.lease,
    prevMain: record.prevMain,
    prevSub: record.prevSub,
    isTombstone: record.isTombstone,
    isExpired: record.isExpired,
    ttlMs: record.ttlMs,
    refreshesTtl: record.refreshesTtl,
    value: emptyBytes,
  };
}

/** Returns what clients see of a live record. */
export function recordToKeyValue(key: Uint8Array, record: MvccRecord): KeyValue {
  return {
    key,
    value: record.value,
    createRevision: record.createRevision,
    modRevision: record.main,
    version: record.version,
    lease: record.lease,
    ttlMs: record.ttlMs,
  };
}

function readHead(reader: ByteReader): number {
  const format = reader.byte();
  if (format !== recordFormat) {
    return reader.fail(`has the unknown format ${format}`);
  }
  const flags = reader.byte();
  return (flags & ~flagsKnown) === 0 ? flags : reader.fail(`has the unknown flags ${flags}`);
}

function readRecord(reader: ByteReader): MvccRecord {
  const flags = readHead(reader);
  const main = reader.varint();
  const sub = reader.varint();
  const createRevision = reader.varint();
  const version = reader.varint();
  const hasPrev = (flags & flagPrev) !== 0;
  const prevMain = hasPrev ? reader.varint() : 0;
  const prevSub = hasPrev ? reader.varint() : 0;
  const lease = (flags & flagLease) === 0 ? 0n : reader.bigint64();
  const ttlMs = (flags & flagTtl) === 0 ? 0 : reader.varint();
  const length = reader.varint();
  return {
    main,
    sub,
    createRevision,
    version,
    lease,
    prevMain,
    prevSub,
    ttlMs,
    isTombstone: (flags & flagTombstone) !== 0,
    isExpired: (flags & flagExpired) !== 0,
    refreshesTtl: (flags & flagTtlRefresh) !== 0,
    value: length === 0 ? emptyBytes : reader.take(length),
  };
}

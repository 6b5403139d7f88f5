/**
 * The changes that one run of `apply` makes, from the first entry to the finished engine batch.
 * Whatever an entry changes goes into the state's hash here, entry by entry.
 *
 * It numbers revisions, writes events, keeps each changed key's newest record, and lets ranges of
 * the same batch see all of it as an {@link Overlay}.
 */
import { assert, compareBytes, emptyBytes, equalBytes, must } from '../base/index.ts';
import type { Alarm, LeaseId } from './command.ts';
import type { Access, AuthTable } from './auth-table.ts';
import type { AnswerTable } from './answer-table.ts';
import { Answers } from './answers.ts';
import { Attachments } from './attachments.ts';
import { ExpiryChanges } from './expiry-changes.ts';
import type { DueKey, ExpiryTable } from './expiry-table.ts';
import { levelOfOwners } from './feature-level.ts';
import { type EngineRange, leaseKey } from './key-layout.ts';
import type { KeyLoader } from './key-loader.ts';
import { type LeaseTable, leaseWrite } from './leases.ts';
import { MetaChanges } from './meta-changes.ts';
import { inPieces, type Reading, type StateWrite, type StoredRecord } from './need.ts';
import type { Overlay } from './range.ts';
import { encodeChange, type MvccRecord } from './record.ts';
import type { CacheEntry, RecordCache } from './record-cache.ts';
import { type HashWords, StateHasher } from './state-hash.ts';

/** Where a batch starts. */
export interface ApplyBatchStart {
  readonly sequence: number;
  readonly revision: number;
  readonly compactRevision: number;
  readonly stateHash: HashWords;
  readonly alarms: readonly Alarm[];
  readonly timeMs: number;
  readonly level: number;
  readonly leases: LeaseTable;
  readonly expiries: ExpiryTable;
  readonly answers: AnswerTable;
  readonly auth: AuthTable;
}

// What stands for what in the state's hash; a format. 4 and 7 are in `meta-changes.ts`, and 5 is
// that of a restored configuration (`snapshot.ts`).
const hashedEvent = 1;
const hashedKey = 2;
const hashedValue = 3;
const hashedTime = 6;

/** A record of the revisions table, as the engine is to write it. */
export type EventWrite = Extract<StateWrite, { type: 'put' }>;

/** What a put leaves behind. */
export interface PutContent {
  readonly value: Uint8Array;
  readonly lease: LeaseId;
  /** 0 is none. */
  readonly ttlMs: number;
  readonly refreshesTtl: boolean;
}

type NewRecord = PutContent &
  Pick<MvccRecord, 'createRevision' | 'version' | 'isTombstone' | 'isExpired'>;

const tombstone: NewRecord = {
  createRevision: 0,
  version: 0,
  isTombstone: true,
  isExpired: false,
  value: emptyBytes,
  lease: 0n,
  ttlMs: 0,
  refreshesTtl: false,
};
/** Of a key that nobody deleted. */
const expiredTombstone: NewRecord = { ...tombstone, isExpired: true };

/** Limit: keys of a lease that are loaded at a time, with their values, to be ended. */
const attachedKeysMax = 128;

/** Collects the changes of one run of `apply`. */
export class ApplyBatch implements Overlay {
  /** The output that these changes become. */
  readonly sequence: number;
  readonly #cache: RecordCache;
  readonly #loader: KeyLoader;
  /** Revision after the last finished command. */
  #revision: number;
  #compactRevision: number;
  /** Changes of the command under way; they share the revision after `#revision`. */
  #sub = 0;
  /** Events in the order of revisions. */
  readonly #events: EventWrite[] = [];
  /** Entries of all changed keys, each once. */
  readonly #changed: CacheEntry[] = [];
  /** The same as records by ascending key, from the first range on. */
  #sorted: CacheEntry[] | undefined;
  readonly #hasher: StateHasher;
  #timeMs: number;
  /** The leases; changed as the batch goes on. */
  readonly leases: LeaseTable;
  /** Users and roles; the same. */
  readonly auth: AuthTable;
  readonly #metaWrites: StateWrite[] = [];
  readonly #attachments: Attachments;
  readonly #expiries: ExpiryChanges;
  /** Answers that are kept. */
  readonly answers: Answers;
  /** Members, alarms, users and the like. */
  readonly meta: MetaChanges;
  #index = 0;

  constructor(cache: RecordCache, loader: KeyLoader, start: ApplyBatchStart) {
    this.#cache = cache;
    this.#loader = loader;
    this.sequence = start.sequence;
    this.#revision = start.revision;
    this.#compactRevision = start.compactRevision;
    this.#hasher = new StateHasher(start.stateHash);
    this.#timeMs = start.timeMs;
    this.leases = start.leases;
    this.auth = start.auth;
    this.#attachments = new Attachments(start.leases, this.#metaWrites);
    const emitHashed = (write: StateWrite): void => {
      this.#writeMeta(write);
    };
    const { alarms, level, auth } = start;
    this.meta = new MetaChanges({ alarms, level, auth, hasher: this.#hasher, emitHashed });
    this.answers = new Answers(start.answers, start.leases, {
      emitHashed,
      emit: (write) => this.#metaWrites.push(write),
      hasher: this.#hasher,
    });
    this.#expiries = new ExpiryChanges(start.expiries, (write) => this.#metaWrites.push(write));
  }

  /** Index of the entry under way. */
  get index(): number {
    return this.#index;
  }

  /** Revision after the last finished command. */
  get revision(): number {
    return this.#revision;
  }

  get compactRevision(): number {
    return this.#compactRevision;
  }

  /** Revision that a read of the command under way is made at: its own changes are seen. */
  get readRevision(): number {
    return this.#sub > 0 ? this.#revision + 1 : this.#revision;
  }

  /** The cluster's time. */
  get timeMs(): number {
    return this.#timeMs;
  }

  /** The events, in order. */
  get events(): readonly EventWrite[] {
    return this.#events;
  }

  /** Entries of all changed keys. */
  get changed(): readonly CacheEntry[] {
    return this.#changed;
  }

  /** Begins the entry at a position of the log; what it changes follows. */
  beginEntry(index: number, term: number): void {
    this.#index = index;
    this.#hasher.number(index);
    this.#hasher.number(term);
  }

  /** Ends the entry and returns the state's hash after it. */
  finishEntry(): HashWords {
    // The only thing that an entry can change without a change of a record.
    this.#hasher.number(this.#compactRevision + 1);
    return this.#hasher.words;
  }

  /** Ends the command under way: if it changed anything, its revision is now the store's. */
  finishCommand(): number {
    if (this.#sub > 0) {
      this.#revision++;
      this.#sub = 0;
    }
    return this.#revision;
  }

  /** From here on history below `revision` is not readable. */
  compact(revision: number): void {
    assert(revision > this.#compactRevision, 'the compact revision only grows');
    this.#compactRevision = revision;
  }

  /** Whether somebody may write all keys of a lease; seldom reads, see `lease-writers.ts`. */
  *mayWriteLease(access: Access, id: LeaseId): Reading<boolean> {
    const { writers } = this.leases;
    if (writers.includes(id, access)) {
      return true;
    }
    const mayWriteAll = yield* this.#attachments.everyKey(id, (key) => access.mayWrite({ key }));
    if (mayWriteAll && this.leases.hasLease(id)) {
      writers.remember(id, access, this.auth.revision);
    }
    return mayWriteAll;
  }

  /** Moves the cluster's time on; leases and keys that have waited for it get their deadlines. */
  advanceTime(timeMs: number): void {
    const beforeMs = this.#timeMs;
    this.#timeMs = Math.max(this.#timeMs, timeMs);
    this.#hasher.mix(hashedTime, 0);
    this.#hasher.number(this.#timeMs);
    for (const lease of this.leases.stamp(this.#timeMs, beforeMs)) {
      this.#writeMeta(leaseWrite(lease));
    }
    // What becomes of keys follows from their events and the stamps, which are hashed.
    this.#expiries.stamp(this.#timeMs, beforeMs);
    this.answers.stamp(this.#timeMs, this.#index);
  }

  /** Begins a lease, on behalf of `user` if somebody has to say who calls. */
  grantLease(id: LeaseId, ttlMs: number, user: string | undefined): void {
    const owner = this.meta.level < levelOfOwners ? undefined : user;
    const lease = this.leases.grant({ id, ttlMs, sinceMs: this.#timeMs, owner });
    this.#writeMeta(leaseWrite(lease));
  }

  /** A lease that is nobody's is the user's who makes a session of it, or goes on with one. */
  claimLease(id: LeaseId, user: string): void {
    const lease = this.leases.get(id);
    if (lease !== undefined && lease.owner === undefined && this.meta.level >= levelOfOwners) {
      this.#writeMeta(leaseWrite(this.leases.own(id, user)));
    }
  }

  /** Begins a lease's time anew and returns all of it; 0 when there is no such lease. */
  renewLease(id: LeaseId): number {
    const lease = this.leases.renew(id, this.#timeMs);
    if (lease === undefined) {
      return 0;
    }
    this.#writeMeta(leaseWrite(lease));
    return lease.ttlMs;
  }

  /**
   * Ends a lease, whose time is up if it `isExpired`, and deletes what is attached to it; returns
   * the number of its keys.
   */
  *endLease(id: LeaseId, isExpired: boolean): Reading<number> {
    const keys = yield* this.#attachments.keysOf(id);
    const end = isExpired ? expiredTombstone : tombstone;
    yield* inPieces(keys, (piece) => this.#endAttached(piece, end));
    this.answers.endSession(id);
    this.leases.remove(id);
    this.#writeMeta({ type: 'delete', key: leaseKey(id) });
    return keys.length;
  }

  *#endAttached(keys: readonly Uint8Array[], end: NewRecord): Reading<void> {
    for (let start = 0; start < keys.length; start += attachedKeysMax) {
      const some = keys.slice(start, start + attachedKeysMax);
      yield* this.#loader.load(some);
      const records = some.map((key) =>
        must(this.liveRecord(key), 'the record of an attached key'),
      );
      yield* this.loadExpiries(some.filter((_, at) => (records[at]?.ttlMs ?? 0) > 0));
      for (const key of some) {
        this.#write(this.entryOf(key), key, end);
      }
    }
  }

  /** The keys whose time is up by now, `limit` of them at most, the first due first. */
  *dueKeys(limit: number): Reading<readonly DueKey[]> {
    const due = yield* this.#expiries.due(this.#timeMs, limit);
    yield* this.#loader.load(due.map(({ key }) => key));
    return due;
  }

  /** Ends a key whose time is up. */
  expire({ key }: DueKey): void {
    const entry = this.entryOf(key);
    assert(entry.record !== undefined, 'a key that is due has a record');
    this.#write(entry, key, expiredTombstone);
  }

  /** Looks up when the time of keys is up; to be done before keys with a time to live change. */
  *loadExpiries(keys: readonly Uint8Array[]): Reading<void> {
    if (keys.length > 0) {
      yield* this.#expiries.load(keys);
    }
  }

  /** Returns the entry of a key that was loaded before the batch was applied. */
  entryOf(key: Uint8Array): CacheEntry {
    const entry = this.#cache.lookup(key);
    return must(entry, 'the record of a key that the batch has asked for');
  }

  /** Returns a key's live record, or undefined. */
  liveRecord(key: Uint8Array): MvccRecord | undefined {
    const { record } = this.entryOf(key);
    return record === undefined || record.isTombstone ? undefined : record;
  }

  /** Sets a key's value. */
  put(entry: CacheEntry, key: Uint8Array, content: PutContent): void {
    const { record: old } = entry;
    const isNew = old === undefined || old.isTombstone;
    this.#write(entry, key, {
      createRevision: isNew ? this.#revision + 1 : old.createRevision,
      version: isNew ? 1 : old.version + 1,
      isTombstone: false,
      isExpired: false,
      value: content.value,
      lease: content.lease,
      ttlMs: content.ttlMs,
      refreshesTtl: content.refreshesTtl,
    });
  }

  /** Deletes a live key. */
  delete(entry: CacheEntry, key: Uint8Array): void {
    assert(entry.record !== undefined, 'only a key that has a record can be deleted');
    assert(!entry.record.isTombstone, 'only a live key can be deleted');
    this.#write(entry, key, tombstone);
  }

  /** Deletes a live key that a scan has found, with the record it had then. */
  deleteScanned(key: Uint8Array, record: MvccRecord): void {
    const entry = this.#cache.acquire(key);
    if (!entry.isLoaded) {
      this.#cache.load(entry, record);
    }
    this.delete(entry, key);
  }

  /** Ends the batch; returns the engine operations that are not of the keyspace. */
  finish(): readonly StateWrite[] {
    this.answers.finish();
    return this.#metaWrites;
  }

  pointRecord(key: Uint8Array): MvccRecord | undefined {
    return this.entryOf(key).record;
  }

  changedIn(range: EngineRange): readonly StoredRecord[] {
    // The order of the keys' bytes is that of the characters that stand for them.
    this.#sorted ??= this.#changed.slice().sort((a, b) => (a.mapKey < b.mapKey ? -1 : 1));
    const sorted = this.#sorted;
    const records: StoredRecord[] = [];
    for (let at = indexOfKey(sorted, range.gte); at < sorted.length; at++) {
      const { keysKey, current } = must(sorted[at]?.change, 'the change of a changed key');
      if (compareBytes(keysKey, range.lt) >= 0) {
        break;
      }
      records.push({ key: keysKey, value: current });
    }
    return records;
  }

  eventAt(revisionKey: Uint8Array): Uint8Array | undefined {
    let lo = 0;
    let hi = this.#events.length;
    while (lo < hi) {
      const middle = (lo + hi) >>> 1;
      const { key } = must(this.#events[middle], 'an event of the batch');
      if (compareBytes(key, revisionKey) < 0) {
        lo = middle + 1;
      } else {
        hi = middle;
      }
    }
    const event = this.#events[lo];
    return event !== undefined && equalBytes(event.key, revisionKey) ? event.value : undefined;
  }

  #writeMeta(write: StateWrite): void {
    this.#hasher.bytes(hashedKey, write.key);
    this.#hasher.bytes(hashedValue, write.type === 'put' ? write.value : emptyBytes);
    this.#metaWrites.push(write);
  }

  #write(entry: CacheEntry, key: Uint8Array, next: NewRecord): void {
    const { record: old } = entry;
    // A tombstone below the compact revision may or may not be gone from this member's disk
    // already; no member refers to it, so that equal logs give equal records.
    const hasPrev = old !== undefined && !(old.isTombstone && old.main < this.#compactRevision);
    const record = {
      main: this.#revision + 1,
      sub: this.#sub++,
      createRevision: next.createRevision,
      version: next.version,
      lease: next.lease,
      prevMain: hasPrev ? old.main : 0,
      prevSub: hasPrev ? old.sub : 0,
      isTombstone: next.isTombstone,
      isExpired: next.isExpired,
      ttlMs: next.ttlMs,
      refreshesTtl: next.refreshesTtl,
      value: next.value,
    };
    const change = encodeChange(this.#cache.slabs, key, record);
    record.value = change.value;
    this.#attachments.move(key, old?.lease ?? 0n, next.lease);
    const oldTtlMs = old?.ttlMs ?? 0;
    if (oldTtlMs > 0 || next.ttlMs > 0) {
      const { ttlMs: newTtlMs, main: modRevision } = record;
      this.#expiries.change(key, { oldTtlMs, newTtlMs, modRevision, timeMs: this.#timeMs });
    }
    const { event } = change;
    this.#hasher.bytes(hashedEvent, event);
    this.#events.push({ type: 'put', key: change.revisionKey, value: event });
    if (this.#cache.write(entry, this.sequence, record, change)) {
      this.#changed.push(entry);
      if (this.#sorted !== undefined) {
        this.#sorted.splice(indexOfKey(this.#sorted, change.keysKey), 0, entry);
      }
    }
  }
}

function changeKeyOf(entry: CacheEntry): Uint8Array {
  return must(entry.change, 'the change of a changed key').keysKey;
}

/** Index of the first of the sorted entries whose key is not below `key`. */
function indexOfKey(sorted: readonly CacheEntry[], key: Uint8Array): number {
  let lo = 0;
  let hi = sorted.length;
  while (lo < hi) {
    const middle = (lo + hi) >>> 1;
    if (compareBytes(changeKeyOf(must(sorted[middle], 'a sorted entry')), key) < 0) {
      lo = middle + 1;
    } else {
      hi = middle;
    }
  }
  return lo;
}

/**
 * The times of keys as a batch of changes goes on: what the engine holds (`expiry-table.ts`), and
 * what the batch has done since.
 *
 * To take a key out of the order of deadlines its deadline must be known. So whoever changes a key
 * that has a time to live loads it first ({@link ExpiryChanges.load}); keys that wait for their
 * deadline, and those that got it in this batch, are known already.
 */
import { emptyBytes, must } from '../base/index.ts';
import {
  decodeExpiry,
  type DueKey,
  encodeExpiry,
  encodeWaiting,
  type ExpiryTable,
  waitingDeadlineMs,
} from './expiry-table.ts';
import { dueKey, dueOf, expiryKey, mapKeyOf } from './key-layout.ts';
import type { Reading, StateWrite } from './need.ts';
import { TableChanges } from './table-changes.ts';

/** What a change does to a key's time. */
export interface TtlChange {
  /** 0 is none. */
  readonly oldTtlMs: number;
  readonly newTtlMs: number;
  /** Revision of the change. */
  readonly modRevision: number;
  /** The newest stamp. */
  readonly timeMs: number;
}

/** See the module comment. */
export class ExpiryChanges {
  readonly #table: ExpiryTable;
  readonly #records: TableChanges;
  /** Deadlines that were looked up, or given in this batch, by the map keys of the keys. */
  readonly #deadlines = new Map<string, number>();

  /** `emit` takes the engine operations. */
  constructor(table: ExpiryTable, emit: (write: StateWrite) => void) {
    this.#table = table;
    this.#records = new TableChanges(emit);
  }

  /** Looks up the deadlines of keys that have a time to live. */
  *load(keys: readonly Uint8Array[]): Reading<void> {
    const unknown = keys.filter((key) => {
      const mapKey = mapKeyOf(key);
      return !this.#table.isWaiting(mapKey) && !this.#deadlines.has(mapKey);
    });
    const values = yield* this.#records.get(unknown.map((key) => expiryKey(key)));
    for (const [at, key] of unknown.entries()) {
      const bytes = must(values[at], 'the expiry of a key that has a time to live');
      const { deadlineMs } = decodeExpiry(bytes);
      this.#deadlines.set(mapKeyOf(key), must(deadlineMs, 'the deadline of a key that waits not'));
    }
  }

  /** A key changes, and its time with it. */
  change(key: Uint8Array, { oldTtlMs, newTtlMs, modRevision, timeMs }: TtlChange): void {
    const mapKey = mapKeyOf(key);
    if (oldTtlMs > 0) {
      this.#records.delete(dueKey(this.#deadlineOf(mapKey), key));
      this.#table.forget(mapKey);
      this.#deadlines.delete(mapKey);
    }
    if (newTtlMs > 0) {
      const waiting = { key: key.slice(), ttlMs: newTtlMs, modRevision, sinceMs: timeMs };
      this.#table.wait(mapKey, waiting);
      this.#records.put(expiryKey(key), encodeExpiry({ modRevision, deadlineMs: undefined }));
      this.#records.put(dueKey(waitingDeadlineMs, key), encodeWaiting(waiting));
    } else {
      this.#records.delete(expiryKey(key));
    }
  }

  /** Gives their deadlines to the keys that wait; `beforeMs` is the stamp before. */
  stamp(timeMs: number, beforeMs: number): void {
    const waiting = this.#table.takeWaiting(timeMs, beforeMs);
    for (const [mapKey, { key, ttlMs, modRevision }] of waiting) {
      const deadlineMs = timeMs + ttlMs;
      this.#deadlines.set(mapKey, deadlineMs);
      this.#records.delete(dueKey(waitingDeadlineMs, key));
      this.#records.put(dueKey(deadlineMs, key), emptyBytes);
      this.#records.put(expiryKey(key), encodeExpiry({ modRevision, deadlineMs }));
    }
  }

  /** The keys whose time is up, `limit` of them at most, in the order of deadlines and keys. */
  *due(timeMs: number, limit: number): Reading<readonly DueKey[]> {
    const { nextDeadlineMs } = this.#table;
    if (nextDeadlineMs === undefined || nextDeadlineMs > timeMs) {
      return [];
    }
    // One more than wanted: it tells when the next stamp is due.
    const records = yield* this.#records.first(this.#table.dueRange, limit + 1);
    const first = records.map(({ key }) => dueOf(key));
    const due = first.slice(0, limit).filter(({ deadlineMs }) => deadlineMs <= timeMs);
    this.#table.setNext(first[due.length]);
    for (const { key, deadlineMs } of due) {
      this.#deadlines.set(mapKeyOf(key), deadlineMs);
    }
    return due;
  }

  #deadlineOf(mapKey: string): number {
    return this.#table.isWaiting(mapKey)
      ? waitingDeadlineMs
      : must(this.#deadlines.get(mapKey), 'the deadline of a key that was loaded');
  }
}

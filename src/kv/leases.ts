/**
 * The leases there are, in memory, and their records. What is decided about them comes from the log
 * alone (`lease-commands.ts`).
 *
 * A lease's deadline is in cluster time, which the log brings now and then (`advanceTime`). Between
 * two stamps nobody can say what time it is. The next stamp may have been made before a grant or
 * renewal was committed, though it stands behind it in the log; but it was applied before the one
 * after it was made, as there is one on its way at a time. So a lease waits for the *second* stamp,
 * and its time counts from there: it ends two stamps late at most, and never early (G5): not before
 * its time has passed since the renewal was committed.
 */
import { assert, concatBytes, must } from '../base/index.ts';
import { readName, writeName } from './auth-records.ts';
import type { LeaseId } from './command.ts';
import { DeadlineQueue } from './deadline-queue.ts';
import { attachmentsRange, leaseIdOf, leaseKey, leaseKeyBytes } from './key-layout.ts';
import { LeaseWriters } from './lease-writers.ts';
import type { Reading, StateWrite, StoredRecord } from './need.ts';
import { ChunkedScan } from './scan.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/** A lease. */
export interface Lease {
  readonly id: LeaseId;
  readonly ttlMs: number;
  /** Milliseconds of cluster time; undefined until the second stamp. */
  readonly deadlineMs: number | undefined;
  /** The newest stamp when it was granted or renewed. */
  readonly sinceMs: number;
  /** False when surely no key is attached, so that nobody need look. */
  readonly mayHoldKeys: boolean;
  /**
   * The user whose session it is, if it is one; see `session-owners.ts`. Undefined: nobody's, as
   * long as nobody had to say who grants or uses it.
   */
  readonly owner: string | undefined;
}

type MutableLease = { -readonly [Key in keyof Lease]: Lease[Key] };

const recordFormat = 1;
/** Says whose it is, behind all else. */
const ownedRecordFormat = 2;

/** Returns the engine operation that stores a lease. */
export function leaseWrite({ id, ttlMs, deadlineMs, sinceMs, owner }: Lease): StateWrite {
  const writer = new ByteWriter();
  writer.byte(owner === undefined ? recordFormat : ownedRecordFormat);
  writer.varint(ttlMs);
  // One is added: 0 stands for a lease that waits for its deadline.
  writer.varint(deadlineMs === undefined ? 0 : deadlineMs + 1);
  writer.varint(sinceMs);
  if (owner !== undefined) {
    writeName(writer, owner);
  }
  return { type: 'put', key: leaseKey(id), value: writer.finish() };
}

/**
 * Decodes a lease's record.
 *
 * @throws {InvariantViolation} when it is damaged, or of a format that this version does not know.
 */
export function decodeLease({ key, value }: StoredRecord): Lease {
  const reader = new ByteReader(value, 'record of a lease');
  const format = reader.byte();
  if (format !== recordFormat && format !== ownedRecordFormat) {
    reader.fail(`has the unknown format ${format}`);
  }
  const ttlMs = reader.varint();
  const deadline = reader.varint();
  const sinceMs = reader.varint();
  const owner = format === ownedRecordFormat ? readName(reader) : undefined;
  reader.end();
  const deadlineMs = deadline === 0 ? undefined : deadline - 1;
  return { id: leaseIdOf(key), ttlMs, deadlineMs, sinceMs, mayHoldKeys: false, owner };
}

/** Milliseconds that a lease, or a key, still has at a cluster time. */
export function remainingMs(
  { ttlMs, deadlineMs }: Pick<Lease, 'ttlMs' | 'deadlineMs'>,
  nowMs: number,
): number {
  return deadlineMs === undefined ? ttlMs : Math.max(0, Math.min(ttlMs, deadlineMs - nowMs));
}

/** See the module comment. */
export class LeaseTable {
  /** Who may write all keys of a lease. */
  readonly writers = new LeaseWriters();
  readonly #leases = new Map<LeaseId, MutableLease>();
  /** Leases without a deadline. */
  readonly #waiting = new Set<MutableLease>();
  readonly #deadlines = new DeadlineQueue(
    ({ id, deadlineMs }) => this.#leases.get(id)?.deadlineMs === deadlineMs,
  );

  /** Takes what the engine holds: the records of the leases table, in order. */
  load(records: readonly StoredRecord[]): void {
    for (const record of records) {
      if (record.key.length === leaseKeyBytes) {
        this.#add(decodeLease(record));
      } else {
        this.holdsKeys(leaseIdOf(record.key));
      }
    }
  }

  get size(): number {
    return this.#leases.size;
  }

  /** When the first lease ends; undefined when none has a deadline. */
  get nextDeadlineMs(): number | undefined {
    return this.#deadlines.first()?.deadlineMs;
  }

  get(id: LeaseId): Lease | undefined {
    return this.#leases.get(id);
  }

  hasLease(id: LeaseId): boolean {
    return this.#leases.has(id);
  }

  /** All leases, in no order that means anything. */
  all(): IterableIterator<Lease> {
    return this.#leases.values();
  }

  /** Begins a lease at the stamp `sinceMs`; its time counts from the second one after it. */
  grant({ id, ttlMs, sinceMs, owner }: Pick<Lease, 'id' | 'ttlMs' | 'sinceMs' | 'owner'>): Lease {
    assert(!this.#leases.has(id), 'a lease is granted once');
    return this.#add({ id, ttlMs, deadlineMs: undefined, sinceMs, mayHoldKeys: false, owner });
  }

  /** A lease that is nobody's is `owner`'s from here on. */
  own(id: LeaseId, owner: string): Lease {
    const lease = must(this.#leases.get(id), 'a lease that is to have an owner');
    assert(lease.owner === undefined, 'a lease never changes hands');
    lease.owner = owner;
    return lease;
  }

  /** Begins a lease's time anew; undefined when there is no such lease. */
  renew(id: LeaseId, sinceMs: number): Lease | undefined {
    const lease = this.#leases.get(id);
    if (lease !== undefined) {
      lease.deadlineMs = undefined;
      lease.sinceMs = sinceMs;
      this.#waiting.add(lease);
    }
    return lease;
  }

  /** Ends a lease. */
  remove(id: LeaseId): void {
    const lease = must(this.#leases.get(id), 'a lease that ends');
    this.#leases.delete(id);
    this.#waiting.delete(lease);
    this.writers.forget(id);
  }

  /** A key is, or has been, attached to the lease. */
  holdsKeys(id: LeaseId): void {
    must(this.#leases.get(id), 'the lease of a key').mayHoldKeys = true;
  }

  /**
   * Gives their deadlines to the leases that have waited since before the stamp before this one;
   * returns them in the order of their ids.
   */
  stamp(timeMs: number, beforeMs: number): readonly Lease[] {
    const stamped = [...this.#waiting]
      .filter(({ sinceMs }) => sinceMs < beforeMs)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
    for (const lease of stamped) {
      this.#waiting.delete(lease);
      lease.deadlineMs = timeMs + lease.ttlMs;
      this.#deadlines.push({ id: lease.id, deadlineMs: lease.deadlineMs }, this.#leases.size);
    }
    return stamped;
  }

  /** The lease that ends first, if its time is up. */
  firstDue(timeMs: number): Lease | undefined {
    const first = this.#deadlines.first();
    return first === undefined || first.deadlineMs > timeMs
      ? undefined
      : this.#leases.get(first.id);
  }

  #add(lease: Lease): Lease {
    const added: MutableLease = { ...lease };
    const { id, deadlineMs } = added;
    this.#leases.set(id, added);
    if (deadlineMs === undefined) {
      this.#waiting.add(added);
    } else {
      this.#deadlines.push({ id, deadlineMs }, this.#leases.size);
    }
    return added;
  }
}

function attachedKeyOf(engineKey: Uint8Array): Uint8Array {
  assert(engineKey.length > leaseKeyBytes, 'a record of a lease is no attachment');
  return engineKey.subarray(leaseKeyBytes);
}

/** Returns the engine key that says a user's key is attached to a lease. */
export function attachmentKey(lease: LeaseId, key: Uint8Array): Uint8Array {
  return concatBytes(leaseKey(lease), key);
}

/** Reads the keys that are attached to a lease, in byte order. */
export function* attachedKeys(lease: LeaseId): Reading<readonly Uint8Array[]> {
  const keys: Uint8Array[] = [];
  yield* visitAttachedKeys(lease, (key) => keys.push(key) > 0);
  return keys;
}

/** Reads these keys until `visit` wants no more of them; tells whether it has seen them all. */
export function* visitAttachedKeys(
  lease: LeaseId,
  visit: (key: Uint8Array) => boolean,
): Reading<boolean> {
  const scan = new ChunkedScan(attachmentsRange(lease));
  while (!scan.isDone) {
    const records = scan.take(yield scan.need);
    if (!records.every(({ key }) => visit(attachedKeyOf(key)))) {
      return false;
    }
  }
  return true;
}

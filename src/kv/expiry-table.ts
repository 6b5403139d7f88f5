/**
 * What is known in memory of the keys that have a time to live, and their records.
 *
 * There may be millions of them, so they stand in the engine alone, twice: under the key, with the
 * deadline, and in the order of deadlines. Only what waits for its deadline is held here. As with
 * leases, a key's time counts from the second stamp of the cluster's time after its put
 * (`leases.ts`), so it never ends early.
 */
import { assert, emptyBytes } from '../base/index.ts';
import { dueKey, dueOf, dueRange, type EngineRange, expiryKey, mapKeyOf } from './key-layout.ts';
import { expectGet, expectScan, type Reading } from './need.ts';
import { ChunkedScan } from './scan.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/** Where keys that wait for their deadline stand in the order of deadlines: behind all others. */
export const waitingDeadlineMs: number = 2 ** 52;

/** A key that waits for its deadline. */
export interface WaitingKey {
  readonly key: Uint8Array;
  readonly ttlMs: number;
  /** Revision of the put that began it. */
  readonly modRevision: number;
  /** The newest stamp then. */
  readonly sinceMs: number;
}

/** When a key's time is up. */
export interface Expiry {
  /** Revision of the put that began it. */
  readonly modRevision: number;
  /** Milliseconds of cluster time; undefined until the second stamp. */
  readonly deadlineMs: number | undefined;
}

const recordFormat = 1;

/** Encodes when a key's time is up. */
export function encodeExpiry({ modRevision, deadlineMs }: Expiry): Uint8Array {
  const writer = new ByteWriter();
  writer.byte(recordFormat);
  writer.varint(modRevision);
  // One is added: 0 stands for a key that waits for its deadline.
  writer.varint(deadlineMs === undefined ? 0 : deadlineMs + 1);
  return writer.finish();
}

/**
 * Decodes what `encodeExpiry` has made.
 *
 * @throws {InvariantViolation} when it is damaged, or of a format that this version does not know.
 */
export function decodeExpiry(bytes: Uint8Array): Expiry {
  const reader = new ByteReader(bytes, 'record of the expiry table');
  reader.format(recordFormat);
  const modRevision = reader.varint();
  const deadline = reader.varint();
  reader.end();
  return { modRevision, deadlineMs: deadline === 0 ? undefined : deadline - 1 };
}

/** The value of a waiting key in the order of deadlines; that of any other is empty. */
export function encodeWaiting(waiting: Omit<WaitingKey, 'key'>): Uint8Array {
  const writer = new ByteWriter();
  writer.varint(waiting.ttlMs);
  writer.varint(waiting.modRevision);
  writer.varint(waiting.sinceMs);
  return writer.finish();
}

function decodeWaiting(key: Uint8Array, value: Uint8Array): WaitingKey {
  const reader = new ByteReader(value, 'record of a key that waits for its deadline');
  const [ttlMs, modRevision, sinceMs] = [reader.varint(), reader.varint(), reader.varint()];
  reader.end();
  return { key, ttlMs, modRevision, sinceMs };
}

/** Reads when the time of keys is up; undefined for those that have none. */
export function* readExpiries(
  keys: readonly Uint8Array[],
): Reading<readonly (Expiry | undefined)[]> {
  if (keys.length === 0) {
    return [];
  }
  const need = { type: 'get', keys: keys.map((key) => expiryKey(key)), afterWrites: true } as const;
  const { values } = expectGet(yield need);
  return values.map((bytes) => (bytes === undefined ? undefined : decodeExpiry(bytes)));
}

/** A key's place in the order of deadlines. */
export interface DueKey {
  readonly key: Uint8Array;
  readonly deadlineMs: number;
}

/** See the module comment. */
export class ExpiryTable {
  /** By the map keys of the keys. */
  readonly #waiting = new Map<string, WaitingKey>();
  /** Nothing stands before it in the order of deadlines; undefined when nothing stands there. */
  #next: DueKey | undefined;

  /** Reads what the engine holds. */
  static *open(): Reading<ExpiryTable> {
    const table = new ExpiryTable();
    const waiting = new ChunkedScan(dueRange(waitingDeadlineMs, waitingDeadlineMs + 1));
    while (!waiting.isDone) {
      for (const record of waiting.take(yield waiting.need)) {
        const key = dueOf(record.key).key.slice();
        table.wait(mapKeyOf(key), decodeWaiting(key, record.value));
      }
    }
    const first = { type: 'scan', ...dueRange(0, waitingDeadlineMs), limit: 1 } as const;
    const { records } = expectScan(yield { ...first, reverse: false, afterWrites: true });
    const [record] = records;
    table.setNext(record === undefined ? undefined : dueOf(record.key));
    return table;
  }

  /** Whether any key has a time to live, as far as is known without looking. */
  get isNeeded(): boolean {
    return this.#waiting.size > 0 || this.#next !== undefined;
  }

  /** No key is due before; undefined when none has a deadline. */
  get nextDeadlineMs(): number | undefined {
    return this.#next?.deadlineMs;
  }

  /**
   * Where to look for what is due. Looking from the start would pass over all that has ended and is
   * not yet gone from the engine's files, again with each stamp.
   */
  get dueRange(): EngineRange {
    const { deadlineMs, key } = this.#next ?? { deadlineMs: 0, key: emptyBytes };
    return { gte: dueKey(deadlineMs, key), lt: dueKey(waitingDeadlineMs, emptyBytes) };
  }

  /** Nothing stands before `next` in the order of deadlines; undefined: nothing stands there. */
  setNext(next: DueKey | undefined): void {
    this.#next = next && { deadlineMs: next.deadlineMs, key: next.key.slice() };
  }

  isWaiting(mapKey: string): boolean {
    return this.#waiting.has(mapKey);
  }

  /** A key's time is to begin with the second stamp from here. */
  wait(mapKey: string, key: WaitingKey): void {
    this.#waiting.set(mapKey, key);
  }

  /** A key does not wait any more. */
  forget(mapKey: string): void {
    this.#waiting.delete(mapKey);
  }

  /**
   * The keys that have waited since before the stamp before this one: their time begins now, and
   * none of them waits any more.
   */
  takeWaiting(timeMs: number, beforeMs: number): readonly (readonly [string, WaitingKey])[] {
    const waiting = [...this.#waiting].filter(([, { sinceMs }]) => sinceMs < beforeMs);
    for (const [mapKey, { ttlMs }] of waiting) {
      this.#waiting.delete(mapKey);
      const deadlineMs = timeMs + ttlMs;
      assert(deadlineMs < waitingDeadlineMs, 'a time to live is bounded');
      if (this.#next === undefined || deadlineMs <= this.#next.deadlineMs) {
        this.#next = { deadlineMs, key: emptyBytes };
      }
    }
    return waiting;
  }
}

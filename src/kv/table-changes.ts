/**
 * The records of a table as a batch of changes goes on: what the engine holds, and over it what the
 * batch has put and deleted since.
 */
import { compareBytes } from '../base/index.ts';
import { type EngineRange, isIn, mapKeyOf } from './key-layout.ts';
import { expectGet, type Reading, type StateWrite, type StoredRecord } from './need.ts';
import { ChunkedScan } from './scan.ts';

/** See the module comment. */
export class TableChanges {
  readonly #emit: (write: StateWrite) => void;
  /** By the map keys of engine keys. */
  readonly #changes = new Map<string, StateWrite>();

  /** `emit` takes the engine operations. */
  constructor(emit: (write: StateWrite) => void) {
    this.#emit = emit;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#change({ type: 'put', key, value });
  }

  delete(key: Uint8Array): void {
    this.#change({ type: 'delete', key });
  }

  /** Reads records by their keys; undefined for those that do not exist. */
  *get(keys: readonly Uint8Array[]): Reading<readonly (Uint8Array | undefined)[]> {
    const unchanged = keys.filter((key) => !this.#changes.has(mapKeyOf(key)));
    const stored = new Map<string, Uint8Array | undefined>();
    if (unchanged.length > 0) {
      const { values } = expectGet(yield { type: 'get', keys: unchanged, afterWrites: true });
      for (const [at, key] of unchanged.entries()) {
        stored.set(mapKeyOf(key), values[at]);
      }
    }
    return keys.map((key) => {
      const change = this.#changes.get(mapKeyOf(key));
      if (change === undefined) {
        return stored.get(mapKeyOf(key));
      }
      return change.type === 'put' ? change.value : undefined;
    });
  }

  /** Reads the first records of a range, `limit` of them at most, in byte order. */
  *first(range: EngineRange, limit: number): Reading<readonly StoredRecord[]> {
    const found: StoredRecord[] = [];
    for (const change of this.#changes.values()) {
      if (change.type === 'put' && isIn(range, change.key)) {
        found.push(change);
      }
    }
    const scan = new ChunkedScan(range);
    for (let unchanged = 0; unchanged < limit && !scan.isDone; ) {
      for (const record of scan.take(yield scan.need)) {
        if (!this.#changes.has(mapKeyOf(record.key))) {
          found.push(record);
          unchanged++;
        }
      }
    }
    return found.sort((a, b) => compareBytes(a.key, b.key)).slice(0, limit);
  }

  #change(write: StateWrite): void {
    this.#changes.set(mapKeyOf(write.key), write);
    this.#emit(write);
  }
}

/**
 * A long scan in chunks, so that no single answer, and no single step over one, is large.
 *
 * The first chunk is small, since most ranges are; the next ones grow as far as the records seen so
 * far let them fit into the bytes aimed at.
 */
import { assert, must } from '../base/index.ts';
import { type EngineRange, successorKey } from './key-layout.ts';
import { expectScan, type Loaded, type Need, type StoredRecord } from './need.ts';

const recordsFirst = 64;
/** Limit: records in one chunk; going over them takes a few milliseconds at most. */
const recordsMax = 2048;
/** What a chunk should take at most, judged by the records of the one before. */
const bytesAim = 1024 * 1024;

/**
 * Names one chunk after the other. Readings use it as
 * `while (!scan.isDone) { const records = scan.take(yield scan.need); … }`.
 */
export class ChunkedScan {
  readonly #lt: Uint8Array;
  #from: Uint8Array;
  #limit = recordsFirst;
  #lastKey: Uint8Array | undefined;
  #isDone = false;

  constructor({ gte, lt }: EngineRange) {
    this.#from = gte;
    this.#lt = lt;
  }

  /** Whether the last chunk has been taken. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Key of the last record taken; undefined once there are no more. */
  get lastKey(): Uint8Array | undefined {
    return this.#lastKey;
  }

  /** The next chunk need not have more than so many records. */
  limitTo(records: number): void {
    this.#limit = Math.max(1, Math.min(this.#limit, records));
  }

  /** The next chunk. */
  get need(): Need {
    return {
      type: 'scan',
      gte: this.#from,
      lt: this.#lt,
      limit: this.#limit,
      reverse: false,
      afterWrites: true,
    };
  }

  /** Takes the answer to `need` and returns its records; never none unless the scan is done. */
  take(loaded: Loaded): readonly StoredRecord[] {
    assert(!this.#isDone, 'a scan ends once');
    const { records } = expectScan(loaded);
    if (records.length < this.#limit) {
      this.#isDone = true;
      this.#lastKey = undefined;
    } else {
      this.#lastKey = must(records.at(-1), 'a last record').key;
      this.#from = successorKey(this.#lastKey);
      this.#limit = nextLimit(records, this.#limit);
    }
    return records;
  }
}

function nextLimit(records: readonly StoredRecord[], limit: number): number {
  let bytes = 1;
  for (const { key, value } of records) {
    bytes += key.length + value.length;
  }
  const fitting = Math.floor((bytesAim * records.length) / bytes);
  return Math.max(1, Math.min(fitting, limit * 8, recordsMax));
}

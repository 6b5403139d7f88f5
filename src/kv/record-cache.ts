/**
 * Current records of recently used keys, known absences included, within a bound of bytes.
 *
 * It is more than a cache while the engine does not hold a record's newest state: then the record
 * is *pinned*, and cannot be evicted until the engine has settled it. So a key that is not in here
 * may be read from the engine at any time and yields its newest record. What finished outputs have
 * written since the last checkpoint is *dirty*: the next one takes it, each key once.
 *
 * Records that were written here share slabs; the bound counts each slab once, whole, for as long
 * as any entry refers to it.
 *
 * Invariant: the entries in the recency list are exactly those that are neither pinned nor being
 * loaded.
 */
import { assert } from '../base/index.ts';
import { mapKeyOf } from './key-layout.ts';
import type { StateWrite } from './need.ts';
import type { EncodedChange, MvccRecord } from './record.ts';
import { type Slab, SlabAllocator } from './slab.ts';

/** What one entry takes besides its bytes: objects, views and the slot in the map. An estimate. */
const entryOverheadBytes = 400;

/**
 * One key's current record, or its absence. Only the cache and the batch being applied change it.
 */
export interface CacheEntry {
  readonly mapKey: string;
  /** False from the time the record is asked for until it is there. */
  isLoaded: boolean;
  /** Undefined when the key has no record at all. */
  record: MvccRecord | undefined;
  /**
   * Sequence of the newest output that wrote this key; 0 when the engine holds it. Pinned while
   * above 0.
   */
  writtenBy: number;
  /** What the batch under way makes of it; undefined when it removes the record, or leaves it. */
  change: EncodedChange | undefined;
  /** What finished outputs have made of it since the last checkpoint; undefined as above. */
  finished: EncodedChange | undefined;
  /** Whether the next checkpoint is to look at it. */
  isDirty: boolean;
  /** The slab that `record` lies in, if it was written here. */
  slab: Slab | undefined;
  /** What the entry counts for, its slab apart. */
  bytes: number;
  newer: CacheEntry | undefined;
  older: CacheEntry | undefined;
}

/** Bounded map from keys to their current records. */
export class RecordCache {
  readonly #bytesMax: number;
  readonly #entriesByKey = new Map<string, CacheEntry>();
  /** Entries that the next checkpoint is to look at. */
  #dirty: CacheEntry[] = [];
  /** Entries of each checkpoint that is not settled yet, by its sequence. */
  readonly #unsettled = new Map<number, readonly CacheEntry[]>();
  #bytes = 0;
  /** Ends of the recency list. */
  #newest: CacheEntry | undefined;
  #oldest: CacheEntry | undefined;
  /** While a batch holds entries nothing is evicted. */
  #isHeld = false;
  /** Where changes that will be cached are encoded. */
  readonly slabs = new SlabAllocator();

  constructor(bytesMax: number) {
    assert(bytesMax >= 0, 'the bound of the record cache must not be negative');
    this.#bytesMax = bytesMax;
  }

  /** Estimated memory taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keys that the next checkpoint has a record of. */
  get dirtyCount(): number {
    return this.#dirty.length;
  }

  /** Number of keys known. */
  get size(): number {
    return this.#entriesByKey.size;
  }

  /** Returns the entry of `key` if its record is known, and marks it as used. */
  lookup(key: Uint8Array): CacheEntry | undefined {
    const entry = this.#entriesByKey.get(mapKeyOf(key));
    if (entry?.isLoaded !== true) {
      return undefined;
    }
    this.#touch(entry);
    return entry;
  }

  /** Returns the entry of `key`, a new one that still has to be loaded if there was none. */
  acquire(key: Uint8Array): CacheEntry {
    assert(this.#isHeld, 'entries are acquired by a batch that holds the cache');
    const mapKey = mapKeyOf(key);
    const known = this.#entriesByKey.get(mapKey);
    if (known !== undefined) {
      this.#touch(known);
      return known;
    }
    const entry: CacheEntry = {
      mapKey,
      isLoaded: false,
      record: undefined,
      writtenBy: 0,
      change: undefined,
      finished: undefined,
      isDirty: false,
      slab: undefined,
      bytes: entryOverheadBytes + mapKey.length,
      newer: undefined,
      older: undefined,
    };
    this.#entriesByKey.set(mapKey, entry);
    this.#bytes += entry.bytes;
    return entry;
  }

  /** Gives an acquired entry the record that the engine holds. */
  load(entry: CacheEntry, record: MvccRecord | undefined): void {
    assert(!entry.isLoaded && entry.writtenBy === 0, 'a record is loaded once');
    entry.isLoaded = true;
    entry.record = record === undefined ? undefined : detach(record);
    this.#resize(entry, record === undefined ? 0 : record.value.length);
    this.#link(entry);
  }

  /**
   * Sets what output `sequence` makes of the key, and pins it. Returns true on its first change of
   * it.
   */
  write(
    entry: CacheEntry,
    sequence: number,
    record: MvccRecord | undefined,
    change: EncodedChange | undefined,
  ): boolean {
    const isFirst = entry.writtenBy !== sequence;
    if (isFirst) {
      if (entry.isLoaded && entry.writtenBy === 0) {
        this.#unlink(entry);
      }
      entry.writtenBy = sequence;
    }
    entry.isLoaded = true;
    entry.record = record;
    entry.change = change;
    this.#moveTo(entry, change?.slab);
    this.#resize(entry, 0);
    return isFirst;
  }

  /** Begins a batch: from now on no entry is evicted. */
  hold(): void {
    assert(!this.#isHeld, 'one batch at a time');
    this.#isHeld = true;
  }

  /** Ends a batch, which has written `written`. */
  release(written: readonly CacheEntry[]): void {
    assert(this.#isHeld, 'a batch ends once');
    this.#isHeld = false;
    for (const entry of written) {
      entry.finished = entry.change;
      entry.change = undefined;
      if (!entry.isDirty) {
        entry.isDirty = true;
        this.#dirty.push(entry);
      }
    }
    this.#evict();
  }

  /**
   * The current records that a checkpoint at `sequence`, the last finished output, writes. A batch
   * under way may have changed them further; that is not seen.
   */
  takeDirty(sequence: number): readonly StateWrite[] {
    const writes: StateWrite[] = [];
    for (const entry of this.#dirty) {
      const { finished } = entry;
      entry.isDirty = false;
      entry.finished = undefined;
      // Where there is none, whatever removed the record is written with the checkpoint.
      if (finished !== undefined) {
        writes.push({ type: 'put', key: finished.keysKey, value: finished.current });
      }
    }
    this.#unsettled.set(sequence, this.#dirty);
    this.#dirty = [];
    return writes;
  }

  /** The engine holds the checkpoint at `sequence`, and all before it. */
  settle(sequence: number): void {
    for (const [unsettled, entries] of this.#unsettled) {
      if (unsettled > sequence) {
        break;
      }
      this.#unsettled.delete(unsettled);
      for (const entry of entries) {
        // Otherwise a later output has written it too, and settles it.
        if (entry.writtenBy > 0 && entry.writtenBy <= unsettled) {
          entry.writtenBy = 0;
          this.#link(entry);
        }
      }
    }
    this.#evict();
  }

  #evict(): void {
    while (!this.#isHeld && this.#bytes > this.#bytesMax && this.#oldest !== undefined) {
      const entry = this.#oldest;
      this.#unlink(entry);
      this.#entriesByKey.delete(entry.mapKey);
      this.#moveTo(entry, undefined);
      this.#bytes -= entry.bytes;
    }
  }

  /** Notes that the entry's record lies in another slab, or in none. */
  #moveTo(entry: CacheEntry, slab: Slab | undefined): void {
    const { slab: old } = entry;
    entry.slab = slab;
    if (slab !== undefined && slab.records++ === 0) {
      this.#bytes += slab.bytes.length;
    }
    if (old !== undefined && --old.records === 0) {
      this.#bytes -= old.bytes.length;
    }
  }

  #resize(entry: CacheEntry, recordBytes: number): void {
    const bytes = entryOverheadBytes + entry.mapKey.length + recordBytes;
    this.#bytes += bytes - entry.bytes;
    entry.bytes = bytes;
  }

  #touch(entry: CacheEntry): void {
    if (entry.isLoaded && entry.writtenBy === 0 && entry !== this.#newest) {
      this.#unlink(entry);
      this.#link(entry);
    }
  }

  #link(entry: CacheEntry): void {
    entry.older = this.#newest;
    if (this.#newest !== undefined) {
      this.#newest.newer = entry;
    }
    this.#newest = entry;
    this.#oldest ??= entry;
  }

  #unlink(entry: CacheEntry): void {
    const { newer, older } = entry;
    if (newer === undefined) {
      this.#newest = older;
    } else {
      newer.older = older;
    }
    if (older === undefined) {
      this.#oldest = newer;
    } else {
      older.newer = newer;
    }
    entry.newer = undefined;
    entry.older = undefined;
  }
}

/** Copies the value out of a much larger buffer, which the entry would otherwise keep alive. */
function detach(record: MvccRecord): MvccRecord {
  const { value } = record;
  const isSmallPart = value.buffer.byteLength > 2 * value.length + entryOverheadBytes;
  return isSmallPart ? { ...record, value: value.slice() } : record;
}

/**
 * A member's disk: its log, and its state in an ordered store.
 *
 * Fairness: what the disk says is durable stays, on every member, for good. A crash keeps some
 * prefix of the writes that were not yet durable: any of them, all, or none; a torn write counts as
 * not there, because a record is read back whole or not at all (its checksum says which). The state
 * may fall back to any earlier whole batch, or to what one of them changes of history alone, but
 * not behind its last flush. Nothing is corrupted.
 *
 * Syncs may be slow or stall for a while, but end. These are the words of `src/storage/ports.ts`;
 * the real log and engine are held to the same by `test/conformance` and the crash tests of
 * storage.
 */
import { compareBytes, must, type Prng } from '../../src/base/index.ts';
import { mapKeyOf, revisionsTable } from '../../src/kv/key-layout.ts';
import {
  type Loaded,
  type Need,
  readSnapshotHead,
  snapshotHeadKeys,
  snapshotRanges,
  type StateWrite,
  type StoredRecord,
} from '../../src/kv/index.ts';
import type { Entry, HardState, LogSummary, TermRun } from '../../src/raft/index.ts';

/** What one write of the log brings. */
export interface LogBatch {
  readonly hardState?: HardState | undefined;
  readonly entries: readonly Entry[];
}

/** How to take back a write that was never durable. */
interface LogUndo {
  readonly hardState: HardState;
  /** First index that the write brought; 0 when it had no entries. */
  readonly firstIndex: number;
  readonly overwritten: readonly Entry[];
}

/** The log file of one member. */
export class SimLog {
  snapshotIndex = 0;
  snapshotTerm = 0;
  hardState: HardState = { currentTerm: 0, votedFor: 0, commitIndex: 0 };
  /** Entries after `snapshotIndex`. */
  #entries: Entry[] = [];
  #unsynced: LogUndo[] = [];
  #bytes = 0;

  get lastIndex(): number {
    return this.snapshotIndex + this.#entries.length;
  }

  /** Data bytes of the entries. */
  get bytes(): number {
    return this.#bytes;
  }

  get unsyncedWrites(): number {
    return this.#unsynced.length;
  }

  /** The last entry that no crash can take away. */
  get durableIndex(): number {
    let last = this.lastIndex;
    for (const { firstIndex } of this.#unsynced) {
      if (firstIndex > 0) {
        last = Math.min(last, firstIndex - 1);
      }
    }
    return last;
  }

  /** The hard state that no crash can take away. */
  get durableHardState(): HardState {
    return this.#unsynced[0]?.hardState ?? this.hardState;
  }

  /** An entry as it is in the file, durable or not. */
  entryAt(index: number): Entry | undefined {
    return this.#entries[index - this.snapshotIndex - 1];
  }

  termAt(index: number): number | undefined {
    return index === this.snapshotIndex ? this.snapshotTerm : this.entryAt(index)?.term;
  }

  /**
   * Whether this disk surely holds the entry of `term` at `index`; a snapshot holds all it covers.
   */
  holds(index: number, term: number): boolean {
    return (
      index < this.snapshotIndex || (index <= this.durableIndex && this.termAt(index) === term)
    );
  }

  /** Hands a batch to the system; durable once `sync` has been called. */
  write(batch: LogBatch): void {
    const first = batch.entries[0]?.index ?? 0;
    if (first > this.lastIndex + 1 || (first > 0 && first <= this.snapshotIndex)) {
      throw new Error(
        `a write at ${first} does not follow (${this.snapshotIndex}, ${this.lastIndex}]`,
      );
    }
    const overwritten = first === 0 ? [] : this.#entries.splice(first - this.snapshotIndex - 1);
    this.#unsynced.push({ hardState: this.hardState, firstIndex: first, overwritten });
    for (const entry of batch.entries) {
      this.#entries.push(entry);
      this.#bytes += entry.data.length;
    }
    for (const entry of overwritten) {
      this.#bytes -= entry.data.length;
    }
    this.hardState = batch.hardState ?? this.hardState;
  }

  /** Everything written so far is durable. */
  sync(): void {
    this.#unsynced = [];
  }

  /** Loses power; returns how many writes were lost. */
  crash(prng: Prng): number {
    const kept = prng.nextInt(0, this.#unsynced.length + 1);
    const lost = this.#unsynced.length - kept;
    while (this.#unsynced.length > kept) {
      const { hardState, firstIndex, overwritten } = this.#unsynced.pop() as LogUndo;
      this.hardState = hardState;
      if (firstIndex > 0) {
        this.#entries.length = firstIndex - this.snapshotIndex - 1;
        this.#entries.push(...overwritten);
      }
    }
    this.#unsynced = [];
    this.#measure();
    return lost;
  }

  read(lo: number, hi: number, bytesMax: number): Entry[] {
    const entries: Entry[] = [];
    let bytes = 0;
    for (let index = lo; index < hi; index++) {
      const entry = this.entryAt(index);
      if (entry === undefined) {
        break;
      }
      bytes += entry.data.length;
      if (entries.length > 0 && bytes > bytesMax) {
        break;
      }
      entries.push(entry);
    }
    return entries;
  }

  compact(index: number): void {
    this.snapshotTerm = this.termAt(index) ?? this.snapshotTerm;
    this.#entries.splice(0, index - this.snapshotIndex);
    this.snapshotIndex = index;
    this.#measure();
  }

  /** A snapshot takes the place of the log, durably. */
  reset(position: { readonly index: number; readonly term: number }, hardState: HardState): void {
    this.snapshotIndex = position.index;
    this.snapshotTerm = position.term;
    this.#entries = [];
    this.#unsynced = [];
    this.#bytes = 0;
    this.hardState = hardState;
  }

  summary(): LogSummary {
    const termRuns: TermRun[] = [];
    for (const { term, index } of this.#entries) {
      if (termRuns.at(-1)?.term !== term) {
        termRuns.push({ term, firstIndex: index });
      }
    }
    return {
      snapshotIndex: this.snapshotIndex,
      snapshotTerm: this.snapshotTerm,
      lastIndex: this.lastIndex,
      termRuns,
      confEntries: this.#entries.filter(({ type }) => type === 'confChange'),
    };
  }

  #measure(): void {
    this.#bytes = this.#entries.reduce((sum, entry) => sum + entry.data.length, 0);
  }
}

/** A record as it was before a batch. */
type RecordUndo = readonly [mapKey: string, before: StoredRecord | undefined];

/** An ordered store with atomic batches, history apart. */
export class SimEngine {
  readonly #records = new Map<string, StoredRecord>();
  /** Ascending; one character a byte, so their order is that of the bytes. */
  #keys: string[] = [];
  /** Batches since the last flush, oldest first. */
  #unflushed: RecordUndo[][] = [];

  get unflushedBatches(): number {
    return this.#unflushed.length;
  }

  get size(): number {
    return this.#keys.length;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#records.get(mapKeyOf(key))?.value;
  }

  load(need: Need): Loaded {
    if (need.type === 'get') {
      return { type: 'get', values: need.keys.map((key) => this.get(key)) };
    }
    const start = this.#position(mapKeyOf(need.gte));
    const end = this.#position(mapKeyOf(need.lt));
    const keys = need.reverse
      ? this.#keys.slice(Math.max(start, end - need.limit), end).reverse()
      : this.#keys.slice(start, Math.min(end, start + need.limit));
    return { type: 'scan', records: keys.map((key) => this.#records.get(key) as StoredRecord) };
  }

  /** All records in order. */
  records(): StoredRecord[] {
    return this.#keys.map((key) => this.#records.get(key) as StoredRecord);
  }

  write(batch: readonly StateWrite[]): void {
    this.#write(batch.filter(({ key }) => key[0] === revisionsTable));
    this.#write(batch.filter(({ key }) => key[0] !== revisionsTable));
  }

  flush(): void {
    this.#unflushed = [];
  }

  /** Loses power; returns how many batches were lost. */
  crash(prng: Prng): number {
    const kept = prng.nextInt(0, this.#unflushed.length + 1);
    const lost = this.#unflushed.length - kept;
    while (this.#unflushed.length > kept) {
      for (const [mapKey, before] of (this.#unflushed.pop() ?? []).reverse()) {
        this.#set(mapKey, before);
      }
    }
    this.#unflushed = [];
    return lost;
  }

  /** What a snapshot of it holds: all of the state, as it is now. */
  copy(): SimEngine {
    const copy = new SimEngine();
    const head = readSnapshotHead(snapshotHeadKeys.map((key) => this.get(key)));
    const ranges = snapshotRanges(head?.revision ?? 0);
    copy.#keys = this.#keys.filter((mapKey) => {
      const record = must(this.#records.get(mapKey), 'the record of a key');
      return ranges.some(
        ({ gte, lt }) => compareBytes(record.key, gte) >= 0 && compareBytes(record.key, lt) < 0,
      );
    });
    for (const mapKey of copy.#keys) {
      copy.#records.set(mapKey, must(this.#records.get(mapKey), 'the record of a key'));
    }
    return copy;
  }

  #write(writes: readonly StateWrite[]): void {
    const undo: RecordUndo[] = [];
    for (const write of writes) {
      const mapKey = mapKeyOf(write.key);
      undo.push([mapKey, this.#records.get(mapKey)]);
      this.#set(
        mapKey,
        write.type === 'put' ? { key: write.key.slice(), value: write.value.slice() } : undefined,
      );
    }
    if (undo.length > 0) {
      this.#unflushed.push(undo);
    }
  }

  #set(mapKey: string, record: StoredRecord | undefined): void {
    const isThere = this.#records.has(mapKey);
    if (record === undefined) {
      if (isThere) {
        this.#records.delete(mapKey);
        this.#keys.splice(this.#position(mapKey), 1);
      }
      return;
    }
    this.#records.set(mapKey, record);
    if (!isThere) {
      const at = this.#position(mapKey);
      if (at === this.#keys.length) {
        this.#keys.push(mapKey);
      } else {
        this.#keys.splice(at, 0, mapKey);
      }
    }
  }

  /** Of the first key not below `mapKey`. */
  #position(mapKey: string): number {
    let low = 0;
    let high = this.#keys.length;
    if (high > 0 && (this.#keys[high - 1] as string) < mapKey) {
      return high;
    }
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] as string) < mapKey) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}

/** What survives a crash of a member. */
export class SimDisk {
  readonly log = new SimLog();
  /** The current generation of the state. */
  engine = new SimEngine();
  /** The snapshot that the current generation was installed from. */
  installed: { readonly index: number; readonly term: number } | undefined;
  /** Syncs do not end before this time. */
  stalledUntilUs = 0;
  /** How many times slower than usual. */
  slowness = 1;

  /** Loses power: the log and the state each fall back on their own. */
  crash(prng: Prng): { readonly logWrites: number; readonly stateBatches: number } {
    return { logWrites: this.log.crash(prng), stateBatches: this.engine.crash(prng) };
  }

  /** Switches to a staged generation, durably. */
  activate(staged: SimEngine, position: { readonly index: number; readonly term: number }): void {
    staged.flush();
    this.engine = staged;
    this.installed = position;
  }
}

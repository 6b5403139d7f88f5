/**
 * The ports of durability: contracts only. `wal.ts`, `engine-rocksdb.ts` and `engine-memory.ts`
 * implement them; the suites in `test/conformance/` hold every implementation to the same words.
 */
import type { Entry, HardState, LogIndex, LogSummary } from '../raft/index.ts';

/** What one append makes durable, all or nothing. */
export interface LogAppend {
  readonly hardState?: HardState | undefined;
  /**
   * Contiguous. When the first index is not above the last stored one, the old tail from there on
   * goes.
   */
  readonly entries: readonly Entry[];
  /** When false the batch may stay unsynced until the next synced one. */
  readonly mustSync: boolean;
}

/**
 * The durable log of one member: entries and hard state.
 *
 * To ensure correctness:
 * - An append resolves only once the whole batch is on stable storage (unless `mustSync` is false),
 *   and a crash leaves either all of it or nothing: hard state and entries never part.
 * - One append at a time; a second call before the first has settled is a programmer error.
 * - No holes: entries continue the log or overwrite its tail, never below or at the compacted
 *   index.
 * - A failed write or sync is final: every later call fails with `STORAGE_FAILED` too, and nothing
 *   is acknowledged (never retry an fsync). Only a disk that has no room for more log, found before
 *   anything of the batch is written, is survived: `DISK_FULL` with outcome `rejected`, nothing is
 *   lost, and a later append may succeed once there is room.
 * - After a crash the log opens at exactly the acknowledged appends, plus possibly the one under
 *   way; or it refuses with `DATA_CORRUPT`, naming file, offset and remedy. It never drops what was
 *   acknowledged.
 */
export interface LogStore extends AsyncDisposable {
  /** State found at open; not updated afterwards. */
  readonly initialHardState: HardState;
  readonly initialLog: LogSummary;
  append(batch: LogAppend): Promise<void>;
  /**
   * Reads entries `[lo, hi)`: as many whole entries from `lo` as fit into `bytesMax` of data, at
   * least one.
   *
   * @throws {KvError} DATA_CORRUPT — a record does not match its checksum.
   */
  read(lo: LogIndex, hi: LogIndex, bytesMax: number): Promise<readonly Entry[]>;
  /** Bytes on disk, for metrics and limits. */
  sizeBytes(): number;
  close(): Promise<void>;
}

/**
 * One change of an engine batch. Later operations of a batch win over earlier ones of the same key.
 */
export type EngineOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: Uint8Array }
  /** Removes every key in `[key, end)`. */
  | { readonly type: 'deleteRange'; readonly key: Uint8Array; readonly end: Uint8Array };

/** A key and its value. */
export interface EngineRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A scan of `[gte, lt)` in byte order (or backwards), of at most `limit` records. */
export interface EngineScan {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
  readonly limit: number;
  readonly reverse?: boolean | undefined;
}

/** Reads from one fixed state of the engine. */
export interface EngineReader {
  /**
   * Values in the order of `keys`; undefined where a key is absent. One trip for the whole batch.
   */
  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>;
  scan(range: EngineScan): Promise<readonly EngineRecord[]>;
}

/** A pinned state; must be closed. Closing twice does nothing. */
export interface EngineSnapshot extends EngineReader {
  close(): void;
}

/**
 * Ordered tables with atomic batches.
 *
 * To ensure correctness:
 * - A batch is atomic: after a crash all of it is there or nothing, and the store opens at an exact
 *   prefix of its batches. A resolved write is visible to reads; durable only after the next
 *   `flush()` has resolved.
 * - Writes take effect in the order of the calls.
 * - Byte arrays handed in belong to the engine until the promise settles; those handed out belong
 *   to the caller.
 */
export interface Engine extends EngineReader, AsyncDisposable {
  write(batch: readonly EngineOperation[]): Promise<void>;
  /** Resolves once everything written before the call survives a power cut. */
  flush(): Promise<void>;
  snapshot(): EngineSnapshot;
  /** Approximate bytes on disk. */
  sizeBytes(): Promise<number>;
  close(): Promise<void>;
}

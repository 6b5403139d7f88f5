/**
 * The ports of durability: contracts only. `wal.ts`, `engine-rocksdb.ts` and `engine-memory.ts`
 * implement them; the suites in `test/conformance/` hold every implementation to the same words.
 */
import type { Entry, HardState, LogIndex, LogSummary, Term } from '../raft/index.ts';

/** A place in the log, as an installed snapshot or a compaction names it. */
export interface LogPosition {
  readonly index: LogIndex;
  readonly term: Term;
}

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
 * - A reset counts as an append: one at a time with them.
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
  /**
   * Drops the entries up to and including `index`, a kept one whose effects are durable elsewhere
   * and that no read will ask for again.
   *
   * @remarks
   * Durable before it resolves; a crash leaves the old start of the log or the new one. Whole
   * segments go, the rest is only forgotten. Reads under way still succeed. May run while an append
   * is under way; an index at or below the start of the log changes nothing.
   */
  compact(index: LogIndex): Promise<void>;
  /**
   * Empties the log: it continues after `position`, that of an installed snapshot, and `hardState`
   * is stored in the same step. A crash leaves the old log and hard state, or the new ones.
   */
  reset(position: LogPosition, hardState: HardState): Promise<void>;
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

/**
 * A scan of `[gte, lt)` in byte order (or backwards): of at most `limit` records, and ending with
 * the one by which keys and values together reach `bytesMax`, if that is given.
 */
export interface EngineScan {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
  readonly limit: number;
  readonly bytesMax?: number | undefined;
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

/**
 * A pinned state; must be closed. Closing twice does nothing. Reads that begin after the engine has
 * been closed fail with the KvError STOPPED.
 */
export interface EngineSnapshot extends EngineReader {
  close(): void;
}

/**
 * Ordered tables with atomic batches.
 *
 * A store may keep one table apart, the one whose keys mostly ascend, since files of such keys need
 * not be written anew again and again. It is read like any other.
 *
 * To ensure correctness:
 * - A batch is atomic: after a crash all of it is there or nothing, and the store opens at an exact
 *   prefix of its batches. What it changes of the table that is kept apart counts as a batch of its
 *   own, right before the rest: it may be there alone. A resolved write is visible to reads;
 *   durable only after the next `flush()` has resolved.
 * - Writes take effect in the order of the calls.
 * - What is read is what was written, or the read fails: damage found at any time, by a read, a
 *   write or the opening, is `DATA_CORRUPT` with `part: 'engine'`.
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
  /**
   * Rewrites the files of the whole range so that what was removed gives its space back. Reads and
   * writes go on meanwhile; closing waits for it.
   */
  compactRange(): Promise<void>;
  /** Closes once the last snapshot is closed and the last read has settled, or with `close`. */
  retire(): Promise<void>;
  /** Closes after the reads and writes under way; snapshots end with it. */
  close(): Promise<void>;
}

/**
 * The state of one member, in generations: the current one, and at most one that is being staged
 * from a snapshot of another member.
 *
 * To ensure correctness:
 * - A crash at any point leaves the old generation or the new one, whole; what is left of the other
 *   is removed at the next opening.
 * - A generation that was in use is never replaced by an empty one: if it is gone or damaged the
 *   store refuses to open with `DATA_CORRUPT` and `part: 'engine'`.
 */
export interface StateStore extends AsyncDisposable {
  /** The engine of the current generation; another one after `StagedState.activate`. */
  readonly engine: Engine;
  /**
   * Position of the snapshot that the current generation was installed from, or undefined. Lets a
   * start finish an install that a crash cut between the switch and the reset of the log.
   */
  readonly installed: LogPosition | undefined;
  /** Begins a fresh, empty generation; an earlier staged one is discarded. */
  stage(): Promise<StagedState>;
  /** Closes all engines; a staged generation is discarded. Closing twice does nothing. */
  close(): Promise<void>;
}

/** A generation that is being filled. It is given up with `discard`, or by staging another. */
export interface StagedState {
  readonly engine: Engine;
  /**
   * Makes this generation the current one, durably and atomically.
   *
   * @remarks
   * Everything written to it is flushed first. The old engine closes, and its files go, once its
   * last snapshot is closed and its last read has settled; this is not waited for.
   */
  activate(position: LogPosition): Promise<void>;
  /** Closes and removes it. Discarding twice, or after another was staged, does nothing. */
  discard(): Promise<void>;
}

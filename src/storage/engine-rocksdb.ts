/**
 * The engine on RocksDB: opening, writing and closing a store (ADR-002).
 *
 * The binding runs every batch on libuv's pool, where two batches in flight may pass each other. So
 * one is in flight at a time. There is no synced write: after a power cut the store opens at an
 * exact prefix of its batches, and the log replays the rest. A batch of the binding's is of one
 * column family: what a batch changes of the table kept apart goes as one of its own, first.
 */
import type RocksDB from 'rocksdb-native';
import type { CompactOptions, WriteBatch } from 'rocksdb-native';
import { assert, KvError, must } from '../base/index.ts';
import { checkEngineFiles } from './engine-check.ts';
import { nodeFileSystem } from './node-file-system.ts';
import type { Engine, EngineOperation, EngineRecord, EngineScan, EngineSnapshot } from './ports.ts';
import { bindingError, engineError, openError } from './rocksdb-errors.ts';
import { ascendingFamily, Families } from './rocksdb-families.ts';
import { RocksdbReader } from './rocksdb-reader.ts';
import { UseCount } from './use-count.ts';

/** Bytes of a family's recent writes in memory before they become a file; twice, while they do. */
const WRITE_BUFFER_BYTES = 32 * 1024 * 1024;

/** The same of the family of ascending keys, whose files need not be large: nothing merges them. */
const ASCENDING_WRITE_BUFFER_BYTES = 16 * 1024 * 1024;

/**
 * Bytes written from which on all families are flushed. RocksDB's log goes when both of them have
 * been: what a start reads of it is not to depend on the one that is written to less.
 */
const LOG_BYTES_MAX = 64 * 1024 * 1024;

/** Half of the binding's default: a batched point read costs 13 µs instead of 25. */
const TABLE_BLOCK_BYTES = 4096;

/** Threads for flushes and compactions. */
const BACKGROUND_JOBS_MAX = 2;

/** Operations the write batch has room for from the start; it grows as needed. */
const WRITE_CAPACITY = 1024;

/** How a store is opened. */
export interface RocksdbEngineOptions {
  /** When true, a store that is not there is damage. By default it is created. */
  readonly mustExist?: boolean | undefined;
  /**
   * Leading byte of the keys that are kept apart, which mostly ascend. A store is opened with what
   * it was made with, always. By default there are no such keys.
   */
  readonly ascendingTable?: number | undefined;
}

/**
 * Opens, or creates, a RocksDB store in `folder`.
 *
 * @throws {KvError} STORAGE_FAILED — the native library cannot be loaded; names what to install.
 * @throws {KvError} DATA_DIR_LOCKED — another process has the store open.
 * @throws {KvError} DATA_CORRUPT — the store is damaged, or gone.
 */
export async function openRocksdbEngine(
  folder: string,
  { mustExist = false, ascendingTable }: RocksdbEngineOptions = {},
): Promise<Engine> {
  const binding = await loadBinding();
  await checkEngineFiles(folder, nodeFileSystem);
  const ascending = new binding.ColumnFamily(ascendingFamily, {
    writeBufferSize: ASCENDING_WRITE_BUFFER_BYTES,
    tableBlockSize: TABLE_BLOCK_BYTES,
    // Only keys that exist are asked for there.
    filterPolicy: null,
  });
  const db = new binding(folder, {
    createIfMissing: !mustExist,
    createMissingColumnFamilies: !mustExist,
    columnFamilies: ascendingTable === undefined ? [] : [ascending],
    writeBufferSize: WRITE_BUFFER_BYTES,
    tableBlockSize: TABLE_BLOCK_BYTES,
    maxBackgroundJobs: BACKGROUND_JOBS_MAX,
    optimizeFiltersForMemory: true,
    walRecoveryMode: binding.constants.walRecoveryMode.POINT_IN_TIME,
  });
  try {
    await db.ready();
  } catch (error) {
    throw openError(error, folder);
  }
  const force = binding.constants.bottommostLevelCompaction.FORCE;
  return new RocksdbEngine(db, new Families(db, ascendingTable), {
    folder,
    compactOptions: { bottommostLevelCompaction: force },
  });
}

async function loadBinding(): Promise<typeof RocksDB> {
  try {
    return (await import('rocksdb-native')).default;
  } catch (error) {
    throw bindingError(error);
  }
}

/** What an open store needs to know besides its handle. */
interface StoreOptions {
  readonly folder: string;
  readonly compactOptions: CompactOptions;
}

class RocksdbEngine implements Engine {
  readonly #db: RocksDB;
  readonly #families: Families;
  readonly #options: StoreOptions;
  readonly #reader: RocksdbReader;
  /** Snapshots that are open, reads and compactions under way. */
  readonly #uses = new UseCount();
  /** One of each family, used again and again: making one costs more than filling it. */
  readonly #writeBatches: ReadonlyMap<RocksDB, WriteBatch>;
  /**
   * Settles once all that was called is written; never rejects. Limit of what waits: the callers',
   * each of whom waits for its promise.
   */
  #writing: Promise<unknown> = Promise.resolve();
  /** Bytes written since the last flush of all families began. */
  #loggedBytes = 0;
  /** A flush that nobody waits for is under way. Limit: one, since each takes a thread. */
  #isFlushing = false;
  /**
   * Set by the first write, or flush that nobody waits for, that has failed. Invariant: no later
   * write is applied, so the store keeps to a prefix.
   */
  #failure: KvError | undefined;
  #closing: Promise<void> | undefined;

  constructor(db: RocksDB, families: Families, options: StoreOptions) {
    this.#db = db;
    this.#families = families;
    this.#options = options;
    this.#reader = new RocksdbReader(families, options.folder);
    this.#writeBatches = new Map(
      families.all.map((family) => [family, family.write({ capacity: WRITE_CAPACITY })]),
    );
  }

  async write(batch: readonly EngineOperation[]): Promise<void> {
    this.#checkOpen();
    const writing = this.#writing.then(async () => this.#write(batch));
    this.#writing = writing.catch(() => undefined);
    return writing;
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.#checkOpen();
    return this.#uses.during(async () => this.#reader.getMany(keys));
  }

  async scan(range: EngineScan): Promise<readonly EngineRecord[]> {
    this.#checkOpen();
    return this.#uses.during(async () => this.#reader.scan(range));
  }

  snapshot(): EngineSnapshot {
    this.#checkOpen();
    const isStopped = (): boolean => this.#closing !== undefined;
    return new RocksdbSnapshot(this.#families.pinned(), {
      folder: this.#options.folder,
      uses: this.#uses,
      isStopped,
    });
  }

  async flush(): Promise<void> {
    this.#checkOpen();
    await this.#writing;
    this.#checkHealthy();
    try {
      await this.#flushFamilies();
    } catch (error) {
      throw this.#error(error, 'it could not be flushed');
    }
  }

  async compactRange(): Promise<void> {
    this.#checkOpen();
    this.#checkHealthy();
    try {
      await this.#uses.during(async () => {
        for (const family of this.#families.all) {
          await family.compact(this.#options.compactOptions);
        }
      });
    } catch (error) {
      throw this.#error(error, 'it could not be compacted');
    }
  }

  async sizeBytes(): Promise<number> {
    this.#checkOpen();
    return this.#uses.during(async () => {
      let bytes = 0;
      for (const family of this.#families.all) {
        bytes += Number((await family.getProperty('rocksdb.total-sst-files-size')) ?? 0);
        bytes += Number((await family.getProperty('rocksdb.cur-size-all-mem-tables')) ?? 0);
      }
      return bytes;
    });
  }

  async retire(): Promise<void> {
    await this.#uses.unused();
    await this.close();
  }

  async close(): Promise<void> {
    this.#uses.abandon();
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await this.#writing;
    for (const writeBatch of this.#writeBatches.values()) {
      writeBatch.destroy();
    }
    await this.#db.close({ force: true });
  }

  #checkOpen(): void {
    assert(this.#closing === undefined, 'the engine is open');
  }

  #error(error: unknown, what: string): KvError {
    return engineError(error, { folder: this.#options.folder, what, outcome: 'unknown' });
  }

  #checkHealthy(): void {
    if (this.#failure !== undefined) {
      throw new KvError(this.#failure.code, {
        details: this.#failure.details,
        message: `the store stopped at an earlier failure (${this.#failure.message})`,
        cause: this.#failure,
      });
    }
  }

  async #write(batch: readonly EngineOperation[]): Promise<void> {
    this.#checkHealthy();
    const filled = this.#fill(batch);
    this.#shortenLog();
    try {
      for (const family of this.#families.all) {
        if (filled.has(family)) {
          await this.#batchOf(family).flush();
        }
      }
    } catch (error) {
      this.#failure = this.#error(error, 'a batch could not be written');
      throw this.#failure;
    }
  }

  /** Flushes all families, beside writes, once RocksDB's log has become long. */
  #shortenLog(): void {
    const isDue = this.#families.all.length > 1 && this.#loggedBytes > LOG_BYTES_MAX;
    if (!isDue || this.#isFlushing) {
      return;
    }
    this.#isFlushing = true;
    this.#flushFamilies()
      .catch((error: unknown) => {
        this.#failure ??= this.#error(error, 'it could not be flushed');
      })
      .finally(() => {
        this.#isFlushing = false;
      });
  }

  async #flushFamilies(): Promise<void> {
    this.#loggedBytes = 0;
    for (const family of this.#families.all) {
      await family.flush();
    }
  }

  /** Puts the operations into the batches of their families; returns which these are. */
  #fill(batch: readonly EngineOperation[]): ReadonlySet<RocksDB> {
    const filled = new Set<RocksDB>();
    let family: RocksDB | undefined;
    let target: WriteBatch | undefined;
    const turnTo = (next: RocksDB): WriteBatch => {
      // Most follow others of their family.
      if (target === undefined || next !== family) {
        family = next;
        target = this.#batchOf(next);
        filled.add(next);
      }
      return target;
    };
    for (const operation of batch) {
      const { key } = operation;
      switch (operation.type) {
        case 'put':
          turnTo(this.#families.of(key)).tryPut(key, operation.value);
          this.#loggedBytes += key.length + operation.value.length;
          break;
        case 'delete':
          turnTo(this.#families.of(key)).tryDelete(key);
          break;
        case 'deleteRange':
          for (const part of this.#families.partsOf(key, operation.end)) {
            turnTo(part.family).tryDeleteRange(part.gte, part.lt);
          }
          break;
      }
    }
    return filled;
  }

  #batchOf(family: RocksDB): WriteBatch {
    return must(this.#writeBatches.get(family), 'the batch of a family');
  }
}

class RocksdbSnapshot implements EngineSnapshot {
  readonly #families: Families;
  readonly #reader: RocksdbReader;
  readonly #uses: UseCount;
  readonly #isStopped: () => boolean;
  #isClosed = false;

  constructor(
    families: Families,
    engine: { folder: string; uses: UseCount; isStopped: () => boolean },
  ) {
    this.#families = families;
    this.#reader = new RocksdbReader(families, engine.folder);
    this.#uses = engine.uses;
    this.#isStopped = engine.isStopped;
    engine.uses.begin();
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.#checkOpen();
    return this.#uses.during(async () => this.#reader.getMany(keys));
  }

  async scan(range: EngineScan): Promise<readonly EngineRecord[]> {
    this.#checkOpen();
    return this.#uses.during(async () => this.#reader.scan(range));
  }

  close(): void {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#uses.end();
      // Reads under way keep the state pinned.
      this.#families.close();
    }
  }

  #checkOpen(): void {
    assert(!this.#isClosed, 'the snapshot is open');
    if (this.#isStopped()) {
      throw new KvError('STOPPED');
    }
  }
}

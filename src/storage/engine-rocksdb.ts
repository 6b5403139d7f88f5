/**
 * The engine on RocksDB: the only importer of `rocksdb-native` (ADR-002).
 *
 * The binding runs every batch on libuv's pool, where two batches in flight may pass each other. So
 * one write is in flight at a time, and what is called meanwhile travels together as the next one:
 * order is kept, and a batch stays atomic inside a larger one. There is no synced write: after a
 * power cut the store opens at an exact prefix of its batches, and the log replays the rest.
 */
import type RocksDB from 'rocksdb-native';
import type { CompactOptions, ReadBatch, WriteBatch } from 'rocksdb-native';
import { assert, KvError } from '../base/index.ts';
import { corruptData } from './corruption.ts';
import { checkEngineFiles } from './engine-check.ts';
import { nodeFileSystem } from './node-file-system.ts';
import type { Engine, EngineOperation, EngineRecord, EngineScan, EngineSnapshot } from './ports.ts';
import { UseCount } from './use-count.ts';

/** Bytes of recent writes in memory before they become a file; there may be two such buffers. */
const WRITE_BUFFER_BYTES = 32 * 1024 * 1024;

/**
 * Records a scan fetches in one trip; opening an iterator costs about 100 µs, a record in it about
 * 1.
 */
const SCAN_CHUNK_RECORDS = 512;

/**
 * As above, for a scan that is limited in bytes, as long as the size of its records is not known: a
 * trip is in memory as a whole.
 */
const BOUNDED_SCAN_CHUNK_RECORDS = 128;
/** The same once it is known: no fewer than this. */
const BOUNDED_SCAN_CHUNK_RECORDS_MIN = 16;

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
  { mustExist = false }: RocksdbEngineOptions = {},
): Promise<Engine> {
  const binding = await loadBinding();
  await checkEngineFiles(folder, nodeFileSystem);
  const db = new binding(folder, {
    createIfMissing: !mustExist,
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
  return new RocksdbEngine(db, { folder, compactOptions: { bottommostLevelCompaction: force } });
}

async function loadBinding(): Promise<typeof RocksDB> {
  try {
    return (await import('rocksdb-native')).default;
  } catch (error) {
    throw bindingError(error);
  }
}

/**
 * Says what to install when the native library does not load.
 *
 * @internal for tests.
 */
export function bindingError(error: unknown): KvError {
  const reasons: string[] = [];
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    reasons.push(cause.message);
  }
  const reason = reasons.join(': ');
  const remedy = reason.includes('libatomic')
    ? 'Install the system library libatomic.so.1 (Debian and Ubuntu: apt-get install libatomic1).'
    : 'On Linux it needs glibc 2.34 or newer and libatomic.so.1 (Debian and Ubuntu: libatomic1).';
  return new KvError('STORAGE_FAILED', {
    message: `the storage engine rocksdb-native cannot be loaded. ${remedy} Reason: ${reason}`,
    cause: error,
  });
}

function openError(error: unknown, folder: string): KvError {
  const reason = error instanceof Error ? error.message : String(error);
  if (/\block (?:hold|file)/i.test(reason)) {
    const message = `the store in ${folder} is in use by another process: ${reason}`;
    return new KvError('DATA_DIR_LOCKED', { message, cause: error });
  }
  if (/no such file|does not exist/i.test(reason)) {
    return corruptData('engine', folder, 0, `a file of the store is gone (${reason})`, error);
  }
  return engineError(error, { folder, what: 'the store does not open', outcome: 'rejected' });
}

/** Something failed: in which store, what, and whether a write may have happened. */
interface Failed {
  readonly folder: string;
  readonly what: string;
  readonly outcome: 'rejected' | 'unknown';
}

/**
 * What to do when the disk is full. RocksDB sets space aside for its files before it writes them
 * (40 MiB for a log, 80 for a table of one buffer), so a member needs more to start than it writes.
 */
const fullDiskRemedy =
  'Make room, 256 MiB at least, and start this member again; nothing acknowledged is lost.';

/**
 * The error for a failing call of the store.
 *
 * @internal for tests.
 */
export function engineError(error: unknown, { folder, what, outcome }: Failed): KvError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (/corrupt|checksum|CURRENT file|in MANIFEST/i.test(reason)) {
    const place = / in (\S+) offset (\d+)/.exec(reason);
    const file = place?.[1] ?? /the file (\S+) may be/i.exec(reason)?.[1] ?? folder;
    return corruptData('engine', file, Number(place?.[2] ?? 0), `${what} (${reason})`, error);
  }
  const isFull = /no space left/i.test(reason);
  return new KvError(isFull ? 'DISK_FULL' : 'STORAGE_FAILED', {
    message: `the store in ${folder}: ${what}: ${reason}${isFull ? `. ${fullDiskRemedy}` : ''}`,
    outcome,
    cause: error,
  });
}

/** A call of `write` that waits for its turn. */
interface PendingWrite {
  readonly batch: readonly EngineOperation[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What an open store needs to know besides its handle. */
interface StoreOptions {
  readonly folder: string;
  readonly compactOptions: CompactOptions;
}

class RocksdbEngine implements Engine {
  readonly #db: RocksDB;
  readonly #options: StoreOptions;
  readonly #reader: RocksdbReader;
  /** Snapshots that are open, reads and compactions under way. */
  readonly #uses = new UseCount();
  /** Used again and again: making one costs more than filling it. */
  readonly #writeBatch: WriteBatch;
  /** Writes called while one is in flight. Limit: the callers'; each waits for its promise. */
  #pending: PendingWrite[] = [];
  /** Settles when nothing is in flight and nothing pending; never rejects. */
  #writing: Promise<void> | undefined;
  /**
   * Set by the first failed write. Invariant: no later write is applied, so the store keeps to a
   * prefix.
   */
  #failure: KvError | undefined;
  #closing: Promise<void> | undefined;

  constructor(db: RocksDB, options: StoreOptions) {
    this.#db = db;
    this.#options = options;
    this.#reader = new RocksdbReader(db, options.folder);
    this.#writeBatch = db.write({ capacity: WRITE_CAPACITY });
  }

  async write(batch: readonly EngineOperation[]): Promise<void> {
    this.#checkOpen();
    return new Promise((resolve, reject) => {
      this.#pending.push({ batch, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
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
    return new RocksdbSnapshot(this.#db.snapshot(), {
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
      await this.#db.flush();
    } catch (error) {
      throw this.#error(error, 'it could not be flushed');
    }
  }

  async compactRange(): Promise<void> {
    this.#checkOpen();
    this.#checkHealthy();
    try {
      await this.#uses.during(async () => this.#db.compact(this.#options.compactOptions));
    } catch (error) {
      throw this.#error(error, 'it could not be compacted');
    }
  }

  async sizeBytes(): Promise<number> {
    this.#checkOpen();
    return this.#uses.during(async () => {
      const files = await this.#db.getProperty('rocksdb.total-sst-files-size');
      const buffers = await this.#db.getProperty('rocksdb.cur-size-all-mem-tables');
      return Number(files ?? 0) + Number(buffers ?? 0);
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
    this.#writeBatch.destroy();
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
      throw new KvError(this.#failure.code === 'DATA_CORRUPT' ? 'DATA_CORRUPT' : 'STORAGE_FAILED', {
        details: this.#failure.details,
        message: `the store stopped at an earlier failure (${this.#failure.message})`,
        cause: this.#failure,
      });
    }
  }

  async #writeAll(): Promise<void> {
    // The writes of one turn travel together.
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const writes = this.#pending;
      this.#pending = [];
      try {
        this.#checkHealthy();
        await this.#writeTogether(writes);
      } catch (error) {
        for (const { reject } of writes) {
          reject(error);
        }
        continue;
      }
      for (const { resolve } of writes) {
        resolve();
      }
    }
    this.#writing = undefined;
  }

  async #writeTogether(writes: readonly PendingWrite[]): Promise<void> {
    const target = this.#writeBatch;
    for (const { batch } of writes) {
      for (const operation of batch) {
        addOperation(target, operation);
      }
    }
    try {
      await target.flush();
    } catch (error) {
      this.#failure = this.#error(error, 'a batch could not be written');
      throw this.#failure;
    }
  }
}

class RocksdbSnapshot implements EngineSnapshot {
  readonly #session: RocksDB;
  readonly #reader: RocksdbReader;
  readonly #uses: UseCount;
  readonly #isStopped: () => boolean;
  #isClosed = false;

  constructor(
    session: RocksDB,
    engine: { folder: string; uses: UseCount; isStopped: () => boolean },
  ) {
    this.#session = session;
    this.#reader = new RocksdbReader(session, engine.folder);
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
      // Closing a session of an open store does its work at once; reads under way keep the state
      // pinned.
      void this.#session.close();
    }
  }

  #checkOpen(): void {
    assert(!this.#isClosed, 'the snapshot is open');
    if (this.#isStopped()) {
      throw new KvError('STOPPED');
    }
  }
}

function addOperation(target: WriteBatch, operation: EngineOperation): void {
  switch (operation.type) {
    case 'put':
      target.tryPut(operation.key, operation.value);
      break;
    case 'delete':
      target.tryDelete(operation.key);
      break;
    case 'deleteRange':
      target.tryDeleteRange(operation.key, operation.end);
      break;
  }
}

/** Reads of a store, or of a session of it that is pinned to one state. */
class RocksdbReader {
  readonly #db: RocksDB;
  readonly #folder: string;
  /** Average of the last scan that was limited in bytes; 0 before the first. */
  #recordBytes = 0;

  constructor(db: RocksDB, folder: string) {
    this.#db = db;
    this.#folder = folder;
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    if (keys.length === 0) {
      return [];
    }
    const batch: ReadBatch = this.#db.read({ capacity: keys.length, autoDestroy: true });
    try {
      const gets = keys.map((key) => batch.get(key));
      const [values] = await Promise.all([Promise.all(gets), batch.flush()]);
      return values.map((value) => value ?? undefined);
    } catch (error) {
      throw this.#error(error, 'a read failed');
    }
  }

  async scan(range: EngineScan): Promise<readonly EngineRecord[]> {
    const { gte, lt, limit, bytesMax = Number.POSITIVE_INFINITY, reverse = false } = range;
    if (limit <= 0) {
      return [];
    }
    // One more than needed: an iterator that comes back short knows its end without another trip.
    const capacity = Math.min(limit, this.#chunkRecords(bytesMax)) + 1;
    const stream = this.#db.iterator({ gte, lt, reverse, limit, capacity });
    return new Promise((resolve, reject) => {
      const records: EngineRecord[] = [];
      let bytes = 0;
      stream
        .on('data', (record) => {
          if (bytes >= bytesMax) {
            return;
          }
          records.push(record);
          bytes += record.key.length + record.value.length;
          if (bytes >= bytesMax) {
            stream.destroy();
          }
        })
        .on('error', (error) => {
          reject(this.#error(error, 'a scan failed'));
        })
        .on('close', () => {
          if (bytesMax < Number.POSITIVE_INFINITY && records.length > 0) {
            this.#recordBytes = bytes / records.length;
          }
          resolve(records);
        });
    });
  }

  /** Records to fetch in one trip: about as many as the scan will take. */
  #chunkRecords(bytesMax: number): number {
    if (bytesMax === Number.POSITIVE_INFINITY) {
      return SCAN_CHUNK_RECORDS;
    }
    if (this.#recordBytes === 0) {
      return BOUNDED_SCAN_CHUNK_RECORDS;
    }
    const expected = Math.ceil(bytesMax / this.#recordBytes);
    return Math.max(BOUNDED_SCAN_CHUNK_RECORDS_MIN, Math.min(SCAN_CHUNK_RECORDS, expected));
  }

  #error(error: unknown, what: string): KvError {
    return engineError(error, { folder: this.#folder, what, outcome: 'rejected' });
  }
}

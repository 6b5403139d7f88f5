/**
 * The part of `rocksdb-native` that the engine uses; the package ships no types of its own.
 */
declare module 'rocksdb-native' {
  /** A batch of reads; each `get` settles when `flush` has. */
  export interface ReadBatch {
    get(key: Uint8Array): Promise<Uint8Array | null>;
    flush(): Promise<void>;
    /** Gives the batch back; not while a flush is under way. */
    destroy(): void;
  }

  /** A batch of changes; atomic. */
  export interface WriteBatch {
    tryPut(key: Uint8Array, value: Uint8Array): void;
    tryDelete(key: Uint8Array): void;
    tryDeleteRange(start: Uint8Array, end: Uint8Array): void;
    flush(): Promise<void>;
    destroy(): void;
  }

  export interface RangeOptions {
    gte?: Uint8Array;
    lt?: Uint8Array;
    reverse?: boolean;
    limit?: number;
    /** Records fetched in one trip through the thread pool. */
    capacity?: number;
  }

  /** A flowing stream of records; `close` comes last, with or without an `error` before it. */
  export interface RecordStream {
    on(event: 'data', listener: (record: { key: Uint8Array; value: Uint8Array }) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'close', listener: () => void): this;
    /** Ends it early. */
    destroy(): void;
  }

  export interface CompactOptions {
    /** Whether the files of the last level are rewritten, too. */
    bottommostLevelCompaction?: number;
  }

  /** How a column family keeps its tables. */
  export interface FamilyOptions {
    writeBufferSize?: number;
    maxWriteBufferNumber?: number;
    tableBlockSize?: number;
    tableCacheIndexAndFilterBlocks?: boolean;
    optimizeFiltersForMemory?: boolean;
    /** Null is none; by default a bloom filter of 10 bits a key. */
    filterPolicy?: null;
  }

  /** The options of a family are those of the one that a store always has. */
  export interface OpenOptions extends FamilyOptions {
    createIfMissing?: boolean;
    createMissingColumnFamilies?: boolean;
    /** All that the store has, besides that one. */
    columnFamilies?: readonly ColumnFamily[];
    maxBackgroundJobs?: number;
    maxOpenFiles?: number;
    bytesPerSync?: number;
    walRecoveryMode?: number;
  }

  class ColumnFamily {
    constructor(name: string, options?: FamilyOptions);
  }

  export interface BatchOptions {
    capacity?: number;
    autoDestroy?: boolean;
  }

  class RocksDB {
    static readonly constants: {
      readonly walRecoveryMode: { readonly POINT_IN_TIME: number };
      readonly bottommostLevelCompaction: { readonly FORCE: number };
    };
    static readonly ColumnFamily: typeof ColumnFamily;
    constructor(path: string, options?: OpenOptions);
    ready(): Promise<void>;
    /** With `force`, open sessions are closed first. */
    close(options?: { force?: boolean }): Promise<void>;
    snapshot(): RocksDB;
    /** A session on another family of the store, at the same state if this one is pinned. */
    columnFamily(name: string): RocksDB;
    read(options?: BatchOptions): ReadBatch;
    write(options?: BatchOptions): WriteBatch;
    iterator(range: RangeOptions): RecordStream;
    flush(): Promise<void>;
    compact(options?: CompactOptions): Promise<void>;
    getProperty(name: string): Promise<string | null>;
  }

  export default RocksDB;
}

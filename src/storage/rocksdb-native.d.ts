/**
 * The part of `rocksdb-native` that `engine-rocksdb.ts` uses; the package ships no types of its
 * own.
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

  export interface OpenOptions {
    createIfMissing?: boolean;
    maxBackgroundJobs?: number;
    maxOpenFiles?: number;
    bytesPerSync?: number;
    writeBufferSize?: number;
    maxWriteBufferNumber?: number;
    tableBlockSize?: number;
    tableCacheIndexAndFilterBlocks?: boolean;
    optimizeFiltersForMemory?: boolean;
    walRecoveryMode?: number;
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
    constructor(path: string, options?: OpenOptions);
    ready(): Promise<void>;
    /** With `force`, open sessions are closed first. */
    close(options?: { force?: boolean }): Promise<void>;
    snapshot(): RocksDB;
    read(options?: BatchOptions): ReadBatch;
    write(options?: BatchOptions): WriteBatch;
    iterator(range: RangeOptions): RecordStream;
    flush(): Promise<void>;
    compact(options?: CompactOptions): Promise<void>;
    getProperty(name: string): Promise<string | null>;
  }

  export default RocksDB;
}

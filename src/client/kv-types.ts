/** What is asked of keys and values, and what comes of it. */
import type { CallOptions } from './caller.ts';

/** A key with its value, as it was read. */
export interface Entry<V> {
  /** As text; a key that is not UTF-8 is told apart by `keyBytes` only. */
  readonly key: string;
  readonly keyBytes: Uint8Array;
  readonly value: V;
  /** Revision of the key's creation, of its last change, and the number of changes since. */
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  /** Id of the lease that the key ends with; 0n is none. */
  readonly lease: bigint;
  /** Milliseconds that the key lasts from its last change on; 0: it has no time to live. */
  readonly ttlMs: number;
}

/** How a read is done. */
export interface ReadOptions extends CallOptions {
  /**
   * `linearizable` (when absent) sees every write that was answered before; `serializable` is what
   * the member that answers has, which may be old.
   */
  readonly consistency?: 'linearizable' | 'serializable' | undefined;
  /** Reads the keys as they were at this revision. */
  readonly atRevision?: number | undefined;
  /**
   * Reads a state that has this revision, which an earlier answer told, or a later one: cheap as
   * `serializable` where a member has it, and never older than what has been seen.
   */
  readonly noOlderThan?: number | undefined;
}

/** How a range is read. */
export interface RangeOptions extends ReadOptions {
  /** At most so many entries; all when absent. */
  readonly limit?: number | undefined;
  readonly order?: 'ascending' | 'descending' | undefined;
  /** What is ordered; the key when absent. For others the member reads the range whole. */
  readonly orderBy?: 'key' | 'modRevision' | undefined;
}

/** What a range held. */
export interface RangeResult<V> {
  readonly entries: readonly Entry<V>[];
  /** The store's revision at which it was read. */
  readonly revision: number;
  /** How many keys the range has; more than `entries` when there was a limit. */
  readonly count: number;
}

/** A part of a range, read without counting what the range has. */
export interface Page<V> {
  readonly entries: readonly Entry<V>[];
  /** The store's revision at which it was read. */
  readonly revision: number;
  /** Whether the range has more than these. */
  readonly hasMore: boolean;
}

/** Which page is read. */
export interface PageOptions extends CallOptions {
  /** Entries in it, at most. */
  readonly limit: number;
  readonly atRevision?: number | undefined;
}

/** How a scan is done. */
export interface ScanOptions extends ReadOptions {
  /** Entries that are fetched at a time; 1000 when absent. */
  readonly pageEntries?: number | undefined;
}

/** What writes may say. */
export interface WriteOptions extends CallOptions {
  /**
   * The request's name, 1 to 128 characters of Latin-1: all calls with it, also by other clients
   * and after a restart, are one request, whose first answer they all get. Holdfast only.
   */
  readonly idempotencyKey?: string | undefined;
}

/** How a key is put. */
export interface PutOptions extends WriteOptions {
  /** The key ends with this lease. */
  readonly lease?: bigint | { readonly id: bigint } | undefined;
  /** The key ends by itself after so many milliseconds, unless put again. Holdfast only. */
  readonly ttlMs?: number | undefined;
}

/** What a put did. */
export interface PutResult<V> {
  /** The revision of the put. */
  readonly revision: number;
  /** What was there before. */
  readonly previous: Entry<V> | undefined;
}

/** What a deletion did. */
export interface DeleteResult<V> {
  readonly revision: number;
  /** How many keys there were to delete. */
  readonly deleted: number;
  /** What they were. */
  readonly previous: readonly Entry<V>[];
}

/** What a watch tells, and from when on. */
export interface WatchOptions {
  /** The first revision whose changes are told; what comes from now on when absent. */
  readonly startRevision?: number | undefined;
  /** Changes of this kind only. */
  readonly only?: 'put' | 'delete' | undefined;
  /** Whether each change tells what was there before it, as long as history has that. */
  readonly previous?: boolean | undefined;
  /** Ends the watch. */
  readonly signal?: AbortSignal | undefined;
}

/** A change of a key. */
export type WatchEvent<V> = {
  readonly key: string;
  readonly keyBytes: Uint8Array;
  /** Of the change; all changes of one transaction have the same. */
  readonly revision: number;
  /** What was there before; only where it was asked for, existed and is still in history. */
  readonly previous: Entry<V> | undefined;
} & (
  | { readonly type: 'put'; readonly entry: Entry<V> }
  | {
      readonly type: 'delete';
      /** Nobody deleted it: its time, or that of its lease, was up. Holdfast tells this. */
      readonly isExpiry: boolean;
    }
);

/** Changes that came together: of whole revisions, in their order. */
export interface WatchBatch<V> {
  /** Everything up to this revision has been told with this batch. */
  readonly revision: number;
  /** None: nothing has changed up to there. */
  readonly events: readonly WatchEvent<V>[];
}

/** Whom a watch tells. While what one of these returned is not done, nothing more is told. */
export interface WatchListener<V> {
  onEvent(event: WatchEvent<V>): void | Promise<void>;
  /** Everything up to this revision has been told. */
  onProgress?(revision: number): void | Promise<void>;
  /**
   * The last word; with an error unless it was closed. What the others throw ends it too; what this
   * throws is a warning of the process.
   */
  onEnd(error: unknown): void;
}

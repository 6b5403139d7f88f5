/**
 * Watches as a member offers them to the services in front of it: events of the keyspace, in the
 * order of revisions, from any revision that history still has (G6).
 *
 * A stream carries any number of watches. What it has for its reader is pulled, one notice at a
 * time, so a slow reader holds back itself alone: its watches fall behind and go on from history
 * once it takes more.
 */
import type { ErrorCode } from '../base/index.ts';
import type { Caller, KeySelector, KeyValue } from '../kv/index.ts';

/** What a watch asks for. */
export interface WatchRequest {
  /** Keys and ranges; an event of a key in several of them is delivered once. At least one. */
  readonly ranges: readonly KeySelector[];
  /** First revision whose events are wanted; 0 for the one after the newest. */
  readonly startRevision: number;
  readonly wantsPuts: boolean;
  readonly wantsDeletes: boolean;
  /** Whether an event brings what the key was before it, unless that has been compacted. */
  readonly prevKv: boolean;
  /** Whether values are left out. */
  readonly keysOnly: boolean;
  /** Whether the reader is told now and then how far the watch is while nothing happens. */
  readonly progressNotify: boolean;
  /** Who watches; undefined while nobody is asked. */
  readonly caller?: Caller | undefined;
}

/** One change of one key. */
export interface WatchEvent {
  readonly type: 'put' | 'delete';
  /** Of a deletion: the key and the revision of the deletion alone. */
  readonly kv: KeyValue;
  readonly prevKv?: KeyValue | undefined;
  /** Of a deletion: the time of the key, or of its lease, was up. */
  readonly isExpiry: boolean;
}

/**
 * What the reader of a stream is told, in this order: that a watch is there, its events, its end.
 *
 * `revision`: all events of the watch up to this revision have been told by then. In `progress`
 * without a `watchId` that holds for all watches of the stream.
 */
export type WatchNotice =
  | { readonly type: 'created'; readonly watchId: number; readonly revision: number }
  | {
      readonly type: 'rejected';
      readonly revision: number;
      readonly reason: string;
      /** Its caller may not have it. */
      readonly refusal?: ErrorCode | undefined;
    }
  | {
      readonly type: 'events';
      readonly watchId: number;
      readonly revision: number;
      /**
       * Of whole revisions, ascending; never empty. A part is the same array for all watches that
       * are told the same, so that it need be encoded once.
       */
      readonly parts: readonly (readonly WatchEvent[])[];
    }
  | {
      readonly type: 'canceled';
      readonly watchId: number;
      readonly revision: number;
      /** History below this is gone, and the watch wanted some of it; undefined: as asked for. */
      readonly compactRevision?: number | undefined;
      /** Its caller may not have it any more. */
      readonly refusal?: ErrorCode | undefined;
      /** Why its events cannot be told, in words. */
      readonly reason?: string | undefined;
    }
  | {
      readonly type: 'progress';
      readonly watchId?: number | undefined;
      readonly revision: number;
    };

/**
 * Whoever opened a stream may be allowed so many watches, and is asked for each. A watch takes one
 * place for each KiB of the keys that it names, and one at least: it keeps them while it lasts.
 */
export interface WatchAllowance {
  /** Whether there are so many places; then they are taken until `give` ends that. */
  maybeTake(places: number): boolean;
  give(places: number): void;
}

/** Watches that share one reader. */
export interface WatchStream {
  /**
   * Begins a watch; the stream tells `created`, or `rejected` when `watchId` is taken or a range
   * is empty, or when the member or the stream has too many watches.
   *
   * @param watchId - 0: the stream chooses one
   */
  create(watchId: number, request: WatchRequest): void;
  /** Ends a watch, which the stream then tells; one that is not there is of no interest. */
  cancel(watchId: number): void;
  /** Has the stream tell `progress` once all its watches are up to date. */
  requestProgress(): void;
  /**
   * The next notice, once there is one; undefined once the stream is closed. One call at a time.
   *
   * @throws {KvError} STOPPED; UNHEALTHY — the member's state is damaged; its watches have ended.
   */
  next(): Promise<WatchNotice | undefined>;
  /**
   * The first of the notices of `next` that has not been told of here has left, or is forgotten. To
   * be called for each of them: until then its events have their part of what the stream may hold.
   */
  sent(): void;
  /** Notices that wait for the reader, whatever they are about. */
  readonly pending: number;
  /** Ends all watches of the stream. */
  close(): void;
}

/** What a member offers. */
export interface WatchApi {
  /** @throws {KvError} STOPPED; UNHEALTHY; TOO_MANY_REQUESTS — there are too many streams. */
  openWatchStream(allowance?: WatchAllowance): WatchStream;
}

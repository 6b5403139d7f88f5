/**
 * One watch of a stream as its queue knows it (`watch-queue.ts`): what it asks for, by what right
 * it is there, what it counts for, and its events that wait.
 */
import {
  type Access,
  type Caller,
  type HistoryEvent,
  type KeySelector,
  Watcher,
  type WatchSink,
} from '../kv/index.ts';
import type { WatchRequest } from './watch-api.ts';
import type { OfferedEvents, Waiting } from './watch-notices.ts';

/** Bytes of keys that a place for a watch is meant for; see `WatchAllowance`. */
const placeBytes = 1024;
/** What a key or range takes in memory besides its bytes, about. */
const rangeOverheadBytes = 64;

/** By what right a watch is there. */
export interface Claim {
  readonly caller: Caller;
  readonly ranges: readonly KeySelector[];
  /** What the caller may do, as it was when that was looked at last. */
  access: Access | undefined;
}

/** A watch of the stream. */
export class Watch extends Watcher {
  readonly id: number;
  readonly prevKv: boolean;
  readonly keysOnly: boolean;
  readonly progressNotify: boolean;
  /** What it takes of its reader's allowance. */
  readonly places: number;
  /** Whether it has told anything since the last round of progress. */
  hasTold = false;
  /** Its events that wait and may be joined by more. */
  waiting: WaitingEvents | undefined;
  /** Undefined of one that began while nobody was asked who calls. */
  readonly claim: Claim | undefined;

  constructor(id: number, sink: WatchSink, request: WatchRequest, from: number) {
    super(sink, request, from);
    this.id = id;
    this.prevKv = request.prevKv;
    this.keysOnly = request.keysOnly;
    this.progressNotify = request.progressNotify;
    this.places = placesOf(request);
    const { caller, ranges } = request;
    this.claim = caller && { caller, ranges: ranges.map(detached), access: undefined };
  }
}

/** Events that wait, and may be joined by more. */
export interface WaitingEvents extends OfferedEvents {
  readonly watch: Watch;
  readonly parts: (readonly HistoryEvent[])[];
  /** Notices of progress of the whole stream before it. */
  readonly progressBefore: number;
  count: number;
  bytes: number;
  revision: number;
}

/** What waits in the queue: {@link Waiting} with what the queue knows of it. */
export type Queued = Exclude<Waiting, OfferedEvents> | WaitingEvents;

/** A copy: a key is a small piece of what it was read from, which it would keep in memory. */
function detached({ key, rangeEnd }: KeySelector): KeySelector {
  return { key: new Uint8Array(key), rangeEnd: rangeEnd && new Uint8Array(rangeEnd) };
}

/** What the keys of a watch take, in places: there is a limit to those. */
export function placesOf({ ranges }: WatchRequest): number {
  let bytes = 0;
  for (const { key, rangeEnd } of ranges) {
    bytes += rangeOverheadBytes + key.length + (rangeEnd?.length ?? 0);
  }
  return Math.max(1, Math.ceil(bytes / placeBytes));
}

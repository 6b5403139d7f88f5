/**
 * One watch of a stream as its queue knows it (`watch-queue.ts`): what it asks for, by what right
 * it is there, what it counts for, and what waits of it.
 */
import {
  type Access,
  type Caller,
  type HistoryEvent,
  type KeySelector,
  Watcher,
  type WatchSink,
} from '../kv/index.ts';
import type { WatchNotice, WatchRequest } from './watch-api.ts';
import type { OfferedEvents } from './watch-notices.ts';

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
  /** What waits of it, from the one end to the other; see `WatchLine`. */
  oldest: Queued | undefined;
  newest: Queued | undefined;
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

/** What waits: a notice, or events. */
export type Queued = QueuedNotice | QueuedEvents;

/** Who stands around something that waits: in the line, and of what waits of the same watch. */
abstract class Neighbours {
  before: Queued | undefined;
  after: Queued | undefined;
  earlier: Queued | undefined;
  later: Queued | undefined;
}

/** A notice that waits. */
export class QueuedNotice extends Neighbours {
  readonly type = 'notice';
  readonly notice: WatchNotice;
  /** The watch whose progress it tells; undefined of any other notice. */
  readonly watch: Watch | undefined;

  constructor(notice: WatchNotice, watch?: Watch) {
    super();
    this.notice = notice;
    this.watch = watch;
  }
}

/** Events of a watch that wait, and may be joined by more. */
export class QueuedEvents extends Neighbours implements OfferedEvents {
  readonly type = 'events';
  readonly watch: Watch;
  readonly parts: (readonly HistoryEvent[])[];
  /** Notices of progress of the whole stream before it. */
  readonly progressBefore: number;
  count = 0;
  bytes = 0;
  revision = 0;

  constructor(watch: Watch, progressBefore: number, parts: (readonly HistoryEvent[])[] = []) {
    super();
    this.watch = watch;
    this.progressBefore = progressBefore;
    this.parts = parts;
  }
}

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

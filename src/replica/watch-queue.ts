/**
 * What waits for the reader of one stream of watches. Bounded in bytes of events: above that its
 * watches fall behind, and catch up once the reader takes more.
 */
import { emptyBytes, KvError } from '../base/index.ts';
import {
  type HistoryEvent,
  isEmptyRange,
  type KeyValue,
  Watcher,
  type WatchHub,
  type WatchSink,
} from '../kv/index.ts';
import type {
  WatchAllowance,
  WatchEvent,
  WatchNotice,
  WatchRequest,
  WatchStream,
} from './watch-api.ts';

/** Limit: bytes of events that wait for one reader, before the last offer. */
const queuedBytesMax = 4 * 1024 * 1024;
/** Limit: bytes, and events, of one notice. */
const noticeBytesMax = 1024 * 1024;
const noticeEventsMax = 1000;
/** Limit: a reader that is behind by so many notices is not told of progress on top of them. */
const progressQueueMax = 1000;
/** Limit: watches of one stream. */
const watchesMax = 100_000;

/** What a queue works with. */
export interface WatchQueueOptions {
  readonly hub: WatchHub;
  /** Whether the member takes one watch more. */
  readonly mayAdd: () => boolean;
  /** What the reader may have, when somebody counts it. */
  readonly allowance?: WatchAllowance | undefined;
  /** What keys were, by the engine keys of the events; undefined where that is compacted. */
  readonly readPrevious: (
    keys: readonly Uint8Array[],
  ) => Promise<readonly (KeyValue | undefined)[]>;
  /** The reader has taken enough for its watches to go on. */
  readonly onRoom: () => void;
  /** `maybeTellProgress` is to be called after each batch, until it returns true. */
  readonly onProgressDue: () => void;
  readonly onClosed: () => void;
}

/** A watch of the stream. */
interface Watch {
  readonly id: number;
  readonly request: WatchRequest;
  readonly watcher: Watcher;
  /** Whether it has told anything since the last round of progress. */
  hasTold: boolean;
}

/** What waits: a notice, or events that become one when their turn comes. */
type Waiting =
  | { readonly type: 'notice'; readonly notice: WatchNotice }
  | {
      readonly type: 'events';
      readonly watch: Watch;
      readonly events: readonly HistoryEvent[];
      readonly bytes: number;
      readonly revision: number;
    };

/** See the module comment. */
export class WatchQueue implements WatchStream, WatchSink {
  readonly #options: WatchQueueOptions;
  readonly #watchesById = new Map<number, Watch>();
  readonly #watchesByWatcher = new Map<Watcher, Watch>();
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #nextId = 0;
  #wantsProgress = false;
  #state: 'open' | 'closed' | KvError = 'open';
  #wake: (() => void) | undefined;

  constructor(options: WatchQueueOptions) {
    this.#options = options;
  }

  get pending(): number {
    return this.#queue.length;
  }

  get hasRoom(): boolean {
    return this.#queuedBytes < queuedBytesMax;
  }

  create(watchId: number, request: WatchRequest): void {
    const { hub, mayAdd } = this.#options;
    if (this.#state !== 'open') {
      return;
    }
    const reason = this.#refusal(watchId, request, mayAdd());
    if (reason !== undefined) {
      this.#tell({ type: 'rejected', revision: hub.revision, reason });
      return;
    }
    const { ranges, startRevision, wantsPuts, wantsDeletes } = request;
    const from = startRevision === 0 ? hub.revision + 1 : startRevision;
    const watcher = new Watcher(this, { ranges, wantsPuts, wantsDeletes }, from);
    const id = watchId === 0 ? this.#chooseId() : watchId;
    const watch = { id, request, watcher, hasTold: false };
    this.#watchesById.set(id, watch);
    this.#watchesByWatcher.set(watcher, watch);
    this.#tell({ type: 'created', watchId: id, revision: hub.revision });
    hub.add(watcher);
    if (watcher.isBehind) {
      this.#options.onRoom();
    }
  }

  cancel(watchId: number): void {
    const watch = this.#watchesById.get(watchId);
    if (watch !== undefined) {
      const { hub } = this.#options;
      hub.remove(watch.watcher);
      this.#forget(watch);
      this.#drop(watch);
      // The others may have waited for the room that it took.
      this.#options.onRoom();
      this.#tell({ type: 'canceled', watchId, revision: hub.revision });
      this.maybeTellProgress();
    }
  }

  requestProgress(): void {
    this.#wantsProgress = true;
    if (!this.maybeTellProgress()) {
      this.#options.onProgressDue();
    }
  }

  async next(): Promise<WatchNotice | undefined> {
    for (;;) {
      if (this.#state instanceof KvError) {
        throw this.#state;
      }
      const waiting = this.#state === 'open' ? this.#queue.shift() : undefined;
      if (waiting?.type === 'notice') {
        return waiting.notice;
      }
      if (waiting !== undefined) {
        return this.#eventsNotice(waiting);
      }
      if (this.#state === 'closed') {
        return undefined;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#end('closed');
  }

  /** Ends the stream: its reader is told why, at once. */
  fail(error: KvError): void {
    this.#end(error);
  }

  offer(watcher: Watcher, events: readonly HistoryEvent[], revision: number): void {
    const watch = this.#watchesByWatcher.get(watcher);
    if (watch === undefined) {
      return;
    }
    let bytes = 0;
    for (const event of events) {
      bytes += event.bytes;
    }
    watch.hasTold = true;
    this.#queuedBytes += bytes;
    this.#push({ type: 'events', watch, events, bytes, revision });
  }

  compacted(watcher: Watcher, compactRevision: number): void {
    const watch = this.#watchesByWatcher.get(watcher);
    if (watch !== undefined) {
      this.#forget(watch);
      const { revision } = this.#options.hub;
      this.#tell({ type: 'canceled', watchId: watch.id, revision, compactRevision });
      this.maybeTellProgress();
    }
  }

  caughtUp(): void {
    this.maybeTellProgress();
  }

  /**
   * Tells the progress that was asked for, if all watches are where it says that they are; false
   * when it is still to come.
   */
  maybeTellProgress(): boolean {
    if (this.#wantsProgress) {
      const { hub } = this.#options;
      for (const { watcher } of this.#watchesById.values()) {
        if (!hub.isUpToDate(watcher)) {
          return false;
        }
      }
      this.#wantsProgress = false;
      this.#tell({ type: 'progress', revision: hub.revision });
    }
    return true;
  }

  /** Tells the watches that want it how far they are, unless they have told something lately. */
  tellProgress(): void {
    const { hub } = this.#options;
    if (this.#queue.length > progressQueueMax) {
      return;
    }
    for (const watch of this.#watchesById.values()) {
      const { id, request, watcher, hasTold } = watch;
      watch.hasTold = false;
      if (request.progressNotify && !hasTold && hub.isUpToDate(watcher)) {
        this.#tell({ type: 'progress', watchId: id, revision: hub.revision });
      }
    }
  }

  #refusal(watchId: number, request: WatchRequest, mayAdd: boolean): string | undefined {
    const { ranges, startRevision } = request;
    if (startRevision < 0) {
      return 'etcdserver: a watch cannot begin at a negative revision';
    }
    if (this.#watchesById.has(watchId) && watchId !== 0) {
      return 'mvcc: duplicate watch ID provided on the WatchStream';
    }
    if (ranges.length === 0 || ranges.some(isEmptyRange)) {
      return 'mvcc: watcher range is empty';
    }
    const { allowance } = this.#options;
    // Asked last of all: what it has allowed counts.
    return mayAdd && this.#watchesById.size < watchesMax && allowance?.maybeTake() !== false
      ? undefined
      : 'etcdserver: too many requests (there are too many watches)';
  }

  #chooseId(): number {
    while (this.#watchesById.has(this.#nextId)) {
      this.#nextId++;
    }
    return this.#nextId++;
  }

  #tell(notice: WatchNotice): void {
    this.#push({ type: 'notice', notice });
  }

  #push(waiting: Waiting): void {
    this.#queue.push(waiting);
    this.#wakeUp();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #forget({ id, watcher }: Watch): void {
    this.#watchesById.delete(id);
    this.#watchesByWatcher.delete(watcher);
    this.#options.allowance?.give(1);
  }

  /** What waits of a watch that was cancelled is of no interest any more. */
  #drop(watch: Watch): void {
    this.#queue = this.#queue.filter((waiting) => {
      const isDropped = waiting.type === 'events' && waiting.watch === watch;
      this.#queuedBytes -= isDropped ? waiting.bytes : 0;
      return !isDropped;
    });
  }

  #end(state: 'closed' | KvError): void {
    if (this.#state !== 'open') {
      return;
    }
    this.#state = state;
    for (const { watcher } of this.#watchesById.values()) {
      this.#options.hub.remove(watcher);
    }
    this.#options.allowance?.give(this.#watchesById.size);
    this.#watchesById.clear();
    this.#watchesByWatcher.clear();
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#options.onClosed();
    this.#wakeUp();
  }

  /** One notice of what waits for the same watch, as far as it is next in line and small enough. */
  async #eventsNotice(first: Extract<Waiting, { type: 'events' }>): Promise<WatchNotice> {
    const { watch } = first;
    const wasFull = !this.hasRoom;
    const events = [...first.events];
    let { bytes, revision } = first;
    for (;;) {
      const next = this.#queue[0];
      const isSame = next?.type === 'events' && next.watch === watch;
      if (!isSame || bytes > noticeBytesMax || events.length > noticeEventsMax) {
        break;
      }
      this.#queue.shift();
      events.push(...next.events);
      bytes += next.bytes;
      ({ revision } = next);
    }
    this.#queuedBytes -= bytes;
    if (wasFull && this.#queuedBytes < queuedBytesMax) {
      this.#options.onRoom();
    }
    const { request, id } = watch;
    return {
      type: 'events',
      watchId: id,
      revision,
      events: withoutValues(
        request.prevKv ? await this.#withPrevious(events) : events.map(plainEvent),
        request.keysOnly,
      ),
    };
  }

  async #withPrevious(events: readonly HistoryEvent[]): Promise<readonly WatchEvent[]> {
    const missing: HistoryEvent[] = [];
    const keys: Uint8Array[] = [];
    for (const event of events) {
      const { previousKey } = event;
      if (previousKey !== undefined && !fullEvents.has(event)) {
        missing.push(event);
        keys.push(previousKey);
      }
    }
    const found = keys.length === 0 ? [] : await this.#options.readPrevious(keys);
    for (const [at, event] of missing.entries()) {
      fullEvents.set(event, { ...plainEvent(event), prevKv: found[at] });
    }
    return events.map((event) => fullEvents.get(event) ?? plainEvent(event));
  }
}

/** Events as readers see them: the same object for all of them, so that it is encoded once. */
const watchEvents = new WeakMap<HistoryEvent, WatchEvent>();
/** The same with what the key was before. */
const fullEvents = new WeakMap<HistoryEvent, WatchEvent>();

function plainEvent(event: HistoryEvent): WatchEvent {
  let seen = watchEvents.get(event);
  if (seen === undefined) {
    seen = {
      type: event.isDelete ? 'delete' : 'put',
      kv: event.keyValue,
      isExpiry: event.isExpiry,
    };
    watchEvents.set(event, seen);
  }
  return seen;
}

function withoutValues(events: readonly WatchEvent[], keysOnly: boolean): readonly WatchEvent[] {
  return keysOnly
    ? events.map(({ type, isExpiry, kv, prevKv }) => ({
        type,
        isExpiry,
        kv: { ...kv, value: emptyBytes },
        prevKv: prevKv === undefined ? undefined : { ...prevKv, value: emptyBytes },
      }))
    : events;
}

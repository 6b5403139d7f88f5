/**
 * What waits for the reader of one stream of watches. Bounded in bytes of events, those that are on
 * their way to the reader included, for the stream and for all of the member together
 * (`watch-room.ts`): above that its watches fall behind, and catch up once the reader takes more.
 *
 * Events of a watch join those of it that wait already, so a slow reader gets fewer, larger
 * notices. They do not overtake a notice of progress, which would then say less than was told.
 */
import { type ErrorCode, KvError } from '../base/index.ts';
import {
  type EventPiece,
  isEmptyRange,
  type Watcher,
  type WatchHub,
  type WatchSink,
} from '../kv/index.ts';
import type { AuthApi } from './auth-api.ts';
import {
  type Claim,
  placesOf,
  type Queued,
  QueuedEvents,
  QueuedNotice,
  Watch,
} from './queued-watch.ts';
import type { WatchAllowance, WatchNotice, WatchRequest, WatchStream } from './watch-api.ts';
import { WatchLine } from './watch-line.ts';
import { type NextNotice, type OfferedEvents, plainNotice, type Waiting } from './watch-notices.ts';
import type { WatchShare } from './watch-room.ts';

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
  readonly auth: Pick<AuthApi, 'isEnabled' | 'accessOf'>;
  /** Whether the member takes one watch more. */
  readonly mayAdd: () => boolean;
  /** What the reader may have, when somebody counts it. */
  readonly allowance?: WatchAllowance | undefined;
  /**
   * What the reader is told of events whose watch wants to know what keys were before; `bytesMax`
   * says how long that may be once it is read.
   */
  readonly complete: (waiting: Waiting, bytesMax: () => number) => Promise<NextNotice>;
  /** The reader has taken enough for its watches to go on. */
  readonly onRoom: () => void;
  /** `maybeTellProgress` is to be called after each batch, until it returns true. */
  readonly onProgressDue: () => void;
  readonly onClosed: () => void;
  /** Room for the events of the stream. */
  readonly share: WatchShare;
}

/** See the module comment. */
export class WatchQueue implements WatchStream, WatchSink {
  readonly #options: WatchQueueOptions;
  readonly #share: WatchShare;
  readonly #watchesById = new Map<number, Watch>();
  #line = new WatchLine();
  /** What each notice that is on its way has of the share, in their order. */
  #taken: number[] = [];
  #nextId = 0;
  #wantsProgress = false;
  /**
   * Watches that progress waits for, as they were when all were last looked at: who has gone or is
   * up to date leaves, and only once none is left are all looked at again.
   */
  readonly #lagging = new Set<Watch>();
  /** Notices of progress of the whole stream, so far. */
  #progressTold = 0;
  #state: 'open' | 'closed' | KvError = 'open';
  #wake: (() => void) | undefined;

  constructor(options: WatchQueueOptions) {
    this.#options = options;
    this.#share = options.share;
  }

  get pending(): number {
    return this.#line.count;
  }

  get room(): number {
    return this.#share.room;
  }

  create(watchId: number, request: WatchRequest): void {
    const { hub, mayAdd } = this.#options;
    if (this.#state !== 'open') {
      return;
    }
    const { caller, ranges } = request;
    const refusal = this.#denial(caller && { caller, ranges, access: undefined });
    if (refusal !== undefined) {
      const reason = new KvError(refusal).message;
      this.#tell({ type: 'rejected', revision: hub.revision, reason, refusal });
      return;
    }
    const reason = this.#refusal(watchId, request, mayAdd());
    if (reason !== undefined) {
      this.#tell({ type: 'rejected', revision: hub.revision, reason });
      return;
    }
    const { startRevision } = request;
    const from = startRevision === 0 ? hub.revision + 1 : startRevision;
    const id = watchId === 0 ? this.#chooseId() : watchId;
    const watch = new Watch(id, this, request, from);
    this.#watchesById.set(id, watch);
    this.#tell({ type: 'created', watchId: id, revision: hub.revision });
    hub.add(watch);
    if (watch.isBehind) {
      this.#options.onRoom();
    }
  }

  cancel(watchId: number): void {
    const watch = this.#watchesById.get(watchId);
    if (watch !== undefined) {
      this.#cancel(watch, undefined);
    }
  }

  /** Users and roles have changed: ends watches that their callers may not have any more. */
  reauthorise(): void {
    for (const watch of [...this.#watchesById.values()]) {
      const refusal = this.#denial(watch.claim);
      if (refusal !== undefined) {
        this.#cancel(watch, refusal);
      }
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
      const waiting = this.take();
      if (waiting !== undefined) {
        const isToRead = waiting.type === 'events' && waiting.watch.prevKv;
        const notice = isToRead ? await this.#complete(waiting) : plainNotice(waiting);
        if (notice !== undefined) {
          return notice;
        }
        continue;
      }
      if (this.#state === 'closed') {
        return undefined;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /**
   * Takes what is next in line, if there is anything: it is on its way until `sent`. `noticeOf`
   * tells the reader's view.
   */
  take(): Queued | undefined {
    const waiting = this.#line.take();
    if (waiting !== undefined) {
      this.#taken.push(waiting.type === 'events' ? waiting.bytes : 0);
    }
    return waiting;
  }

  sent(): void {
    this.#release(this.#taken.shift() ?? 0);
  }

  close(): void {
    this.#end('closed');
  }

  /** Ends the stream: its reader is told why, at once. */
  fail(error: KvError): void {
    this.#end(error);
  }

  offer(watcher: Watcher, { events, bytes }: EventPiece, revision: number): void {
    const watch = this.#own(watcher);
    if (watch === undefined) {
      return;
    }
    watch.hasTold = true;
    this.#share.take(bytes);
    const waiting = this.#joinable(watch) ?? this.#begin(watch);
    waiting.parts.push(events);
    waiting.count += events.length;
    waiting.bytes += bytes;
    waiting.revision = revision;
  }

  compacted(watcher: Watcher, compactRevision: number): void {
    const watch = this.#own(watcher);
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
      if (this.#isLagging()) {
        return false;
      }
      this.#wantsProgress = false;
      this.#progressTold++;
      this.#tell({ type: 'progress', revision: this.#options.hub.revision });
    }
    return true;
  }

  /** Tells the watches that want it how far they are, unless they have told something lately. */
  tellProgress(): void {
    const { hub } = this.#options;
    if (this.#line.count > progressQueueMax) {
      return;
    }
    for (const watch of this.#watchesById.values()) {
      const { id, progressNotify, hasTold } = watch;
      watch.hasTold = false;
      if (progressNotify && !hasTold && hub.isUpToDate(watch)) {
        this.#tell({ type: 'progress', watchId: id, revision: hub.revision }, watch);
      }
    }
  }

  /** Whether a watch has not been offered yet what progress would vouch for. */
  #isLagging(): boolean {
    const { hub } = this.#options;
    for (const watch of this.#lagging) {
      if (this.#own(watch) !== undefined && !hub.isUpToDate(watch)) {
        return true;
      }
      this.#lagging.delete(watch);
    }
    for (const watch of this.#watchesById.values()) {
      if (!hub.isUpToDate(watch)) {
        this.#lagging.add(watch);
      }
    }
    return this.#lagging.size > 0;
  }

  /** Events with what keys were before; undefined when their watch has gone meanwhile. */
  async #complete(waiting: QueuedEvents): Promise<WatchNotice | undefined> {
    const { watch } = waiting;
    const next = await this.#options.complete(waiting, () => this.#share.readingRoom);
    if (this.#state !== 'open') {
      // What was taken is given back already.
      return next.type === 'too-long' ? undefined : next.notice;
    }
    const bytes = this.#taken.pop() ?? 0;
    if (next.type === 'too-long') {
      this.#release(bytes);
      const end = this.#own(watch) && this.#cutOff(watch, next.revision);
      if (end !== undefined) {
        this.#taken.push(0);
      }
      return end;
    }
    const rest = next.rest === undefined ? 0 : this.#putBack(waiting, next.rest);
    this.#share.take(next.previousBytes);
    this.#taken.push(bytes - rest + next.previousBytes);
    return next.notice;
  }

  /** What is left of events that were taken goes first again; its bytes. */
  #putBack({ watch, progressBefore, revision }: QueuedEvents, { parts }: OfferedEvents): number {
    const rest = new QueuedEvents(watch, progressBefore, [...parts]);
    rest.revision = revision;
    for (const part of parts) {
      rest.count += part.length;
      for (const event of part) {
        rest.bytes += event.bytes;
      }
    }
    this.#line.putBack(rest);
    const { bytes } = rest;
    if (this.#own(watch) === undefined) {
      this.#drop(watch);
    }
    return bytes;
  }

  /**
   * Ends a watch that cannot be told what comes next. What waits of it goes, too, and it is told at
   * once: else a notice of progress would vouch for events that have not been told.
   */
  #cutOff(watch: Watch, revision: number): WatchNotice {
    const { hub, onRoom } = this.#options;
    hub.remove(watch);
    this.#forget(watch);
    for (let { newest } = watch; newest !== undefined; { newest } = watch) {
      this.#remove(newest);
    }
    onRoom();
    this.maybeTellProgress();
    const reason =
      `holdfast: what the keys of revision ${revision} were before is too long for one answer: ` +
      'watch without prev_kv';
    return { type: 'canceled', watchId: watch.id, revision: hub.revision, reason };
  }

  #cancel(watch: Watch, refusal: ErrorCode | undefined): void {
    const { hub } = this.#options;
    hub.remove(watch);
    this.#forget(watch);
    this.#drop(watch);
    // The others may have waited for the room that it took.
    this.#options.onRoom();
    this.#tell({ type: 'canceled', watchId: watch.id, revision: hub.revision, refusal });
    this.maybeTellProgress();
  }

  /** Why a watch may not be there, if so. */
  #denial(claim: Claim | undefined): ErrorCode | undefined {
    const { auth } = this.#options;
    if (!auth.isEnabled) {
      return undefined;
    }
    const access = auth.accessOf(claim?.caller);
    if (typeof access === 'string' || claim === undefined) {
      return typeof access === 'string' ? access : 'USER_EMPTY';
    }
    // The same object: nothing has changed for this caller.
    if (access !== claim.access && !claim.ranges.every((range) => access.mayRead(range))) {
      return 'PERMISSION_DENIED';
    }
    claim.access = access;
    return undefined;
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
    return mayAdd &&
      this.#watchesById.size < watchesMax &&
      allowance?.maybeTake(placesOf(request)) !== false
      ? undefined
      : 'etcdserver: too many requests (there are too many watches)';
  }

  /** A watcher as a watch of this stream; undefined when it is none any more. */
  #own(watcher: Watcher): Watch | undefined {
    return watcher instanceof Watch && this.#watchesById.get(watcher.id) === watcher
      ? watcher
      : undefined;
  }

  /** What waits of a watch and may be joined by more. */
  #joinable({ newest }: Watch): QueuedEvents | undefined {
    return newest?.type === 'events' &&
      newest.bytes <= noticeBytesMax &&
      newest.count <= noticeEventsMax &&
      newest.progressBefore === this.#progressTold
      ? newest
      : undefined;
  }

  /** A new place in the line for events of a watch. */
  #begin(watch: Watch): QueuedEvents {
    const waiting = new QueuedEvents(watch, this.#progressTold);
    this.#push(waiting);
    return waiting;
  }

  #chooseId(): number {
    while (this.#watchesById.has(this.#nextId)) {
      this.#nextId++;
    }
    return this.#nextId++;
  }

  #tell(notice: WatchNotice, progressOf?: Watch): void {
    this.#push(new QueuedNotice(notice, progressOf));
  }

  #push(waiting: Queued): void {
    this.#line.add(waiting);
    this.#wakeUp();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #forget(watch: Watch): void {
    this.#watchesById.delete(watch.id);
    this.#options.allowance?.give(watch.places);
  }

  /**
   * What waits of a watch that was cancelled is of no interest any more, unless progress is to be
   * told after it: that says that these events have been told.
   */
  #drop(watch: Watch): void {
    for (let { newest } = watch; newest?.type === 'events'; { newest } = watch) {
      if (newest.progressBefore < this.#progressTold) {
        return;
      }
      this.#remove(newest);
    }
  }

  #remove(waiting: Queued): void {
    this.#line.remove(waiting);
    if (waiting.type === 'events') {
      this.#release(waiting.bytes);
    }
  }

  /** Bytes that neither wait nor are on their way any more. */
  #release(bytes: number): void {
    if (this.#share.give(bytes)) {
      this.#options.onRoom();
    }
  }

  #end(state: 'closed' | KvError): void {
    if (this.#state !== 'open') {
      return;
    }
    this.#state = state;
    let places = 0;
    for (const watch of this.#watchesById.values()) {
      this.#options.hub.remove(watch);
      places += watch.places;
    }
    this.#options.allowance?.give(places);
    this.#watchesById.clear();
    this.#lagging.clear();
    this.#line = new WatchLine();
    this.#taken = [];
    this.#share.end();
    this.#options.onClosed();
    this.#wakeUp();
  }
}

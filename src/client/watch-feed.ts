/**
 * One watch between the stream and its reader: how far it has come, and what waits to be read.
 *
 * Events are taken in whole revisions, in their order, each once: what a stream has told in part
 * when it breaks is forgotten, and what another one tells again is passed over. So the place to go
 * on from is one number.
 *
 * What waits is bounded. Beyond that the watch leaves the stream, and goes back to it, from the
 * place where it left, once its reader has caught up; the other watches do not notice.
 */
import type { TimerHandle } from '../base/index.ts';
import type { WatchAnswer, WatchCreateMessage, WatchEventAnswer } from '../wire/index.ts';
import { HoldfastError } from './errors.ts';

/** Counts for an event besides its keys and values. */
const eventOverheadBytes = 100;

/** Whole revisions of events; without any, progress. */
export interface FeedBatch {
  /** Everything up to this revision has been told with it. */
  readonly revision: number;
  readonly events: readonly WatchEventAnswer[];
  readonly bytes: number;
}

/** What is watched. */
export type FeedRequest = Pick<WatchCreateMessage, 'key' | 'rangeEnd' | 'without' | 'prevKv'>;

/** Where feeds come from. */
export interface FeedSource {
  /** Limit: bytes that may wait for one reader. */
  readonly feedBytesMax: number;
  /** The feed takes nothing for now, or goes on from its `nextRevision`. */
  pause(feed: WatchFeed): void;
  resume(feed: WatchFeed): void;
  /** Nobody reads it any more. */
  remove(feed: WatchFeed): void;
}

/** See the module comment. */
export class WatchFeed {
  readonly request: FeedRequest;
  /** First revision that has not been received whole; 0 until there is one: whatever is next. */
  nextRevision: number;
  /** Whether a member has ever begun it. */
  hasBegun = false;
  /** How often in a row a member would not have it. */
  rejections = 0;
  /** Of the pause after the last rejection, before it is asked for again. */
  retry: TimerHandle | undefined;
  /** How often in a row a member did not know who the client is. */
  refusals = 0;
  readonly #source: FeedSource;
  #queue: FeedBatch[] = [];
  #queuedBytes = 0;
  /** Parts of a revision whose last part has not come. */
  #partial: WatchEventAnswer[] = [];
  #isPaused = false;
  #isClosed = false;
  #end: { readonly error: HoldfastError | undefined } | undefined;
  #wake: (() => void)[] = [];

  constructor(source: FeedSource, request: FeedRequest, startRevision: number) {
    this.#source = source;
    this.request = request;
    this.nextRevision = startRevision;
  }

  /** Whether events are wanted now. */
  get isWanted(): boolean {
    return !this.#isPaused && this.#end === undefined;
  }

  /** Its reader has ended it: what has not been read is not wanted any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** A member has begun it; its newest revision is this. */
  onBegun(revision: number): void {
    this.hasBegun = true;
    this.rejections = 0;
    this.refusals = 0;
    this.#partial = [];
    if (this.nextRevision === 0) {
      this.nextRevision = revision + 1;
    }
    this.#wakeUp();
  }

  received({ events, isFragment }: WatchAnswer): void {
    const whole = this.#wholeRevisions(events, isFragment).filter(
      ({ kv }) => kv.modRevision >= this.nextRevision,
    );
    const last = whole.at(-1);
    if (last !== undefined) {
      const bytes = whole.reduce((sum, event) => sum + bytesOf(event), 0);
      this.#push({ revision: last.kv.modRevision, events: whole, bytes });
    }
  }

  /** Everything up to `revision` has been told. */
  progressed(revision: number): void {
    if (revision >= this.nextRevision) {
      if (this.#queue.at(-1)?.events.length === 0) {
        this.#queue.pop();
      }
      this.#push({ revision, events: [], bytes: 0 });
    }
  }

  /** Something ends it; what has come is read before. */
  fail(error: HoldfastError): void {
    this.#finish(error);
  }

  /** Its reader ends it: what has come is not wanted any more. */
  close(error?: HoldfastError): void {
    this.#isClosed = true;
    this.#queue = [];
    this.#finish(error);
  }

  /** What came next; undefined after the end. @throws {HoldfastError} what ended it. */
  async take(): Promise<FeedBatch | undefined> {
    for (;;) {
      const batch = this.#queue.shift();
      if (batch !== undefined) {
        this.#queuedBytes -= batch.bytes;
        this.#maybeResume();
        return batch;
      }
      if (this.#hasEnded()) {
        return undefined;
      }
      await this.#change();
    }
  }

  /** The first revision that is told. @throws {HoldfastError} it has ended before it began. */
  async begun(): Promise<number> {
    while (!this.hasBegun && !this.#hasEnded()) {
      await this.#change();
    }
    if (!this.hasBegun) {
      throw new HoldfastError('ABORTED', 'watch: it was closed before a member had begun it');
    }
    return this.nextRevision;
  }

  /** What has ended is read to its end, and not asked for again. */
  #maybeResume(): void {
    const hasRoom = this.#queuedBytes <= this.#source.feedBytesMax / 2;
    if (this.#isPaused && hasRoom && this.#end === undefined) {
      this.#isPaused = false;
      this.#source.resume(this);
    }
  }

  #finish(error: HoldfastError | undefined): void {
    if (this.#end === undefined) {
      this.#end = { error };
      this.#partial = [];
      this.#source.remove(this);
      this.#wakeUp();
    }
  }

  /** @throws {HoldfastError} what ended it. */
  #hasEnded(): boolean {
    if (this.#end?.error !== undefined) {
      throw this.#end.error;
    }
    return this.#end !== undefined;
  }

  /** All events that are known to be whole: the last revision of a fragment has to wait. */
  #wholeRevisions(
    events: readonly WatchEventAnswer[],
    isFragment: boolean,
  ): readonly WatchEventAnswer[] {
    const all = this.#partial.length === 0 ? events : [...this.#partial, ...events];
    const lastRevision = all.at(-1)?.kv.modRevision;
    const end = isFragment
      ? all.findIndex(({ kv }) => kv.modRevision === lastRevision)
      : all.length;
    this.#partial = all.slice(end);
    return all.slice(0, end);
  }

  #push(batch: FeedBatch): void {
    this.nextRevision = batch.revision + 1;
    this.#queue.push(batch);
    this.#queuedBytes += batch.bytes;
    if (!this.#isPaused && this.#queuedBytes > this.#source.feedBytesMax) {
      this.#isPaused = true;
      this.#partial = [];
      this.#source.pause(this);
    }
    this.#wakeUp();
  }

  async #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake.push(resolve);
    });
  }

  #wakeUp(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) {
      wake();
    }
  }
}

function bytesOf({ kv, prevKv }: WatchEventAnswer): number {
  const before = prevKv === undefined ? 0 : prevKv.key.length + prevKv.value.length;
  return eventOverheadBytes + kv.key.length + kv.value.length + before;
}

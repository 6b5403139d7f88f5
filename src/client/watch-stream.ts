/**
 * One stream of `etcdserverpb.Watch` to one member, with any number of watches on it.
 *
 * Members choose the ids of watches, and tell them in the order in which they were asked for; that
 * is all that every version of etcd promises.
 */
import type { WatchAnswer, WatchMessage } from '../wire/index.ts';
import type { OpenStream } from './caller.ts';
import { CompactedError } from './errors.ts';
import type { CallFailure, StreamListener } from './ports.ts';
import type { WatchFeed } from './watch-feed.ts';

/** The id in what is said of no watch, or of all of them. */
const noWatchId = '-1';

/** Whom a stream tells what comes. */
export interface WatchStreamOwner {
  /** The member has begun a watch. */
  onBegun(): void;
  /** The member will not have this watch, or no longer. */
  onRejected(feed: WatchFeed, reason: string): void;
  onEnd(stream: WatchStream, failure: CallFailure | undefined): void;
}

/** See the module comment. */
export class WatchStream implements StreamListener<WatchAnswer> {
  readonly #owner: WatchStreamOwner;
  readonly #nowMs: () => number;
  /** Watches that have been asked for, in order; undefined: nobody wants it any more. */
  #creating: (WatchFeed | undefined)[] = [];
  readonly #feedById = new Map<string, WatchFeed>();
  readonly #idByFeed = new Map<WatchFeed, string>();
  #call: OpenStream<WatchMessage> | undefined;
  #openedMs: number;
  #heardMs: number;
  /** When something last came on the stream itself. */
  #toldMs: number;
  /** The member has answered a question for progress, as it may be expected to do again. */
  #hasAnswered = false;
  #isOver = false;

  constructor(owner: WatchStreamOwner, nowMs: () => number) {
    this.#owner = owner;
    this.#nowMs = nowMs;
    this.#openedMs = nowMs();
    this.#heardMs = nowMs();
    this.#toldMs = nowMs();
  }

  get address(): string | undefined {
    return this.#call?.address;
  }

  /** Milliseconds since the member last gave a sign of life. */
  get silentMs(): number {
    return this.#nowMs() - this.#heardMs;
  }

  /** Milliseconds for which a member that answers on the stream has not done so; 0 for others. */
  get unansweredMs(): number {
    return this.#hasAnswered ? this.#nowMs() - this.#toldMs : 0;
  }

  /** Milliseconds since it was opened. */
  get ageMs(): number {
    return this.#nowMs() - this.#openedMs;
  }

  opened(call: OpenStream<WatchMessage>): void {
    this.#call = call;
    this.#openedMs = this.#nowMs();
    this.isThere();
    if (this.#isOver) {
      call.cancel();
    }
  }

  /** The member has given a sign of life. */
  isThere(): void {
    this.#heardMs = this.#nowMs();
  }

  begin(feed: WatchFeed): void {
    if (this.#call !== undefined) {
      const { request, nextRevision } = feed;
      const always = { progressNotify: true, fragment: true };
      this.#creating.push(feed);
      this.#write({
        type: 'create',
        create: { ...request, ...always, startRevision: nextRevision },
      });
    }
  }

  /** What still comes of this watch is for nobody. */
  stop(feed: WatchFeed): void {
    const watchId = this.#idByFeed.get(feed);
    if (watchId === undefined) {
      this.#creating = this.#creating.map((each) => (each === feed ? undefined : each));
    } else {
      this.#forget(feed, watchId);
      this.#write({ type: 'cancel', watchId });
    }
  }

  requestProgress(): void {
    this.#write({ type: 'progress' });
  }

  /** Whether another stream may help against a member that does not know who this is. */
  forgetCredentials(): boolean {
    return this.#call?.forgetCredentials() === true;
  }

  /** Ends it, without a word to the owner. */
  cancel(): void {
    this.#isOver = true;
    this.#call?.cancel();
  }

  onAnswer(answer: WatchAnswer): void {
    if (this.#isOver) {
      return;
    }
    this.isThere();
    this.#toldMs = this.#nowMs();
    const { watchId, revision } = answer;
    if (answer.isCreated) {
      this.#created(answer);
    } else if (answer.isCanceled) {
      this.#canceled(answer);
    } else if (answer.events.length > 0) {
      this.#feedById.get(watchId)?.received(answer);
    } else if (watchId !== noWatchId) {
      this.#feedById.get(watchId)?.progressed(revision);
    } else {
      this.#hasAnswered = true;
      this.#progressed(answer);
    }
  }

  #progressed({ revision, isComplete }: WatchAnswer): void {
    if (isComplete) {
      for (const feed of this.#idByFeed.keys()) {
        feed.progressed(revision);
      }
    }
  }

  onEnd(failure: CallFailure | undefined): void {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#owner.onEnd(this, failure);
    }
  }

  #created({ watchId, revision, isCanceled, cancelReason }: WatchAnswer): void {
    const feed = this.#creating.shift();
    if (isCanceled) {
      if (feed !== undefined) {
        this.#owner.onRejected(feed, cancelReason);
      }
    } else if (feed === undefined) {
      this.#write({ type: 'cancel', watchId });
    } else {
      this.#feedById.set(watchId, feed);
      this.#idByFeed.set(feed, watchId);
      this.#owner.onBegun();
      feed.onBegun(revision);
    }
  }

  #canceled({ watchId, compactRevision, cancelReason }: WatchAnswer): void {
    const feed = this.#feedById.get(watchId);
    if (feed === undefined) {
      return;
    }
    this.#forget(feed, watchId);
    if (compactRevision > 0) {
      feed.fail(new CompactedError(feed.nextRevision, compactRevision, this.address));
    } else {
      this.#owner.onRejected(feed, cancelReason);
    }
  }

  #forget(feed: WatchFeed, watchId: string): void {
    this.#feedById.delete(watchId);
    this.#idByFeed.delete(feed);
  }

  #write(message: WatchMessage): void {
    if (!this.#isOver) {
      this.#call?.write(message);
    }
  }
}

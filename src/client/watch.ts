/**
 * Watches as users have them: the changes of a key or a range, from a revision on, each once and in
 * order, through fail-overs; to be iterated over, or listened to.
 *
 * A watch has one reader. It begins when it is made, and what comes waits for the reader in bounded
 * memory; a reader that is slow holds up nobody but itself.
 */
import type { WatchEventAnswer } from '../wire/index.ts';
import { onAbort } from './abort-listeners.ts';
import { checkListener } from './arguments.ts';
import { abortedError, HoldfastError } from './errors.ts';
import type { WatchBatch, WatchEvent, WatchListener, WatchOptions } from './kv-types.ts';
import { tell } from './telling.ts';
import { type FeedRequest, WatchFeed } from './watch-feed.ts';
import type { WatchHub } from './watch-hub.ts';

/** What a watch is made of. */
interface WatchParts<V> {
  readonly place: Pick<FeedRequest, 'key' | 'rangeEnd'>;
  readonly options: WatchOptions;
  readonly eventOf: (event: WatchEventAnswer) => WatchEvent<V>;
}

/** See the module comment. */
export class Watch<V> implements AsyncIterable<WatchEvent<V>>, AsyncDisposable {
  readonly #hub: WatchHub;
  readonly #feed: WatchFeed;
  readonly #eventOf: (event: WatchEventAnswer) => WatchEvent<V>;
  readonly #leaveSignal: (() => void) | undefined;
  #revision = 0;
  #hasReader = false;

  /** @internal */
  constructor(hub: WatchHub, { place, options, eventOf }: WatchParts<V>) {
    const { startRevision = 0, only, previous = false, signal } = options;
    if (signal?.aborted === true) {
      throw abortedError('watch', signal);
    }
    const without = only === undefined ? undefined : only === 'put' ? 'delete' : 'put';
    this.#hub = hub;
    this.#eventOf = eventOf;
    this.#feed = new WatchFeed(hub, { ...place, without, prevKv: previous }, startRevision);
    hub.add(this.#feed);
    this.#leaveSignal = signal && onAbort(signal, () => this.#end(abortedError('watch', signal)));
  }

  /** Everything up to this revision has been read; 0 at the beginning. To go on later: add one. */
  get revision(): number {
    return this.#revision;
  }

  /** Everything up to this revision has come, read or not; 0 until it is known where it begins. */
  get receivedRevision(): number {
    return Math.max(0, this.#feed.nextRevision - 1);
  }

  /** What is in the way of it now, in words; undefined while it is with a member. */
  get problem(): string | undefined {
    return this.#hub.problem;
  }

  /**
   * Resolves when a member has begun it, with the first revision whose changes it tells: what is
   * written from then on is seen.
   *
   * @throws {HoldfastError} it has ended before.
   */
  async begun(): Promise<number> {
    return this.#feed.begun();
  }

  /**
   * The changes by whole revisions, as many at a time as have come; and, without changes, how far
   * it is. Leaving the loop closes the watch.
   *
   * @throws {HoldfastError} what ended it; not when it was closed.
   */
  async *batches(): AsyncGenerator<WatchBatch<V>, void> {
    for await (const batch of this.#read()) {
      this.#revision = batch.revision;
      yield batch;
    }
  }

  /** One change after the other; see {@link batches}. */
  async *[Symbol.asyncIterator](): AsyncGenerator<WatchEvent<V>, void> {
    for await (const { revision, events } of this.#read()) {
      let left = events.length;
      for (const event of events) {
        if (this.#feed.isClosed) {
          break;
        }
        // The revision has been read with its last change.
        this.#revision = --left === 0 ? revision : Math.max(this.#revision, event.revision - 1);
        yield event;
      }
      this.#revision = this.#feed.isClosed ? this.#revision : revision;
    }
  }

  /** Tells a listener instead of being iterated over. */
  listen(listener: WatchListener<V>): void {
    checkListener(listener, { must: ['onEvent', 'onEnd'], may: ['onProgress'] });
    const run = async (): Promise<void> => {
      for await (const { revision, events } of this.#read()) {
        for (const event of events) {
          if (this.#feed.isClosed) {
            break;
          }
          // What the listener has not done yet has not been read.
          this.#revision = Math.max(this.#revision, event.revision - 1);
          await listener.onEvent(event);
        }
        if (!this.#feed.isClosed) {
          this.#revision = revision;
          await listener.onProgress?.(revision);
        }
      }
    };
    const end = (error?: unknown): void => tell('onEnd of a watch', () => listener.onEnd(error));
    run().then(() => end(), end);
  }

  /** Asks the member how far it is, which it is asked every second anyway. Holdfast tells. */
  requestProgress(): void {
    this.#hub.requestProgress();
  }

  /** Ends it: what has not been read is dropped. Closing again does nothing. */
  close(): void {
    this.#end(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  async *#read(): AsyncGenerator<WatchBatch<V>, void> {
    if (this.#hasReader) {
      throw new HoldfastError('INVALID_ARGUMENT', 'a watch has one reader: make another watch');
    }
    this.#hasReader = true;
    try {
      for (;;) {
        const batch = await this.#feed.take();
        if (batch === undefined) {
          return;
        }
        yield { revision: batch.revision, events: batch.events.map(this.#eventOf) };
      }
    } finally {
      this.close();
    }
  }

  #end(error: HoldfastError | undefined): void {
    this.#leaveSignal?.();
    this.#feed.close(error);
  }
}

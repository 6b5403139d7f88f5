/**
 * A change feed: every change of a range is given to a handler, in order, at least once, however
 * often the consumer dies. For work that follows from a change: a mail, an invoice, a copy in
 * another system (an outbox).
 *
 * How far it has come is kept in the store under the feed's name. A consumer that dies between a
 * delivery and the next write of that place has the last deliveries repeated by the next one, with
 * the same ids, by which the receiver tells them from new ones.
 *
 * History is kept for a while only. A feed that was not consumed for longer fails (COMPACTED), or
 * begins anew with everything that is there, as its consumer has chosen; it never goes on in
 * silence behind a gap.
 *
 * One consumer at a time. With a lock, others wait until it ends or dies. Without one, another one
 * that begins takes the feed over, and the first learns of it (FEED_TAKEN) when it next says how
 * far it is; until then, and for as long as one does not notice that it has lost its lock, both may
 * deliver the same changes.
 */
import { must, type MonotonicClock } from '../base/index.ts';
import {
  abortSignal,
  callback,
  type Checks,
  checkFields,
  checkValue,
  oneOf,
  text,
} from './arguments.ts';
import { HoldfastError } from './errors.ts';
import { consumerKeyOf, FeedCursor, type FeedCursorParts } from './feed-cursor.ts';
import type { KeyRange } from './keys.ts';
import type { Entry, WatchBatch, WatchEvent, WatchOptions } from './kv-types.ts';
import { LinkedAbort } from './linked-abort.ts';
import { rangePages, type RangeSource } from './range-pages.ts';
import { tell } from './telling.ts';

/** Something for the handler. `id` is the same whenever the same thing is delivered again. */
export type Delivery<V> = {
  readonly id: string;
  readonly revision: number;
  /** 1, and more when the handler has failed before, in this run. */
  readonly attempt: number;
  /** Fires when the run is to end. */
  readonly signal: AbortSignal;
} & (
  | {
      readonly type: 'put';
      readonly key: string;
      readonly keyBytes: Uint8Array;
      readonly entry: Entry<V>;
      /** It was there when the feed began anew; it may have been delivered before. */
      readonly isResync: boolean;
    }
  | {
      readonly type: 'delete';
      readonly key: string;
      readonly keyBytes: Uint8Array;
      /** Nobody deleted it: its time was up. Holdfast tells this. */
      readonly isExpiry: boolean;
    }
  /**
   * The feed begins anew: what is there at `revision` comes next, as puts, up to the end of the
   * resync. Keys that do not come are gone; their deletions may not have been delivered.
   */
  | { readonly type: 'resync-begin'; readonly since: number }
  | { readonly type: 'resync-end' }
);

/** Does what follows from a change. Until it succeeds nothing else is delivered. */
export type DeliveryHandler<V> = (delivery: Delivery<V>) => void | Promise<void>;

/** The right to consume; an `Ownership` is one. */
export interface FeedLock {
  /** Fires when it is lost. */
  readonly signal: AbortSignal;
  release(): Promise<void>;
}

/** How a feed begins, and what happens when it cannot go on. */
export interface ChangeFeedOptions {
  /** A new feed begins with what is there (when absent), or with what changes from now on. */
  readonly from?: 'everything' | 'now' | undefined;
  /** When history is gone: `fail` (when absent), or `resync`. */
  readonly onCompacted?: 'fail' | 'resync' | undefined;
  /** Waits until this process may consume, as `(signal) => client.lock('mail', { signal })`. */
  readonly lock?: ((signal: AbortSignal) => Promise<FeedLock>) | undefined;
  /**
   * Under which key the place is kept, and beside it, as `KEY/consumer`, who consumes it;
   * `holdfast/feeds/NAME` when absent.
   */
  readonly cursorKey?: string | undefined;
  /**
   * Told when the handler fails; it is called again after a pause, with the same delivery. What
   * this throws is a warning of the process.
   */
  readonly onFailure?: ((delivery: Delivery<unknown>, error: unknown) => void) | undefined;
}

const feedChecks: Checks = {
  ...{ from: oneOf('everything', 'now'), onCompacted: oneOf('fail', 'resync') },
  ...{ lock: callback, cursorKey: text, onFailure: callback },
};

/** Figures of a feed's run. */
export interface ChangeFeedMetrics {
  /** Everything up to this revision has been delivered, and is known to be in the store. */
  readonly revision: number;
  readonly savedRevision: number;
  /** Deliveries that the handler has taken, and calls of it that failed. */
  readonly delivered: number;
  readonly failed: number;
  readonly resyncs: number;
  /** How many of the store's revisions have come, and not been delivered, as far as is known. */
  readonly lagRevisions: number;
  /** Milliseconds since it last had delivered all that had come, or was run; 0 while it has. */
  readonly lagMs: number;
}

/** The watch that a feed follows. */
interface FeedWatch {
  batches(): AsyncIterable<WatchBatch<Uint8Array>>;
  /** Everything up to it has come, read or not. */
  readonly receivedRevision: number;
}

/** The keys that a feed is of. */
export interface ChangeFeedSource extends RangeSource<Uint8Array> {
  watch(range: KeyRange, options: WatchOptions): FeedWatch;
}

/** What a {@link ChangeFeed} is made of. */
export interface ChangeFeedParts<V> {
  readonly name: string;
  readonly range: KeyRange;
  readonly source: ChangeFeedSource;
  readonly decode: (raw: Entry<Uint8Array>) => Entry<V>;
  readonly cursorKv: FeedCursorParts['kv'];
  readonly uniqueName: () => string;
  readonly timers: MonotonicClock;
  /** Waits before failed attempt `attempt` is repeated. */
  readonly pause: (attempt: number, signal: AbortSignal) => Promise<void>;
  readonly options: ChangeFeedOptions;
}

/**
 * Milliseconds after which the place is written though nothing was delivered: or history would be
 * gone behind a feed whose range is quiet. Well below the time for which history is kept.
 */
const quietSaveMs = 10_000;

/** See the module comment. */
export class ChangeFeed<V> {
  readonly #parts: ChangeFeedParts<V>;
  readonly #cursorKey: string;
  #isRunning = false;
  #cursor: FeedCursor | undefined;
  /** When the place was last written, or is being written. */
  #movedMs = 0;
  #revision = 0;
  #watch: FeedWatch | undefined;
  /** The newest revision that a resync has heard of. */
  #knownRevision = 0;
  /** Undefined while all that has come has been delivered. */
  #behindSinceMs: number | undefined;
  #delivered = 0;
  #failed = 0;
  #resyncs = 0;

  /** @internal */
  constructor(parts: ChangeFeedParts<V>) {
    checkValue('changeFeed: its name', parts.name, text);
    checkFields('changeFeed', parts.options, feedChecks);
    this.#parts = parts;
    this.#behindSinceMs = parts.timers.nowMs();
    this.#cursorKey = parts.options.cursorKey ?? `holdfast/feeds/${parts.name}`;
  }

  get metrics(): ChangeFeedMetrics {
    const [revision, savedRevision] = [this.#revision, this.#cursor?.saved ?? 0];
    const [delivered, failed, resyncs] = [this.#delivered, this.#failed, this.#resyncs];
    const lagRevisions = Math.max(0, this.#headRevision - revision);
    const lagMs = this.#parts.timers.nowMs() - (this.#behindSinceMs ?? this.#parts.timers.nowMs());
    return { revision, savedRevision, delivered, failed, resyncs, lagRevisions, lagMs };
  }

  /** The newest revision of the store that it knows of. */
  get #headRevision(): number {
    return Math.max(this.#knownRevision, this.#watch?.receivedRevision ?? 0);
  }

  /**
   * Delivers until the signal fires; then it resolves, once the handler has ended and the place is
   * in the store.
   *
   * @throws {HoldfastError} COMPACTED — history is gone, and the feed is not to begin anew;
   *   FEED_TAKEN — somebody else consumes it; BAD_VALUE — the codec cannot read a value; what kept
   *   the place from being written at the end: the last deliveries will be repeated.
   */
  async run(
    handler: DeliveryHandler<V>,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<void> {
    checkValue('run: its handler', handler, callback);
    checkFields('run', options, { signal: abortSignal });
    const { signal = new AbortController().signal } = options;
    if (this.#isRunning) {
      const text = `the feed ${this.#parts.name} is being run already`;
      throw new HoldfastError('INVALID_ARGUMENT', text);
    }
    this.#isRunning = true;
    try {
      const { lock } = this.#parts.options;
      if (lock === undefined) {
        await this.#consume({ handler, signal });
      } else {
        await this.#consumeInTurn(lock, { handler, signal });
      }
    } finally {
      this.#isRunning = false;
      this.#watch = undefined;
      this.#fallBehind();
    }
  }

  /** As often as the lock is had, until the signal fires. */
  async #consumeInTurn(
    lock: (signal: AbortSignal) => Promise<FeedLock>,
    { handler, signal }: Consumer<V>,
  ): Promise<void> {
    const isOver = (): boolean => signal.aborted;
    for (let attempt = 1; !isOver(); attempt++) {
      let owned: FeedLock | undefined;
      try {
        owned = await lock(signal);
        attempt = 0;
        await this.#consumeOwned(owned, { handler, signal });
      } catch (error) {
        const isNotWanted = owned === undefined && isOver();
        const mayPass = (error as Partial<HoldfastError>).retryable === true && !isOver();
        if (!isNotWanted && !mayPass) {
          throw error;
        }
      }
      // Ends at once when the signal fires.
      await this.#parts.pause(attempt + 1, signal).catch(() => undefined);
    }
  }

  async #consumeOwned(owned: FeedLock, { handler, signal }: Consumer<V>): Promise<void> {
    const ending = new LinkedAbort(signal, owned.signal);
    try {
      await this.#consume({ handler, signal: ending.signal });
    } catch (error) {
      // Whoever has the lock now may have moved the place.
      if (!owned.signal.aborted) {
        throw error;
      }
    } finally {
      ending.unlink();
      if (!owned.signal.aborted) {
        // What cannot be given back ends with its lease; what ended the feed is to be told.
        await owned.release().catch(() => undefined);
      }
    }
  }

  /** Until the signal fires. */
  async #consume(consumer: Consumer<V>): Promise<void> {
    const { signal } = consumer;
    try {
      let from = await this.#begin(signal);
      for (;;) {
        try {
          from ??= await this.#resync(consumer);
          await this.#follow(from, consumer);
        } catch (error) {
          const isCompacted = (error as Partial<HoldfastError>).code === 'COMPACTED';
          if (!isCompacted || this.#parts.options.onCompacted !== 'resync') {
            throw error;
          }
          from = undefined;
        }
      }
    } catch (error) {
      if (!signal.aborted) {
        throw error;
      }
    }
    await this.#cursor?.settled();
  }

  /** Where the feed goes on; undefined for a new one that begins with what is there. */
  async #begin(signal: AbortSignal): Promise<number | undefined> {
    const { cursorKv: kv, source, range, options, pause, uniqueName } = this.#parts;
    const parts = { kv, key: this.#cursorKey, consumer: uniqueName(), pause, signal };
    // What the run before has failed with is not this one's.
    this.#cursor = undefined;
    const cursor = await FeedCursor.take(parts);
    this.#cursor = cursor;
    this.#revision = cursor.saved ?? 0;
    if (cursor.saved === undefined && options.from === 'now') {
      const { revision } = await source.page(range, { limit: 1, signal });
      this.#reached(revision);
      await cursor.settled();
    }
    return cursor.saved;
  }

  /** Ends with what ends the watch. */
  async #follow(from: number, consumer: Consumer<V>): Promise<void> {
    const { source, range, timers } = this.#parts;
    const watch = source.watch(range, { startRevision: from + 1, signal: consumer.signal });
    this.#watch = watch;
    this.#maybeCaughtUp();
    for await (const { revision, events } of watch.batches()) {
      this.#fallBehind();
      const delivered = await this.#deliverEvents(events, consumer);
      this.#revision = revision;
      if (delivered > 0 || timers.nowMs() - this.#movedMs >= quietSaveMs) {
        this.#reached(revision);
      }
      this.#maybeCaughtUp();
    }
  }

  #fallBehind(): void {
    this.#behindSinceMs ??= this.#parts.timers.nowMs();
  }

  #maybeCaughtUp(): void {
    if (this.#revision >= this.#headRevision) {
      this.#behindSinceMs = undefined;
    }
  }

  /** Returns how many of them were for the handler. */
  async #deliverEvents(
    events: readonly WatchEvent<Uint8Array>[],
    consumer: Consumer<V>,
  ): Promise<number> {
    let delivered = 0;
    let last = this.#revision;
    for (const event of events) {
      const { revision, key, keyBytes } = event;
      if (revision > last && delivered > 0) {
        this.#reached(revision - 1);
      }
      last = revision;
      if (!this.#isOwn(key)) {
        const place = { id: idOf(revision, keyBytes), revision, key, keyBytes };
        await this.#deliver(
          event.type === 'put'
            ? { ...place, type: 'put', entry: this.#parts.decode(event.entry), isResync: false }
            : { ...place, type: 'delete', isExpiry: event.isExpiry },
          consumer,
        );
        delivered++;
      }
    }
    return delivered;
  }

  /** Delivers what is there; returns at which revision. */
  async #resync(consumer: Consumer<V>): Promise<number> {
    const { source, range, decode } = this.#parts;
    const since = this.#revision;
    let at: number | undefined;
    for await (const { revision, entries } of rangePages(source, range, consumer)) {
      if (at === undefined) {
        at = revision;
        this.#fallBehind();
        this.#knownRevision = revision;
        const id = `resync-begin/${at}`;
        await this.#deliver({ type: 'resync-begin', id, revision: at, since }, consumer);
      }
      for (const raw of entries) {
        if (!this.#isOwn(raw.key)) {
          const { key, keyBytes, modRevision: revision } = raw;
          const place = { id: idOf(revision, keyBytes), revision, key, keyBytes };
          const entry = decode(raw);
          await this.#deliver({ ...place, type: 'put', entry, isResync: true }, consumer);
        }
      }
    }
    const revision = must(at, 'a range has one page at least');
    await this.#deliver({ type: 'resync-end', id: `resync-end/${revision}`, revision }, consumer);
    this.#resyncs++;
    this.#reached(revision);
    return revision;
  }

  /** Whether it is a key of the feed's place, which is nobody's news. */
  #isOwn(key: string): boolean {
    return key === this.#cursorKey || key === consumerKeyOf(this.#cursorKey);
  }

  /** Until the handler has taken it. */
  async #deliver(what: Undelivered<V>, { handler, signal }: Consumer<V>): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted();
      const delivery: Delivery<V> = { ...what, attempt, signal };
      try {
        await handler(delivery);
        this.#delivered++;
        return;
      } catch (error) {
        this.#failed++;
        const { onFailure } = this.#parts.options;
        tell('onFailure of a change feed', () => onFailure?.(delivery, error));
      }
      this.#cursor?.check();
      await this.#parts.pause(attempt, signal);
    }
  }

  /** Everything up to `revision` has been delivered. */
  #reached(revision: number): void {
    this.#revision = revision;
    this.#movedMs = this.#parts.timers.nowMs();
    this.#cursor?.move(revision);
  }
}

/** Who runs the feed. */
interface Consumer<V> {
  readonly handler: DeliveryHandler<V>;
  readonly signal: AbortSignal;
}

/** A delivery without what each attempt adds. */
type Undelivered<V> =
  Delivery<V> extends infer Each
    ? Each extends unknown
      ? Omit<Each, 'attempt' | 'signal'>
      : never
    : never;

/** A transaction changes a key once, so this is one change; in Latin-1 keys stay different. */
function idOf(revision: number, keyBytes: Uint8Array): string {
  return `${revision}/${Buffer.from(keyBytes).toString('latin1')}`;
}

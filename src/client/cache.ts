/**
 * A cache: the keys of a range in this process, kept up to date by a watch.
 *
 * It is at one revision at a time: a read of several keys in one turn, or in a snapshot, is a read
 * of the store as it was then. It says which revision that is and when it last heard that it is the
 * newest; `atLeast` and `refresh` wait until it is new enough. After a break it goes on where it
 * was; when history is gone it loads everything again, and tells what is different.
 *
 * It is bounded: a range that has grown beyond what was allowed ends the cache with an error, never
 * the process. It does not show a part of a range.
 */
import { must, type Timers } from '../base/index.ts';
import {
  type Checks,
  checkFields,
  checkListener,
  checkValue,
  count,
  optionChecks,
  positiveCount,
  positiveNumber,
} from './arguments.ts';
import { bytesOf, type CacheKeyChange, CacheTable, type CacheView } from './cache-table.ts';
import { CacheWaiting } from './cache-waiting.ts';
import type { CallOptions } from './caller.ts';
import { closedError, HoldfastError } from './errors.ts';
import { everyKey, type Key, type KeyRange } from './keys.ts';
import type { Entry, RangeOptions, RangeResult, WatchBatch, WatchOptions } from './kv-types.ts';
import { rangePages, type RangeSource } from './range-pages.ts';
import { tell } from './telling.ts';

/** Bounds of a cache. */
export interface CacheOptions extends CallOptions {
  /** Keys that it may hold; 100,000 when absent. Beyond, it ends with CACHE_TOO_LARGE. */
  readonly keysMax?: number | undefined;
  /** Bytes that it may hold, with its own for each key; 64 MiB when absent. */
  readonly bytesMax?: number | undefined;
  /** Milliseconds: reads fail (CACHE_STALE) when it has not been up to date for longer. */
  readonly maxAgeMs?: number | undefined;
}

/** Bounds of what a cache may hold. */
export const cacheBoundChecks = { keysMax: positiveCount, bytesMax: positiveCount };
const cacheChecks: Checks = {
  ...cacheBoundChecks,
  maxAgeMs: positiveNumber,
  ...optionChecks.call,
};

/** Keys that have changed together. */
export interface CacheChange {
  /** The cache is at this revision now. */
  readonly revision: number;
  readonly changes: readonly CacheKeyChange[];
  /** It has been loaded anew: what was in between has not been told. */
  readonly isReload: boolean;
}

/** Whom a cache tells. What these throw is a warning of the process; the cache goes on. */
export interface CacheListener {
  onChange?(change: CacheChange): void;
  /** The last word; with an error unless the cache was closed. */
  onEnd?(error: HoldfastError | undefined): void;
}

/** Figures of a cache. */
export interface CacheMetrics {
  /** Reads of keys that were there, and that were not. */
  readonly hits: number;
  readonly misses: number;
  readonly keys: number;
  readonly bytes: number;
  readonly revision: number;
  readonly ageMs: number;
  /** How often the range has been read whole, and keys that have changed since the first time. */
  readonly loads: number;
  readonly changes: number;
}

/** The watch that a cache follows. */
interface CacheWatch {
  batches(): AsyncIterable<WatchBatch<Uint8Array>>;
  requestProgress(): void;
  readonly problem: string | undefined;
}

/** The keys that a cache is of. */
export interface CacheSource extends RangeSource<Uint8Array> {
  getRange(range: KeyRange, options: RangeOptions): Promise<RangeResult<Uint8Array>>;
  watch(range: KeyRange, options: WatchOptions): CacheWatch;
}

/** What a {@link Cache} is made of. */
export interface CacheParts<V> {
  readonly source: CacheSource;
  readonly range: KeyRange;
  readonly decode: (raw: Entry<Uint8Array>) => Entry<V>;
  readonly timers: Timers;
  /** Waits before failed attempt `attempt` is repeated. */
  readonly pause: (attempt: number, signal: AbortSignal) => Promise<void>;
  readonly timeoutMs: number;
  readonly options: CacheOptions;
}

const keysMaxDefault = 100_000;
const bytesMaxDefault = 64 * 1024 * 1024;

/** See the module comment. */
export class Cache<V> implements CacheView<V>, AsyncDisposable {
  readonly #parts: CacheParts<V>;
  readonly #table: CacheTable<V>;
  readonly #listeners = new Set<CacheListener>();
  readonly #waiting: CacheWaiting;
  readonly #abort = new AbortController();
  #watch: CacheWatch | undefined;
  #loading: Promise<void> | undefined;
  /** When it last heard that it is up to date. */
  #confirmedMs: number;
  #end: { readonly error: HoldfastError | undefined } | undefined;
  #hits = 0;
  #misses = 0;
  #loads = 0;
  #changes = 0;

  private constructor(parts: CacheParts<V>) {
    this.#parts = parts;
    this.#table = new CacheTable(parts.decode);
    this.#confirmedMs = parts.timers.nowMs();
    this.#waiting = new CacheWaiting({
      timers: parts.timers,
      look: async () => this.#look(),
      load: async () => this.#loadForWaiters(),
      place: () =>
        `it is at ${this.revision}${this.problem === undefined ? '' : `; ${this.problem}`}`,
    });
  }

  /**
   * Loads a range and follows it.
   *
   * @throws {HoldfastError} CACHE_TOO_LARGE — it has more than was allowed; or it cannot be read.
   */
  static async open<V>(parts: CacheParts<V>): Promise<Cache<V>> {
    checkFields('cache', parts.options, cacheChecks);
    const cache = new Cache(parts);
    const { timeoutMs, signal } = parts.options;
    await cache.#load({ timeoutMs, signal });
    void cache.#follow(cache.#beginWatch());
    return cache;
  }

  get revision(): number {
    return this.#table.revision;
  }

  get size(): number {
    return this.#table.size;
  }

  /** Milliseconds since it last heard from a member that it is up to date. */
  get ageMs(): number {
    return this.#parts.timers.nowMs() - this.#confirmedMs;
  }

  /** What is in the way of news now, in words; undefined while nothing is. */
  get problem(): string | undefined {
    return this.#watch?.problem;
  }

  get metrics(): CacheMetrics {
    const { revision, ageMs } = this;
    const { size: keys, bytes } = this.#table;
    const counts = { hits: this.#hits, misses: this.#misses, loads: this.#loads };
    return { ...counts, changes: this.#changes, keys, bytes, revision, ageMs };
  }

  /** @throws {HoldfastError} CACHE_STALE; BAD_VALUE; what has ended the cache. */
  get(key: Key): Entry<V> | undefined {
    const entry = this.#readable().get(key);
    if (entry === undefined) {
      this.#misses++;
    } else {
      this.#hits++;
    }
    return entry;
  }

  has(key: Key): boolean {
    return this.#readable().has(key);
  }

  getRange(range: KeyRange = everyKey): readonly Entry<V>[] {
    return this.#readable().getRange(range);
  }

  /** The names of the keys, in no order: without decoding what they hold. */
  keys(): readonly string[] {
    return this.#readable().keys();
  }

  /** What it holds now, for good: later changes do not show in it. */
  snapshot(): CacheView<V> {
    return this.#readable().snapshot();
  }

  /** Tells a listener of every change from now on, until the function that it returns is called. */
  listen(listener: CacheListener): () => void {
    checkListener(listener, { must: [], may: ['onChange', 'onEnd'] });
    this.#listeners.add(listener);
    if (this.#end !== undefined) {
      this.#tellEnd(this.#end.error);
    }
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /**
   * Waits until the cache has this revision, which an answer has told.
   *
   * @throws {HoldfastError} DEADLINE_EXCEEDED, ABORTED; what has ended the cache.
   */
  async atLeast(revision: number, options: CallOptions = {}): Promise<void> {
    checkValue('atLeast: the revision', revision, count);
    checkFields('atLeast', options, optionChecks.call);
    if (this.#readableUnlessEnded().revision < revision) {
      this.#watch?.requestProgress();
      const { timeoutMs = this.#parts.timeoutMs, signal } = options;
      await this.#waiting.until(revision, { timeoutMs, signal });
    }
  }

  /**
   * Waits until the cache has everything that was acknowledged before this call: a read after it is
   * linearizable.
   *
   * @throws {HoldfastError} as {@link atLeast}.
   */
  async refresh(options: CallOptions = {}): Promise<void> {
    checkFields('refresh', options, optionChecks.call);
    const { source, range, timers } = this.#parts;
    const { timeoutMs = this.#parts.timeoutMs, signal } = options;
    const endMs = timers.nowMs() + timeoutMs;
    const { revision } = await source.page(range, { limit: 1, timeoutMs, signal });
    await this.atLeast(revision, { timeoutMs: Math.max(1, endMs - timers.nowMs()), signal });
  }

  /** Ends it: reads fail from now on. Closing again does nothing. */
  close(): void {
    this.#finish(undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** Ends with the cache, and with what ends it. */
  async #follow(first: CacheWatch): Promise<void> {
    for (let watch: CacheWatch | undefined = first; this.#end === undefined; ) {
      try {
        if (watch === undefined) {
          await this.#reload();
          watch = this.#beginWatch();
        }
        await this.#read(watch);
      } catch (error) {
        if ((error as Partial<HoldfastError>).code !== 'COMPACTED') {
          // Whatever it is, whoever reads the cache is told of it.
          this.#finish(error as HoldfastError);
        }
      }
      watch = undefined;
    }
  }

  /** Of what has changed since the cache was loaded. @throws {HoldfastError} as `Kv.watch`. */
  #beginWatch(): CacheWatch {
    const { source, range } = this.#parts;
    const startRevision = this.#table.revision + 1;
    this.#watch = source.watch(range, { startRevision, signal: this.#abort.signal });
    return this.#watch;
  }

  async #read(watch: CacheWatch): Promise<void> {
    for await (const { revision, events } of watch.batches()) {
      this.#confirmedMs = this.#parts.timers.nowMs();
      this.#changed(this.#table.apply(revision, events), false);
    }
  }

  /** Loads until it succeeds, or fails in a way that does not pass. */
  async #reload(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#load({ signal: this.#abort.signal });
        return;
      } catch (error) {
        if ((error as Partial<HoldfastError>).retryable !== true) {
          throw error;
        }
      }
      await this.#parts.pause(attempt, this.#abort.signal);
    }
  }

  async #load(call: CallOptions): Promise<void> {
    this.#loading ??= this.#loadNow(call).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #loadNow(call: CallOptions): Promise<void> {
    const { source, range, timers } = this.#parts;
    const startedMs = timers.nowMs();
    const entries: Entry<Uint8Array>[] = [];
    let [revision, bytes] = [0, 0];
    for await (const page of rangePages(source, range, call)) {
      revision = page.revision;
      for (const entry of page.entries) {
        entries.push(entry);
        bytes += bytesOf(entry);
      }
      this.#checkBounds(entries.length, bytes);
    }
    this.#loads++;
    // The watch may have been faster.
    if (revision >= this.#table.revision) {
      this.#confirmedMs = Math.max(this.#confirmedMs, startedMs);
      this.#changed(this.#table.replace(revision, entries), true);
    }
  }

  #changed(changes: readonly CacheKeyChange[], isReload: boolean): void {
    const { revision, size, bytes } = this.#table;
    this.#checkBounds(size, bytes);
    this.#waiting.reached(revision);
    if (this.#loads > 1 || !isReload) {
      this.#changes += changes.length;
    }
    if (changes.length > 0) {
      for (const listener of [...this.#listeners]) {
        tell('onChange of a cache', () => listener.onChange?.({ revision, changes, isReload }));
      }
    }
  }

  /**
   * One entry tells that nothing has changed: if none is newer than the cache, and there are as
   * many as it has, then they are what it has. If something has, the watch is about to tell; and
   * what this read fails with, the load after it meets as well.
   */
  async #look(): Promise<void> {
    const { source, range, timers } = this.#parts;
    const startedMs = timers.nowMs();
    const newest = { limit: 1, order: 'descending', orderBy: 'modRevision' } as const;
    const { signal } = this.#abort;
    const looked = source.getRange(range, { ...newest, signal }).catch(() => undefined);
    const { entries, count, revision } = (await looked) ?? {};
    const isOld = (entries?.[0]?.modRevision ?? 0) <= this.#table.revision;
    if (isOld && count === this.#table.size && this.#end === undefined) {
      this.#confirmedMs = Math.max(this.#confirmedMs, startedMs);
      this.#changed(this.#table.apply(must(revision, 'the revision of a read'), []), false);
    }
  }

  async #loadForWaiters(): Promise<void> {
    try {
      await this.#load({ signal: this.#abort.signal });
    } catch (error) {
      if ((error as Partial<HoldfastError>).code === 'CACHE_TOO_LARGE') {
        this.#finish(error as HoldfastError);
      }
      throw error;
    }
  }

  #checkBounds(keys: number, bytes: number): void {
    const { keysMax = keysMaxDefault, bytesMax = bytesMaxDefault } = this.#parts.options;
    if (keys > keysMax || bytes > bytesMax) {
      const limit = keys > keysMax ? `${keysMax} keys` : `${bytesMax} bytes`;
      throw new HoldfastError('CACHE_TOO_LARGE', `the cache's range has more than ${limit}`);
    }
  }

  #readable(): CacheTable<V> {
    const { maxAgeMs = Number.POSITIVE_INFINITY } = this.#parts.options;
    const table = this.#readableUnlessEnded();
    const { ageMs } = this;
    if (ageMs > maxAgeMs) {
      const why = this.problem === undefined ? '' : ` (${this.problem})`;
      const text = `the cache has not been up to date for ${Math.round(ageMs)} ms${why}`;
      throw new HoldfastError('CACHE_STALE', text);
    }
    return table;
  }

  #readableUnlessEnded(): CacheTable<V> {
    if (this.#end !== undefined) {
      throw this.#end.error ?? closedCacheError();
    }
    return this.#table;
  }

  #finish(error: HoldfastError | undefined): void {
    if (this.#end === undefined) {
      this.#end = { error };
      this.#abort.abort();
      this.#waiting.fail(error ?? closedCacheError());
      this.#tellEnd(error);
    }
  }

  #tellEnd(error: HoldfastError | undefined): void {
    for (const listener of [...this.#listeners]) {
      tell('onEnd of a cache', () => listener.onEnd?.(error));
    }
    this.#listeners.clear();
  }
}

function closedCacheError(): HoldfastError {
  return closedError('cache');
}

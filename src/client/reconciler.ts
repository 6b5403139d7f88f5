/**
 * A reconciler: makes the world look like what the keys of a range say, and keeps it so.
 *
 * It is driven by levels, not edges: for each key that may differ it calls `reconcile`, which looks
 * at what is desired now and at what there is, and does what is missing. That a key is named twice,
 * or that changes in between were never seen, makes no difference. A key is named when it changes,
 * when its last attempt failed, and with all others when the reconciler begins and at each resync.
 *
 * Given a way to become leader, one of many processes reconciles. When it loses leadership its work
 * is told to end, and nothing more is begun; what it had begun may go on for as long as it does not
 * listen to that, which is what the fencing token is for.
 */
import type { Prng, TimerHandle, Timers } from '../base/index.ts';
import {
  abortSignal,
  callback,
  type Checks,
  checkFields,
  checkValue,
  mistakeIn,
  positiveCount,
  positiveNumber,
  timeLimit,
} from './arguments.ts';
import { type Cache, cacheBoundChecks, type CacheOptions } from './cache.ts';
import { HoldfastError } from './errors.ts';
import type { Entry } from './kv-types.ts';
import { LinkedAbort } from './linked-abort.ts';
import { tell } from './telling.ts';
import { WorkQueue, type WorkQueueMetrics, type WorkQueueOptions } from './work-queue.ts';

/** What is known of a key that is to be reconciled. */
export interface ReconcileState<V> {
  /** What is desired; undefined: it is to be gone. */
  readonly desired: Entry<V> | undefined;
  /** 1, and one more with each failure since the last success. */
  readonly attempt: number;
  /** Fires when this process is not to go on: it ends, or leads no longer. */
  readonly signal: AbortSignal;
  /** The leader's fencing token; undefined where there is no election. */
  readonly token: number | undefined;
}

/** Being the leader; a `Leadership` is one. */
export interface Leading {
  /** Fires when it is lost. */
  readonly signal: AbortSignal;
  readonly token: number;
  resign(): Promise<void>;
}

/** Something that failed, and is tried again. */
export interface ReconcileFailure {
  /** Undefined: of no key, but listing what there is, becoming leader, or loading the keys. */
  readonly key: string | undefined;
  readonly attempt: number;
  readonly error: unknown;
}

/** How a reconciler works. */
export interface ReconcilerOptions<V>
  extends Partial<WorkQueueOptions>,
    Pick<CacheOptions, 'keysMax' | 'bytesMax'> {
  /** Makes the world fit for one key; may be called though nothing is to be done. */
  readonly reconcile: (key: string, state: ReconcileState<V>) => void | Promise<void>;
  /**
   * Names the keys that there are in the world, so that those are found that are not desired any
   * more; without it those are missed whose deletion nobody saw.
   */
  readonly actual?: ((signal: AbortSignal) => Names | Promise<Names>) | undefined;
  /** Becomes leader, as `(signal) => election.campaign(name, { signal })`. */
  readonly campaign?: ((signal: AbortSignal) => Promise<Leading>) | undefined;
  /** Milliseconds between two times that all keys are looked at; ten minutes when absent. */
  readonly resyncMs?: number | undefined;
  /**
   * Told of every failure, but not of what ends since it was told to, by its signal. What it throws
   * is a warning of the process.
   */
  readonly onFailure?: ((failure: ReconcileFailure) => void) | undefined;
}

type Names = Iterable<string> | AsyncIterable<string>;

/** Figures of a reconciler. */
export interface ReconcilerMetrics extends WorkQueueMetrics {
  /** Whether it reconciles now: it leads, and has loaded the keys. */
  readonly isActive: boolean;
  /** Keys that are desired, as of this revision. */
  readonly desired: number;
  readonly revision: number;
  /** How often all keys were looked at. */
  readonly resyncs: number;
}

/** What a {@link Reconciler} is made of. */
export interface ReconcilerParts<V> {
  readonly openCache: (options: CacheOptions) => Promise<Cache<V>>;
  readonly timers: Timers;
  readonly prng: Prng;
  /** Waits before failed attempt `attempt` is repeated; ends when the signal fires. */
  readonly pause: (attempt: number, signal: AbortSignal) => Promise<void>;
  readonly options: ReconcilerOptions<V>;
}

const queueDefaults: WorkQueueOptions = {
  ...{ concurrency: 4, perSecondMax: 100, burst: 100, backoffMinMs: 100, backoffMaxMs: 60_000 },
};
const resyncDefaultMs = 600_000;
const reconcilerChecks: Checks = {
  ...{ reconcile: callback, actual: callback, campaign: callback, onFailure: callback },
  ...{ concurrency: positiveCount, perSecondMax: positiveNumber, burst: positiveCount },
  ...{ backoffMinMs: timeLimit, backoffMaxMs: timeLimit, resyncMs: timeLimit },
  ...cacheBoundChecks,
};

/** See the module comment. */
export class Reconciler<V> {
  readonly #parts: ReconcilerParts<V>;
  #active: { readonly cache: Cache<V>; readonly queue: WorkQueue } | undefined;
  /** Of leaderships before this one. */
  readonly #before = { completed: 0, failed: 0 };
  #resyncs = 0;
  #isRunning = false;

  /** @internal */
  constructor(parts: ReconcilerParts<V>) {
    checkOptions(parts.options);
    this.#parts = parts;
  }

  get metrics(): ReconcilerMetrics {
    const { cache, queue } = this.#active ?? {};
    const now = queue?.metrics ?? idle;
    return {
      ...now,
      completed: this.#before.completed + now.completed,
      failed: this.#before.failed + now.failed,
      isActive: this.#active !== undefined,
      desired: cache?.size ?? 0,
      revision: cache?.revision ?? 0,
      resyncs: this.#resyncs,
    };
  }

  /**
   * Reconciles until the signal fires; then it resolves, once the work under way has ended and
   * leadership is given up.
   *
   * @throws {HoldfastError} what cannot pass: the range cannot be read, or has outgrown its bounds;
   *   the client is closed.
   */
  async run(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    checkFields('run', options, { signal: abortSignal });
    const { signal = new AbortController().signal } = options;
    if (this.#isRunning) {
      throw new HoldfastError('INVALID_ARGUMENT', 'this reconciler is being run already');
    }
    this.#isRunning = true;
    try {
      while (!signal.aborted) {
        await this.#lead(await this.#campaign(signal), signal);
        // What is lost as soon as it is won is not stood for without a pause. Ends with the signal.
        await this.#parts.pause(1, signal);
      }
    } catch (error) {
      if (!signal.aborted) {
        throw error;
      }
      this.#tellAtEnd({ key: undefined, error, attempt: 1 }, signal);
    } finally {
      this.#isRunning = false;
    }
  }

  async #campaign(signal: AbortSignal): Promise<Leading | undefined> {
    const { campaign } = this.#parts.options;
    if (campaign === undefined) {
      return undefined;
    }
    const leading = await this.#repeated(async () => campaign(signal), signal, isPassing);
    // As where plain JavaScript has forgotten `return`: everybody would reconcile.
    const given = (leading as Leading | undefined)?.signal;
    checkValue('reconciler: the signal of what campaign gives', given, abortSignal);
    return leading;
  }

  async #lead(leading: Leading | undefined, signal: AbortSignal): Promise<void> {
    const ending = new LinkedAbort(signal, ...(leading === undefined ? [] : [leading.signal]));
    try {
      if (!ending.signal.aborted) {
        await this.#reconcile(leading?.token, ending);
      }
    } finally {
      ending.unlink();
      await this.#resign(leading);
    }
  }

  /** Until `ending` is aborted, by whomever. */
  async #reconcile(token: number | undefined, ending: LinkedAbort): Promise<void> {
    const { openCache, timers, options } = this.#parts;
    const { signal } = ending;
    const { keysMax, bytesMax, resyncMs = resyncDefaultMs } = options;
    const open = async (): Promise<Cache<V>> => openCache({ keysMax, bytesMax, signal });
    let cache: Cache<V>;
    try {
      cache = await this.#repeated(open, signal, isPassing);
    } catch (error) {
      // Leadership was lost meanwhile: it is stood for again.
      if (signal.aborted) {
        this.#tellAtEnd({ key: undefined, error, attempt: 1 }, signal);
        return;
      }
      throw error;
    }
    if (signal.aborted) {
      cache.close();
      return;
    }
    const queue = this.#createQueue(cache, signal, token);
    // At once: work that ends in the same moment would else be followed by more.
    signal.addEventListener('abort', () => void queue.stop());
    this.#active = { cache, queue };
    let resync: TimerHandle | undefined;
    try {
      let isListing = false;
      const addAll = (): void => {
        this.#addDesired(cache, queue);
        // A list that cannot be had yet is asked for again and again: once at a time.
        if (!isListing) {
          isListing = true;
          void this.#addActual(cache, queue, signal).finally(() => {
            isListing = false;
          });
        }
      };
      addAll();
      resync = timers.every(resyncMs, addAll);
      await untilEnd(cache, queue, signal);
    } finally {
      resync?.cancel();
      ending.abort();
      await queue.stop();
      cache.close();
      const { completed, failed } = queue.metrics;
      this.#before.completed += completed;
      this.#before.failed += failed;
      this.#active = undefined;
    }
  }

  #createQueue(cache: Cache<V>, signal: AbortSignal, token: number | undefined): WorkQueue {
    const { timers, prng, options } = this.#parts;
    return new WorkQueue({
      ...{ timers, prng },
      options: { ...queueDefaults, ...given(options) },
      work: async (key, attempt) => {
        const desired = cache.get(key);
        await options.reconcile(key, { desired, attempt, signal, token });
      },
      onFailure: (key, error, attempt) => this.#tellAtEnd({ key, error, attempt }, signal),
    });
  }

  #addDesired(cache: Cache<V>, queue: WorkQueue): void {
    this.#resyncs++;
    for (const key of cache.keys()) {
      queue.add(key);
    }
  }

  /** What there is besides what is desired. */
  async #addActual(cache: Cache<V>, queue: WorkQueue, signal: AbortSignal): Promise<void> {
    const { actual } = this.#parts.options;
    if (actual !== undefined) {
      const list = async (): Promise<void> => {
        for await (const key of await actual(signal)) {
          if (!cache.has(key)) {
            queue.add(key);
          }
        }
      };
      // It ends without success only when the reconciler does.
      await this.#repeated(list, signal, () => true).catch((error: unknown) => {
        this.#tellAtEnd({ key: undefined, error, attempt: 1 }, signal);
      });
    }
  }

  async #resign(leading: Leading | undefined): Promise<void> {
    if (leading !== undefined && !leading.signal.aborted) {
      try {
        await leading.resign();
      } catch (error) {
        // Then leadership ends with its lease.
        this.#tellFailure({ key: undefined, error, attempt: 1 });
      }
    }
  }

  /** The same of what may have failed since its signal has fired. */
  #tellAtEnd(failure: ReconcileFailure, signal: AbortSignal): void {
    if (!isEndBy(signal, failure.error)) {
      this.#tellFailure(failure);
    }
  }

  #tellFailure(failure: ReconcileFailure): void {
    const { onFailure } = this.#parts.options;
    tell('onFailure of a reconciler', () => onFailure?.(failure));
  }

  /** Until it succeeds, fails in a way that does not pass, or the signal fires. */
  async #repeated<T>(
    what: () => Promise<T>,
    signal: AbortSignal,
    mayPass: (error: unknown) => boolean,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await what();
      } catch (error) {
        if (signal.aborted || !mayPass(error)) {
          throw error;
        }
        this.#tellFailure({ key: undefined, error, attempt });
      }
      await this.#parts.pause(attempt, signal);
    }
  }
}

/** Options that have a value. */
function given<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

/** @throws {HoldfastError} INVALID_ARGUMENT — names each option that is unknown, or cannot work. */
function checkOptions<V>(options: Partial<ReconcilerOptions<V>> | undefined): void {
  const mistakes = [mistakeIn('reconciler', options, reconcilerChecks)];
  const { reconcile, backoffMinMs, backoffMaxMs } = { ...queueDefaults, ...given(options ?? {}) };
  if (options !== undefined && reconcile === undefined) {
    mistakes.push('reconciler: reconcile is missing: give a function');
  }
  if (backoffMaxMs < backoffMinMs) {
    mistakes.push(`reconciler: backoffMaxMs is below backoffMinMs, ${backoffMinMs}`);
  }
  const text = mistakes.filter((each) => each !== undefined).join('; ');
  if (text !== '') {
    throw new HoldfastError('INVALID_ARGUMENT', text);
  }
}

const idle: WorkQueueMetrics = {
  ...{ backlog: 0, running: 0, failing: 0, completed: 0, failed: 0, completedPerSecond: 0 },
  lagMs: 0,
};

/** Work on what changes; resolves when the signal fires, and fails with what ends the cache. */
async function untilEnd<V>(cache: Cache<V>, queue: WorkQueue, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    cache.listen({
      onChange: ({ changes }) => changes.forEach(({ key }) => queue.add(key)),
      onEnd: (error) => {
        if (error !== undefined) {
          reject(error);
        }
      },
    });
    signal.addEventListener('abort', () => resolve());
    if (signal.aborted) {
      resolve();
    }
  });
}

/** Whether something has ended since it was told to, in the ways in which that is said. */
function isEndBy({ aborted, reason }: AbortSignal, error: unknown): boolean {
  const { name, code } = (error ?? {}) as { readonly name?: unknown; readonly code?: unknown };
  return aborted && (error === reason || name === 'AbortError' || code === 'ABORTED');
}

/** Whether it is the members' state that is in the way, not the request. */
function isPassing(error: unknown): boolean {
  return (error as Partial<HoldfastError>).retryable === true;
}

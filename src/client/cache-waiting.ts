/**
 * Those who wait until a cache is new enough, and what is done for them where its watch does not
 * tell: a look whether anything has changed at all, and then a load.
 */
import type { TimerHandle, Timers } from '../base/index.ts';
import { onAbort } from './abort-listeners.ts';
import { abortedError, HoldfastError } from './errors.ts';

/** What is waited with. */
export interface CacheWaitingParts {
  readonly timers: Timers;
  /** Looks whether anything has changed; what fails it the load after it meets as well. */
  readonly look: () => Promise<void>;
  /** Reads the range anew. */
  readonly load: () => Promise<void>;
  /** Where the cache is, in words. */
  readonly place: () => string;
}

/** How long somebody waits. */
interface WaitBounds {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Milliseconds after which one who waits looks whether anything has changed at all: longer than it
 * takes Holdfast's members to tell how far they are. etcd's answer to that cannot be relied on.
 */
const lookMs = 100;
/**
 * Milliseconds after which one who waits is not left to the watch: Holdfast's members tell how far
 * they are every second, etcd's do not where nothing changes.
 */
const patienceMs = 2000;

interface Waiter {
  readonly revision: number;
  readonly done: (error?: HoldfastError) => void;
}

/** See the module comment. Limit: none of its own; there is one for each call that waits. */
export class CacheWaiting {
  readonly #parts: CacheWaitingParts;
  readonly #waiters = new Set<Waiter>();
  #isLooking = false;
  #isLookWanted = false;

  constructor(parts: CacheWaitingParts) {
    this.#parts = parts;
  }

  /**
   * Until the cache has this revision.
   *
   * @throws {HoldfastError} DEADLINE_EXCEEDED, ABORTED; what the cache ends with, or a load.
   */
  async until(revision: number, { timeoutMs, signal }: WaitBounds): Promise<void> {
    const { timers } = this.#parts;
    const running: TimerHandle[] = [];
    let leaveSignal: (() => void) | undefined;
    const waiting = new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        revision,
        done: (error) => {
          this.#waiters.delete(waiter);
          if (error === undefined) {
            resolve();
          } else {
            reject(error);
          }
        },
      };
      this.#waiters.add(waiter);
      const late = (): void => waiter.done(this.#lateError(revision, timeoutMs));
      running.push(timers.after(Math.max(0, timeoutMs), late));
      running.push(timers.after(lookMs, () => this.#look()));
      running.push(timers.after(patienceMs, () => void this.#loadFor(waiter)));
      if (signal !== undefined) {
        const what = 'waiting for a revision in the cache';
        const abort = (): void => waiter.done(abortedError(what, signal));
        leaveSignal = onAbort(signal, abort);
        if (signal.aborted) {
          abort();
        }
      }
    });
    try {
      await waiting;
    } finally {
      running.forEach((timer) => timer.cancel());
      leaveSignal?.();
    }
  }

  /** The cache is at this revision. */
  reached(revision: number): void {
    for (const waiter of [...this.#waiters]) {
      if (waiter.revision <= revision) {
        waiter.done();
      }
    }
  }

  /** The cache has ended. */
  fail(error: HoldfastError): void {
    for (const waiter of [...this.#waiters]) {
      waiter.done(error);
    }
  }

  /**
   * One look at a time, since a member reads the whole range for it; who waits since it began is
   * looked for afterwards.
   */
  #look(): void {
    if (this.#isLooking) {
      this.#isLookWanted = true;
      return;
    }
    this.#isLooking = true;
    this.#isLookWanted = false;
    void this.#parts.look().finally(() => {
      this.#isLooking = false;
      if (this.#isLookWanted && this.#waiters.size > 0) {
        this.#look();
      }
    });
  }

  /** The watch does not tell: what it would tell is read. */
  async #loadFor(waiter: Waiter): Promise<void> {
    try {
      // The first may have begun before the revision was there, for somebody else.
      for (let loads = 0; loads < 2 && this.#waiters.has(waiter); loads++) {
        await this.#parts.load();
      }
    } catch (error) {
      waiter.done(error as HoldfastError);
    }
  }

  #lateError(revision: number, timeoutMs: number): HoldfastError {
    const text = `the cache has not come to revision ${revision} within ${timeoutMs} ms`;
    return new HoldfastError('DEADLINE_EXCEEDED', `${text}; ${this.#parts.place()}`);
  }
}

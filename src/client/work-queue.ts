/**
 * Keys that have to be worked on: each at most once at a time, in the order in which they came, no
 * faster than allowed, and again until it succeeds.
 *
 * A key that is added while it waits is one piece of work all the same; one that is added while it
 * is being worked on is worked on once more afterwards, since that work may have seen an old state.
 * A failed key comes again after a pause of its own, which doubles, with jitter; being added cuts
 * it short.
 *
 * Bound: one record for each different key that has been added and is not done.
 */
import type { Prng, TimerHandle, Timers } from '../base/index.ts';
import { withJitter } from './pace.ts';
import { RateMeter } from './rate-meter.ts';

/** How a queue works. */
export interface WorkQueueOptions {
  /** Pieces of work under way at a time. */
  readonly concurrency: number;
  /** Pieces of work that are begun in a second, in the long run, and at once after a rest. */
  readonly perSecondMax: number;
  readonly burst: number;
  /**
   * Milliseconds after the first failure of a key; doubles with each, up to the second. A pause is
   * between half and all of that, by chance.
   */
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
}

/** Figures of a queue. */
export interface WorkQueueMetrics {
  /** Keys that are not done: they wait, are being worked on, or have failed. */
  readonly backlog: number;
  readonly running: number;
  /** Keys whose last attempt failed. */
  readonly failing: number;
  /** Pieces of work that have succeeded and failed since the beginning. */
  readonly completed: number;
  readonly failed: number;
  /** Successes in a second, over about the last minute. */
  readonly completedPerSecond: number;
  /** Milliseconds since the key that has been undone for longest was added; 0 when all are done. */
  readonly lagMs: number;
}

/** What a {@link WorkQueue} is made of. */
export interface WorkQueueParts {
  readonly options: WorkQueueOptions;
  readonly timers: Timers;
  readonly prng: Prng;
  /** Does the work of one key. */
  readonly work: (key: string, attempt: number) => Promise<void>;
  /** Throws nothing. */
  readonly onFailure: (key: string, error: unknown, attempt: number) => void;
}

/** A key that is not done. */
interface Item {
  readonly key: string;
  /** When it was first added. */
  readonly sinceMs: number;
  state: 'ready' | 'running' | 'paused';
  /** Added again while running, and when. */
  againSinceMs: number | undefined;
  failures: number;
  timer: TimerHandle | undefined;
}

/** See the module comment. */
export class WorkQueue {
  readonly #parts: WorkQueueParts;
  /** In the order in which they were first added. */
  readonly #items = new Map<string, Item>();
  readonly #ready = new Set<Item>();
  readonly #meter: RateMeter;
  #running = 0;
  #completed = 0;
  #failed = 0;
  #tokens: number;
  #filledMs: number;
  #refill: TimerHandle | undefined;
  #isStopped = false;
  #stopping: Promise<void> | undefined;
  #onIdle: (() => void) | undefined;

  constructor(parts: WorkQueueParts) {
    this.#parts = parts;
    this.#tokens = parts.options.burst;
    this.#filledMs = parts.timers.nowMs();
    this.#meter = new RateMeter(parts.timers);
  }

  get metrics(): WorkQueueMetrics {
    const nowMs = this.#parts.timers.nowMs();
    const items = [...this.#items.values()];
    return {
      backlog: items.length,
      running: this.#running,
      failing: items.filter(({ failures }) => failures > 0).length,
      completed: this.#completed,
      failed: this.#failed,
      completedPerSecond: this.#meter.perSecond,
      lagMs: items.reduce((max, { sinceMs }) => Math.max(max, nowMs - sinceMs), 0),
    };
  }

  /** There is something to do about a key, or may be. */
  add(key: string): void {
    if (this.#isStopped) {
      return;
    }
    const sinceMs = this.#parts.timers.nowMs();
    const item = this.#items.get(key);
    if (item === undefined) {
      this.#enqueue({ ...blankItem, key, sinceMs });
    } else if (item.state === 'running') {
      item.againSinceMs ??= sinceMs;
    } else if (item.state === 'paused') {
      item.timer?.cancel();
      this.#enqueue(item);
    }
    this.#pump();
  }

  /** Begins nothing any more, from the call on; resolves once what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#isStopped = true;
    this.#refill?.cancel();
    for (const item of this.#items.values()) {
      item.timer?.cancel();
    }
    this.#ready.clear();
    if (this.#running > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.#items.clear();
  }

  #enqueue(item: Item): void {
    item.state = 'ready';
    this.#items.set(item.key, item);
    this.#ready.add(item);
  }

  #pump(): void {
    for (const item of this.#ready) {
      if (this.#running >= this.#parts.options.concurrency || !this.#takeToken()) {
        return;
      }
      this.#ready.delete(item);
      void this.#run(item);
    }
  }

  async #run(item: Item): Promise<void> {
    item.state = 'running';
    this.#running++;
    const attempt = item.failures + 1;
    try {
      await this.#parts.work(item.key, attempt);
      this.#succeeded(item);
    } catch (error) {
      this.#failedWith(item, error);
    } finally {
      this.#running--;
      if (this.#isStopped && this.#running === 0) {
        this.#onIdle?.();
      } else if (!this.#isStopped) {
        this.#pump();
      }
    }
  }

  #succeeded(item: Item): void {
    this.#completed++;
    this.#meter.mark();
    this.#items.delete(item.key);
    if (item.againSinceMs !== undefined && !this.#isStopped) {
      this.#enqueue({ ...blankItem, key: item.key, sinceMs: item.againSinceMs });
    }
  }

  #failedWith(item: Item, error: unknown): void {
    this.#failed++;
    item.failures++;
    if (!this.#isStopped) {
      this.#repeat(item);
    }
    this.#parts.onFailure(item.key, error, item.failures);
  }

  #repeat(item: Item): void {
    if (item.againSinceMs !== undefined) {
      item.againSinceMs = undefined;
      this.#enqueue(item);
    } else {
      item.state = 'paused';
      item.timer = this.#parts.timers.after(this.#pauseMs(item.failures), () => {
        this.#enqueue(item);
        this.#pump();
      });
    }
  }

  #pauseMs(failures: number): number {
    const { backoffMinMs, backoffMaxMs } = this.#parts.options;
    const pauseMs = Math.min(backoffMaxMs, backoffMinMs * 2 ** Math.min(failures - 1, 32));
    return withJitter(pauseMs, this.#parts.prng);
  }

  /** Whether a piece of work may begin now; if not, the queue goes on when one may. */
  #takeToken(): boolean {
    const { options, timers } = this.#parts;
    const nowMs = timers.nowMs();
    const gained = ((nowMs - this.#filledMs) / 1000) * options.perSecondMax;
    this.#tokens = Math.min(options.burst, this.#tokens + gained);
    this.#filledMs = nowMs;
    // Sums of fractions: a token may lack a little of itself when its time has come.
    if (this.#tokens >= 1 - 1e-6) {
      this.#tokens--;
      return true;
    }
    this.#refill ??= timers.after(((1 - this.#tokens) / options.perSecondMax) * 1000, () => {
      this.#refill = undefined;
      this.#pump();
    });
    return false;
  }
}

const blankItem: Omit<Item, 'key' | 'sinceMs'> = {
  ...{ state: 'ready', againSinceMs: undefined, failures: 0, timer: undefined },
};

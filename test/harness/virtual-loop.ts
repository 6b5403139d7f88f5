/**
 * An event loop under virtual time: timers fire in the order of their deadlines, and between two of
 * them all promises are drained at a macrotask boundary, so that a test of asynchronous code needs
 * no sleep.
 */
import type { EventLoop, TimerHandle } from '../../src/base/index.ts';

interface Timer {
  dueMs: number;
  readonly sequence: number;
  readonly periodMs: number | undefined;
  readonly callback: () => void;
}

/** See the module comment. */
export class VirtualLoop implements EventLoop {
  #nowMs = 0;
  #sequence = 0;
  readonly #timers = new Set<Timer>();
  #endOfTurn: (() => void)[] = [];

  /** Timers that have neither fired for good nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): TimerHandle {
    return this.#add(delayMs, undefined, callback);
  }

  every(periodMs: number, callback: () => void): TimerHandle {
    return this.#add(periodMs, periodMs, callback);
  }

  afterCallback(callback: () => void): void {
    queueMicrotask(callback);
  }

  endOfTurn(callback: () => void): void {
    this.#endOfTurn.push(callback);
  }

  /** Lets `durationMs` of virtual time pass. */
  async run(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs;
    await this.#drain();
    for (let timer = this.#nextTimer(); timer !== undefined && timer.dueMs <= endMs; ) {
      this.#nowMs = timer.dueMs;
      if (timer.periodMs === undefined) {
        this.#timers.delete(timer);
      } else {
        timer.dueMs += timer.periodMs;
      }
      timer.callback();
      await this.#drain();
      timer = this.#nextTimer();
    }
    this.#nowMs = endMs;
  }

  /** Lets time pass until `promise` settles, and gives what it gives; fails after a minute. */
  async settle<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    await this.runUntil(() => isSettled, 60_000);
    return promise;
  }

  /** Lets time pass until `condition` holds; fails after `limitMs`. */
  async runUntil(condition: () => boolean, limitMs: number, stepMs = 10): Promise<void> {
    const endMs = this.#nowMs + limitMs;
    while (!condition()) {
      if (this.#nowMs >= endMs) {
        throw new Error(`the condition did not come true within ${limitMs} ms of virtual time`);
      }
      await this.run(stepMs);
    }
  }

  #add(delayMs: number, periodMs: number | undefined, callback: () => void): TimerHandle {
    const dueMs = this.#nowMs + delayMs;
    const timer: Timer = { dueMs, sequence: this.#sequence++, periodMs, callback };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  #nextTimer(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      const isEarlier =
        next === undefined ||
        timer.dueMs < next.dueMs ||
        (timer.dueMs === next.dueMs && timer.sequence < next.sequence);
      if (isEarlier) {
        next = timer;
      }
    }
    return next;
  }

  /** Runs what is due now until nothing is left: promises first, then ends of turns. */
  async #drain(): Promise<void> {
    do {
      const callbacks = this.#endOfTurn;
      this.#endOfTurn = [];
      for (const callback of callbacks) {
        callback();
      }
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
    } while (this.#endOfTurn.length > 0);
  }
}

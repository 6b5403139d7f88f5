/**
 * A limit on a rate: whoever takes waits until its share is due, first come, first served.
 *
 * Every taker gets the next free stretch of time; up to `burst` may be taken at once after a pause.
 * A taker that gives up leaves its stretch unused.
 */
import type { Timers } from '../base/index.ts';

/** See the module comment. */
export interface TokenBucketOptions {
  /** Infinity for no limit. */
  readonly tokensPerSecond: number;
  /** How much may be taken at once after a pause; at least what one taker takes at a time. */
  readonly burst: number;
  readonly timers: Timers;
}

/** See the module comment. */
export class TokenBucket {
  readonly #millisecondsPerToken: number;
  readonly #burstMs: number;
  readonly #timers: Timers;
  /** When everything taken so far will have been earned. */
  #earnedMs = Number.NEGATIVE_INFINITY;

  constructor({ tokensPerSecond, burst, timers }: TokenBucketOptions) {
    this.#millisecondsPerToken = 1000 / tokensPerSecond;
    this.#burstMs = burst * this.#millisecondsPerToken;
    this.#timers = timers;
  }

  /** Takes `count` tokens and tells how many milliseconds to wait before using them. */
  reserve(count: number): number {
    const nowMs = this.#timers.nowMs();
    this.#earnedMs = Math.max(this.#earnedMs, nowMs) + count * this.#millisecondsPerToken;
    return Math.max(0, this.#earnedMs - this.#burstMs - nowMs);
  }

  /** Takes `count` tokens and resolves once they may be used, or once `signal` fires. */
  async take(count: number, signal: AbortSignal): Promise<void> {
    const delayMs = this.reserve(count);
    if (delayMs === 0 || signal.aborted) {
      return;
    }
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const timer = this.#timers.after(delayMs, finish);
      signal.addEventListener('abort', finish);
    });
  }
}

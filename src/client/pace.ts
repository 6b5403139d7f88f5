/**
 * How fast failed calls are tried again: pauses that double, with jitter, within a budget.
 *
 * The budget is shared by all calls of a client: each retry takes a token; time and successes bring
 * tokens back. Without one a retry waits for the longest pause, so that a cluster in trouble gets
 * little more than its usual load. The budget slows retries down; it never makes a call fail.
 */
import type { Prng } from '../base/index.ts';
import type { Environment } from './ports.ts';

/** Milliseconds; an election takes longer than the first few pauses together. */
const pauseMinMs = 20;
const pauseMaxMs = 1000;
/** Retries that may be made at once before the budget slows them down. */
const tokensMax = 100;
const tokensPerSecond = 10;
/** A retry in ten calls is within the budget for ever. */
const tokensPerSuccess = 0.1;

/** See the module comment. */
export class RetryPace {
  readonly #environment: Environment;
  #tokens = tokensMax;
  #filledMs: number;

  constructor(environment: Environment) {
    this.#environment = environment;
    this.#filledMs = environment.loop.nowMs();
  }

  /** A call has succeeded. */
  succeeded(): void {
    if (this.#tokens < tokensMax) {
      this.#tokens = Math.min(tokensMax, this.#tokens + tokensPerSuccess);
    }
  }

  /**
   * Milliseconds to wait before the next attempt; `attempt` counts the failed ones, from 1 on.
   */
  pauseMs(attempt: number): number {
    this.#refill();
    const isWithinBudget = this.#tokens >= 1;
    if (isWithinBudget) {
      this.#tokens--;
    }
    const ceilingMs = isWithinBudget
      ? Math.min(pauseMaxMs, pauseMinMs * 2 ** Math.min(attempt - 1, 16))
      : pauseMaxMs;
    return withJitter(ceilingMs, this.#environment.prng);
  }

  #refill(): void {
    const nowMs = this.#environment.loop.nowMs();
    const gained = ((nowMs - this.#filledMs) / 1000) * tokensPerSecond;
    this.#tokens = Math.min(tokensMax, this.#tokens + gained);
    this.#filledMs = nowMs;
  }
}

/** Between half and all of a pause: those that failed together must not return together. */
export function withJitter(pauseMs: number, prng: Prng): number {
  return pauseMs / 2 + prng.nextInt(0, 1024) * (pauseMs / 2048);
}

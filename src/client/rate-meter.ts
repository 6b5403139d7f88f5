/** How often something happens, over about the last minute: old events count for less and less. */
import type { MonotonicClock } from '../base/index.ts';

/** Seconds after which an event counts for a third of what it did. */
const memorySeconds = 60;

/** See the module comment. */
export class RateMeter {
  readonly #clock: MonotonicClock;
  readonly #beganMs: number;
  #sum = 0;
  #seenMs: number;

  constructor(clock: MonotonicClock) {
    this.#clock = clock;
    this.#beganMs = clock.nowMs();
    this.#seenMs = this.#beganMs;
  }

  /** It has happened. */
  mark(): void {
    this.#decay();
    this.#sum++;
  }

  get perSecond(): number {
    this.#decay();
    // In the first minute the memory is not yet as long as it will be.
    const ageSeconds = (this.#seenMs - this.#beganMs) / 1000;
    const weight = memorySeconds * (1 - Math.exp(-ageSeconds / memorySeconds));
    return weight === 0 ? 0 : this.#sum / weight;
  }

  #decay(): void {
    const nowMs = this.#clock.nowMs();
    this.#sum *= Math.exp(-(nowMs - this.#seenMs) / 1000 / memorySeconds);
    this.#seenMs = nowMs;
  }
}

/**
 * Operations that wait for their answers, and the end of those that wait too long.
 *
 * There may be thousands at a time, nearly all with the same time to wait. So there is one timer
 * for all, set to the earliest deadline; an operation that ends in time costs it nothing.
 */
import type { MonotonicClock, TimerHandle, Timers } from '../base/index.ts';
import type { PipelineAnswer, PipelineMessage } from '../wire/index.ts';
import type { Purpose } from './attempts.ts';
import type { HoldfastError } from './errors.ts';
import type { WriteSession } from './write-session.ts';

/** An operation from its call to its answer. */
export interface Pending {
  readonly id: number;
  readonly message: PipelineMessage;
  readonly purpose: Purpose;
  readonly idempotencyKey: string | undefined;
  readonly bytes: number;
  readonly timeoutMs: number;
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
  readonly resolve: (answer: Exclude<PipelineAnswer, { readonly type: 'failure' }>) => void;
  readonly reject: (error: HoldfastError) => void;
  /** Its signal is nothing to it any more. */
  leaveSignal: (() => void) | undefined;
  /** Set with its first sending; stays, so that a repetition is known as one. */
  session: WriteSession | undefined;
  sequence: number;
  /** How often it has been sent. */
  attempts: number;
  /** It is on a stream, which has not answered it. */
  isUnderWay: boolean;
  /** An earlier attempt may have been carried out: a later refusal does not speak for that one. */
  mayHaveHappened: boolean;
  /** How often a member did not know who the client is. */
  refusals: number;
  /** Why it was not answered, the last time. */
  problem: string | undefined;
  problemCause: unknown;
  /** Of the pause before it is sent again. */
  pause: TimerHandle | undefined;
  hasEnded: boolean;
}

/** Ends operations whose time is up. */
export class Deadlines {
  readonly #timers: Timers & MonotonicClock;
  readonly #pending: ReadonlySet<Pending>;
  readonly #onExpiry: (pending: Pending) => void;
  #timer: TimerHandle | undefined;
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(timers: Timers, pending: ReadonlySet<Pending>, onExpiry: (pending: Pending) => void) {
    this.#timers = timers;
    this.#pending = pending;
    this.#onExpiry = onExpiry;
  }

  /** An operation with this deadline has come. */
  add(deadlineMs: number): void {
    if (deadlineMs < this.#dueMs) {
      this.#timer?.cancel();
      this.#dueMs = deadlineMs;
      const delayMs = Math.max(0, deadlineMs - this.#timers.nowMs());
      this.#timer = this.#timers.after(delayMs, () => this.#sweep());
    }
  }

  close(): void {
    this.#timer?.cancel();
    this.#dueMs = Number.NEGATIVE_INFINITY;
  }

  #sweep(): void {
    this.#dueMs = Number.POSITIVE_INFINITY;
    // Timers may fire a fraction of a millisecond early.
    const nowMs = this.#timers.nowMs() + 1;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const pending of [...this.#pending]) {
      if (pending.deadlineMs <= nowMs) {
        this.#onExpiry(pending);
      } else {
        nextMs = Math.min(nextMs, pending.deadlineMs);
      }
    }
    if (nextMs !== Number.POSITIVE_INFINITY) {
      this.add(nextMs);
    }
  }
}

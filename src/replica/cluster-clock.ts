/**
 * The cluster's clock on one member (design §4.6): milliseconds that go on while the cluster lives,
 * whoever leads. Its time is told by stamps in the log; between them each member counts on by its
 * own monotonic clock, so that a new leader goes on where the last one was.
 *
 * Invariant: between two stamps, in the order of the log, no more of the cluster's time passes than
 * of real time, so nothing ends early. A member counts from the moment it *applied* the newest
 * stamp, which is later than it was made; a leader goes on with the clock that it began to lead
 * with, and begins only once everything of earlier terms is applied. Wall clocks are never asked.
 */
import { assert } from '../base/index.ts';
import type { TimeState } from '../kv/index.ts';
import type { Term } from '../raft/index.ts';

/** Milliseconds between two stamps; how late what waits for a stamp may end. */
const stampIntervalMs = 250;

/** See the module comment. */
export class ClusterClock {
  #nowMs: number | undefined;
  #state: TimeState | undefined;
  /** A moment of the cluster's time, and when it was by this member's clock. */
  #base = { timeMs: 0, atMs: 0 };
  /** The term in which this member tells the time; 0 when it does not. */
  #term: Term = 0;
  /** The stamp on its way; undefined when there is none. */
  #madeMs: number | undefined;

  /** Tells the time by this member's monotonic clock. */
  noteTime(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  /** The cluster's time as this member knows it; never ahead of the leader's. */
  get timeMs(): number {
    const { timeMs, atMs } = this.#base;
    return timeMs + Math.max(0, Math.floor(this.#now() - atMs));
  }

  /**
   * Takes what the state says about time, once it has changed.
   *
   * @param appliedTerm - of the newest applied entry
   * @param leadingTerm - the term that this member leads in, or 0
   */
  applied(state: TimeState, appliedTerm: Term, leadingTerm: Term): void {
    if (this.#term !== leadingTerm) {
      this.#term = 0;
      this.#madeMs = undefined;
    }
    // Stamps ascend: an equal one is the one that is known.
    if (this.#term === 0 && state.timeMs !== this.#state?.timeMs) {
      this.#base = { timeMs: state.timeMs, atMs: this.#now() };
    }
    if (this.#madeMs !== undefined && state.timeMs >= this.#madeMs) {
      this.#madeMs = undefined;
    }
    if (leadingTerm !== 0 && appliedTerm === leadingTerm) {
      this.#term = leadingTerm;
    }
    this.#state = state;
  }

  /** The stamp that this member is to put into the log now, if any. */
  dueStamp(leadingTerm: Term): number | undefined {
    const leads = leadingTerm !== 0 && this.#term === leadingTerm;
    if (!leads || this.#state?.isNeeded !== true || this.#madeMs !== undefined) {
      return undefined;
    }
    const { timeMs, nextDeadlineMs } = this.#state;
    const now = this.timeMs;
    const dueMs = Math.min(timeMs + stampIntervalMs, nextDeadlineMs ?? Number.POSITIVE_INFINITY);
    return now > timeMs && now >= dueMs ? now : undefined;
  }

  /** A stamp has been put into the log. */
  stamped(timeMs: number): void {
    this.#madeMs = timeMs;
  }

  #now(): number {
    assert(this.#nowMs !== undefined, 'the time is told before it is asked for');
    return this.#nowMs;
  }
}

/**
 * Whether more has ended than the newest stamp took along. The leader makes the next stamp once it
 * has applied this one, so what is over goes as fast as stamps are applied.
 */
export function isOverdue({ timeMs, nextDeadlineMs }: TimeState): boolean {
  return nextDeadlineMs !== undefined && nextDeadlineMs <= timeMs;
}

/**
 * Notices that this member's event loop or disk stalls, so that a leader can hand over before its
 * clients feel it: others lead as well, and a slow leader slows all writes down.
 */

/** What stalls. */
export type Stall = 'event-loop' | 'disk';

/** Limit: stalls of the event loop within {@link memoryMs} that are put up with. */
const loopStallsMax = 1;
/** Milliseconds for which a stall of the event loop counts. */
const memoryMs = 30_000;

/** See the module comment. */
export class Watchdog {
  readonly #tickMs: number;
  /** Half an election timeout, since the others do not act before a whole one. */
  readonly #stallMs: number;
  #lastTickMs: number | undefined;
  #loopStalls: readonly number[] = [];
  #reportedWriteMs: number | undefined;

  constructor(options: { readonly tickMs: number; readonly electionMs: number }) {
    this.#tickMs = options.tickMs;
    this.#stallMs = options.electionMs / 2;
  }

  /**
   * Looks at the clock, once a tick; `writeStartMs` is when the log write under way has begun.
   * Tells of each stall once.
   */
  tick(nowMs: number, writeStartMs: number | undefined): Stall | undefined {
    const lateMs = nowMs - (this.#lastTickMs ?? nowMs - this.#tickMs) - this.#tickMs;
    this.#lastTickMs = nowMs;
    if (lateMs >= this.#stallMs) {
      const recent = this.#loopStalls.filter((stallMs) => nowMs - stallMs < memoryMs);
      this.#loopStalls = [...recent, nowMs];
      if (this.#loopStalls.length > loopStallsMax) {
        this.#loopStalls = [];
        return 'event-loop';
      }
    }
    const isDiskStalled = writeStartMs !== undefined && nowMs - writeStartMs >= this.#stallMs;
    if (isDiskStalled && this.#reportedWriteMs !== writeStartMs) {
      this.#reportedWriteMs = writeStartMs;
      return 'disk';
    }
    return undefined;
  }
}

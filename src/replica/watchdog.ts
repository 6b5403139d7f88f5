/**
 * Notices that this member's event loop or disk stalls, so that a leader can hand over before its
 * clients feel it: others lead as well, and a slow leader slows all writes down. A disk that goes
 * on stalling is told of again: handing over may have failed, as when no other was in reach.
 */

/** What stalls. */
export type Stall = 'event-loop' | 'disk';

/** Limit: stalls of the event loop within {@link memoryMs} that are put up with. */
const loopStallsMax = 1;
/** Milliseconds for which a stall of the event loop counts. */
const memoryMs = 30_000;
/** Election timeouts between two tellings of one stall: to hand over in vain costs writes one. */
const retellElections = 5;

/** See the module comment. */
export class Watchdog {
  readonly #tickMs: number;
  readonly #retellMs: number;
  /** Half an election timeout, since the others do not act before a whole one. */
  readonly #stallMs: number;
  #lastTickMs: number | undefined;
  #loopStalls: readonly number[] = [];
  /** The stalled write that was told of, and when. */
  #told: { readonly writeStartMs: number; readonly atMs: number } | undefined;

  constructor(options: { readonly tickMs: number; readonly electionMs: number }) {
    this.#tickMs = options.tickMs;
    this.#retellMs = retellElections * options.electionMs;
    this.#stallMs = options.electionMs / 2;
  }

  /**
   * Looks at the clock, once a tick; `writeStartMs` is when the log write under way has begun.
   * Tells of a stall of the event loop once, of one of the disk now and then.
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
    return this.#isDiskStallDue(nowMs, writeStartMs) ? 'disk' : undefined;
  }

  #isDiskStallDue(nowMs: number, writeStartMs: number | undefined): boolean {
    if (writeStartMs === undefined || nowMs - writeStartMs < this.#stallMs) {
      return false;
    }
    const told = this.#told;
    if (told?.writeStartMs === writeStartMs && nowMs - told.atMs < this.#retellMs) {
      return false;
    }
    this.#told = { writeStartMs, atMs: nowMs };
    return true;
  }
}

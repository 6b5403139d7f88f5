/**
 * Lets work of the state lane wait for more of its kind, some hundredths of a second at most, while
 * nobody would notice: a caller that only writes, one call after another, would else pay for a trip
 * to the engine, and for a turn of each follower's state machine, with each call.
 *
 * Who reads says so (`wanted`): what waits goes on at once, and for a while nothing waits any more.
 */
import type { EventLoop, TimerHandle } from '../base/index.ts';

/** Milliseconds that work may wait; so much later a follower's state may be than it could. */
const gatherMs = 40;
/** Milliseconds after somebody wanted the state in which the next one is expected. */
const wantedAgainMs = 100;

/** See the module comment. */
export class Gathering {
  readonly #eventLoop: Pick<EventLoop, 'after' | 'nowMs'>;
  readonly #release: (isWanted: boolean) => void;
  #timer: TimerHandle | undefined;
  #wantedMs = Number.NEGATIVE_INFINITY;

  /**
   * `release` lets go on what waits; it is called from the event loop, or by `wanted`, and told
   * whether somebody wants the state.
   */
  constructor(eventLoop: Pick<EventLoop, 'after' | 'nowMs'>, release: (isWanted: boolean) => void) {
    this.#eventLoop = eventLoop;
    this.#release = release;
  }

  /** Something waits now. */
  get isWaiting(): boolean {
    return this.#timer !== undefined;
  }

  /** Makes the caller's work wait, if it may; else it has to go on now. */
  mayWait(): boolean {
    if (this.#eventLoop.nowMs() - this.#wantedMs < wantedAgainMs) {
      return false;
    }
    this.#timer ??= this.#eventLoop.after(gatherMs, () => {
      this.#end(false);
    });
    return true;
  }

  /** Somebody needs the state as it is, or is about to. */
  wanted(): void {
    this.#wantedMs = this.#eventLoop.nowMs();
    this.#end(true);
  }

  #end(isWanted: boolean): void {
    if (this.#timer !== undefined) {
      this.#timer.cancel();
      this.#timer = undefined;
      this.#release(isWanted);
    }
  }
}

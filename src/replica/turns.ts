/**
 * When a member takes its turns: what has come until then is one batch (ADR-004).
 *
 * Under load a turn waits for all input that is due in this turn of the event loop; else it starts
 * once the callback that asked for it has ended.
 */
import type { EventLoop } from '../base/index.ts';

/** Limit: calls under way up to which latency matters more than sharing a turn. */
const promptCallsMax = 8;

/** What turns are taken with. */
export interface TurnsOptions {
  readonly eventLoop: Pick<EventLoop, 'endOfTurn' | 'afterCallback'>;
  /** Calls of clients that are under way. */
  readonly calls: { readonly count: number };
  readonly take: () => void;
}

/** See the module comment. */
export class Turns {
  readonly #options: TurnsOptions;
  #isDue = false;

  constructor(options: TurnsOptions) {
    this.#options = options;
  }

  /** Asks for a turn. */
  schedule(): void {
    if (this.#isDue) {
      return;
    }
    this.#isDue = true;
    const { eventLoop, calls } = this.#options;
    const take = (): void => {
      this.takeNow();
    };
    if (calls.count > promptCallsMax) {
      eventLoop.endOfTurn(take);
    } else {
      eventLoop.afterCallback(take);
    }
  }

  /** Takes a turn at once; one that was asked for before finds nothing left to do. */
  takeNow(): void {
    this.#isDue = false;
    this.#options.take();
  }
}

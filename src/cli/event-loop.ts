/** The real event loop and clock behind the ports of `base/time.ts`. */
import type { EventLoop, TimerHandle } from '../base/index.ts';

/**
 * Timers of Node; the end of a turn is the check phase, right after the callbacks that were due.
 */
export const nodeEventLoop: EventLoop = {
  nowMs: () => performance.now(),
  after: (delayMs, callback): TimerHandle => {
    const timer = setTimeout(callback, delayMs);
    return {
      cancel: () => {
        clearTimeout(timer);
      },
    };
  },
  every: (periodMs, callback): TimerHandle => {
    const timer = setInterval(callback, periodMs);
    return {
      cancel: () => {
        clearInterval(timer);
      },
    };
  },
  afterCallback: (callback) => {
    queueMicrotask(callback);
  },
  endOfTurn: (callback) => {
    setImmediate(callback);
  },
};

/**
 * Ports for time. Everything outside `cli` takes these instead of the machine's clock, so that a
 * test or the simulator can own time.
 */

/** A monotonic clock in milliseconds, with fractions; its zero is arbitrary. */
export interface MonotonicClock {
  nowMs(): number;
}

/** A handle to cancel a timer; cancelling twice or after it fired does nothing. */
export interface TimerHandle {
  cancel(): void;
}

/** Timers that call back once or repeatedly, after `delayMs`. */
export interface Timers extends MonotonicClock {
  after(delayMs: number, callback: () => void): TimerHandle;
  every(periodMs: number, callback: () => void): TimerHandle;
}

/**
 * The event loop as its users need it: timers, and a callback once the present turn's input is in.
 */
export interface EventLoop extends Timers {
  /** Calls back once the callback that is running has ended. */
  afterCallback(callback: () => void): void;
  /** Calls back after the callbacks that are due now, before the loop waits again. */
  endOfTurn(callback: () => void): void;
}

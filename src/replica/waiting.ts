/** Waiting with bounds: for conditions, for work, for a caller's signal. */
import { type EventLoop, KvError, type TimerHandle } from '../base/index.ts';

/** How waiting for a condition ended: it holds; its time was up; it cannot come true any more. */
export type WaitOutcome = 'held' | 'late' | 'ended';

/** Conditions that somebody waits for; looked at after every turn. */
export class Conditions {
  readonly #eventLoop: Pick<EventLoop, 'after'>;
  /** Those who wait; each is told how that ended. Bounded by the callers: each waits in a call. */
  readonly #waiting = new Map<() => boolean, (outcome: WaitOutcome) => void>();
  #hasEnded = false;

  constructor(eventLoop: Pick<EventLoop, 'after'>) {
    this.#eventLoop = eventLoop;
  }

  /** Waits for `condition`, but no longer than `limitMs`; leaves nothing behind. */
  async within(limitMs: number, condition: () => boolean): Promise<WaitOutcome> {
    if (this.#hasEnded || condition()) {
      return this.#hasEnded ? 'ended' : 'held';
    }
    return new Promise((resolve) => {
      const timer = this.#eventLoop.after(limitMs, () => {
        this.#waiting.delete(condition);
        resolve('late');
      });
      this.#waiting.set(condition, (outcome) => {
        this.#waiting.delete(condition);
        timer.cancel();
        resolve(outcome);
      });
    });
  }

  check(): void {
    for (const [condition, tell] of this.#waiting) {
      if (condition()) {
        tell('held');
      }
    }
  }

  /** Nothing that is waited for comes true any more. */
  end(): void {
    this.#hasEnded = true;
    for (const tell of this.#waiting.values()) {
      tell('ended');
    }
  }
}

/**
 * Calls back when `signal` fires, at once if it has; until the function that it returns is called,
 * for a signal may outlive by far what waits with it.
 */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): () => void {
  if (signal === undefined) {
    return () => undefined;
  }
  if (signal.aborted) {
    callback();
  } else {
    signal.addEventListener('abort', callback, { once: true });
  }
  return () => {
    signal.removeEventListener('abort', callback);
  };
}

/** @throws {KvError} TIMEOUT — `work` has not ended within `limitMs`. */
export async function bounded(
  eventLoop: EventLoop,
  limitMs: number,
  work: Promise<void>,
): Promise<void> {
  let timer: TimerHandle | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = eventLoop.after(limitMs, () => {
      reject(new KvError('TIMEOUT'));
    });
  });
  try {
    await Promise.race([work, deadline]);
  } finally {
    timer?.cancel();
  }
}

/** Resolves after `delayMs`. */
export async function delay(eventLoop: EventLoop, delayMs: number): Promise<void> {
  return new Promise<void>((resolve) => {
    eventLoop.after(delayMs, resolve);
  });
}

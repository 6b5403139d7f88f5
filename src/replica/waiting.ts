/** Waiting with bounds: for conditions, for work, for a caller's signal. */
import { type EventLoop, KvError, type TimerHandle } from '../base/index.ts';

/** Conditions that somebody waits for; looked at after every turn. */
export class Conditions {
  readonly #checks = new Set<() => void>();

  /** Resolves at the first `check()` at which `condition` holds. */
  async until(condition: () => boolean): Promise<void> {
    if (condition()) {
      return Promise.resolve();
    }
    return new Promise<void>((resolve) => {
      const check = (): void => {
        if (condition()) {
          this.#checks.delete(check);
          resolve();
        }
      };
      this.#checks.add(check);
    });
  }

  check(): void {
    if (this.#checks.size > 0) {
      for (const check of [...this.#checks]) {
        check();
      }
    }
  }
}

/** Calls back when `signal` fires, at once if it has. */
export function onAbort(signal: AbortSignal | undefined, callback: () => void): void {
  if (signal === undefined) {
    return;
  }
  if (signal.aborted) {
    callback();
  } else {
    signal.addEventListener('abort', callback, { once: true });
  }
}

/**
 * Waits for `work`, but no longer than `limitMs`; leaves no timer behind that keeps a process up.
 */
export async function atMost(
  eventLoop: EventLoop,
  limitMs: number,
  work: Promise<void>,
): Promise<void> {
  let timer: TimerHandle | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = eventLoop.after(limitMs, resolve);
  });
  await Promise.race([work, limit]);
  timer?.cancel();
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

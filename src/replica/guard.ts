/**
 * The one way into a member: whatever calls it, be it a peer or the clock, comes through a guard.
 *
 * An input that cannot be taken, as when an invariant turns out to be broken, must not be thrown at
 * whoever brought it, who knows nothing of it: it is told to the member, which cannot go on. So is
 * what keeps a peer's question from being answered. Calls of clients are not guarded: they are
 * asked for, and answered, with their errors.
 */
import { type EventLoop, KvError } from '../base/index.ts';

/** Makes an input that is told of instead of throwing. */
export type Guard = <Input extends readonly unknown[]>(
  take: (...input: Input) => void,
) => (...input: Input) => void;

/** A guard that tells `fail` why an input could not be taken. */
export function guardedBy(fail: (error: unknown) => void): Guard {
  return (take) =>
    (...input) => {
      try {
        take(...input);
      } catch (error) {
        fail(error);
      }
    };
}

/** Tells `fail` of errors that are no answer to a question, and says what the asker is told. */
export function refusalsBy(fail: (error: unknown) => void): (error: unknown) => KvError {
  return (error) => {
    if (error instanceof KvError) {
      return error;
    }
    fail(error);
    return new KvError('STOPPED', { cause: error });
  };
}

/** The event loop as seen from behind a guard: whatever it calls back is an input. */
export function guardedLoop(eventLoop: EventLoop, guard: Guard): EventLoop {
  return {
    nowMs: () => eventLoop.nowMs(),
    after: (delayMs, callback) => eventLoop.after(delayMs, guard(callback)),
    every: (periodMs, callback) => eventLoop.every(periodMs, guard(callback)),
    afterCallback: (callback) => {
      eventLoop.afterCallback(guard(callback));
    },
    endOfTurn: (callback) => {
      eventLoop.endOfTurn(guard(callback));
    },
  };
}

/**
 * Assertions: how the code says an invariant out loud and stops when it does not hold.
 *
 * Always on, in production too. Nobody catches an {@link InvariantViolation} but the process
 * handler, which logs it and exits: a member that has left its own rules must not go on answering.
 */

/** Thrown when the program has broken one of its own rules; never caused by input alone. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/**
 * Stops the program when `condition` does not hold; `message` is a sentence, built only on failure
 * if a function.
 */
export function assert(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) {
    throw new InvariantViolation(typeof message === 'string' ? message : message());
  }
}

/** Returns `value`, which must not be undefined or null; `what` names it for the message. */
export function must<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) {
    throw new InvariantViolation(`${what} must be present`);
  }
  return value;
}

/** Marks a branch that the types say cannot be reached. */
export function unreachable(value: never): never {
  throw new InvariantViolation(`unreachable case: ${String(value)}`);
}

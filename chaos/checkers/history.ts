/**
 * Histories: what clients asked, when, and what they were told.
 *
 * Times come from one clock and mean nothing but order. Of two operations the first precedes the
 * second if it returned strictly before the second was called; equal times count as concurrent, so
 * that a coarse clock can hide a violation but never invent one.
 *
 * An operation whose outcome is unknown has no return: it may take effect at any time after its
 * call, or never. An operation that surely failed without effect does not belong in a history; one
 * that was refused by a condition (a compare-and-set that found another value) does, with that
 * output.
 */

/** One operation of a client. `Output` must not contain undefined, which means "unknown". */
export interface Operation<Input, Output> {
  /** Who asked. A process has at most one operation under way whose outcome it will learn. */
  readonly process: number;
  readonly call: number;
  /** Undefined: the outcome is unknown. */
  readonly return: number | undefined;
  readonly input: Input;
  /** Undefined exactly if the outcome is unknown. */
  readonly output: Output | undefined;
}

/** Operations in any order. */
export type History<Input, Output> = readonly Operation<Input, Output>[];

/** A history that is not well-formed; says where and which field. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError';

  constructor(place: string, field: string, problem: string) {
    super(`${place}: field "${field}" ${problem}`);
  }
}

/** Whether `first` must come before `second` in every order. */
export function precedes(
  first: Operation<unknown, unknown>,
  second: Operation<unknown, unknown>,
): boolean {
  return first.return !== undefined && first.return < second.call;
}

/**
 * Throws a {@link HistoryError} unless every operation is well-formed and no process has two
 * operations under way. `placeOf` names an operation by its position, for the message.
 */
export function checkHistory(
  history: History<unknown, unknown>,
  placeOf: (index: number) => string = (index) => `operation ${index}`,
): void {
  for (const [index, operation] of history.entries()) {
    checkOperation(operation, placeOf(index));
  }
  checkProcesses(history, placeOf);
}

function checkOperation(operation: Operation<unknown, unknown>, place: string): void {
  const { process, call, return: returned, output } = operation;
  if (!Number.isSafeInteger(process) || process < 0) {
    throw new HistoryError(place, 'process', `must be a whole number from 0, is ${process}`);
  }
  if (!Number.isFinite(call)) {
    throw new HistoryError(place, 'call', `must be a finite number, is ${call}`);
  }
  if (returned === undefined) {
    if (output !== undefined) {
      throw new HistoryError(place, 'output', 'must be undefined without a return');
    }
    return;
  }
  if (!Number.isFinite(returned) || returned < call) {
    throw new HistoryError(place, 'return', `must not be before the call ${call}, is ${returned}`);
  }
  if (output === undefined) {
    throw new HistoryError(place, 'output', 'must be given with a return');
  }
}

function checkProcesses(
  history: History<unknown, unknown>,
  placeOf: (index: number) => string,
): void {
  const byCall = Array.from(history.entries()).sort(([, a], [, b]) => a.call - b.call);
  const lastByProcess = new Map<number, { readonly index: number; readonly return: number }>();
  for (const [index, { process, call, return: returned }] of byCall) {
    const last = lastByProcess.get(process);
    if (last !== undefined && call < last.return) {
      const problem = `is ${call}, while process ${process} still has ${placeOf(last.index)} open`;
      throw new HistoryError(placeOf(index), 'call', problem);
    }
    if (returned !== undefined) {
      lastByProcess.set(process, { index, return: returned });
    }
  }
}

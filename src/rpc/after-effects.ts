/**
 * Failures of calls of several steps, once a step has been done: such a call is not to be taken for
 * one that had no effect (G9).
 */
import { KvError } from '../base/index.ts';

/** The same failure, of a call that may have taken effect. */
export function afterEffect(error: unknown): unknown {
  if (!(error instanceof KvError)) {
    return error;
  }
  const { code, message, details } = error;
  return new KvError(code, { message, details, outcome: 'unknown', cause: error });
}

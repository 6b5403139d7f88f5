/** Facade of the leaf utilities. */
export { append } from './append.ts';
export { assert, InvariantViolation, must, unreachable } from './assert.ts';
export {
  compareBytes,
  concatBytes,
  emptyBytes,
  equalBytes,
  prefixEnd,
  readUint32,
  readUint64,
  writeUint32,
  writeUint64,
} from './bytes.ts';
export {
  type ErrorCode,
  errorCodes,
  KvError,
  type KvErrorOptions,
  type Outcome,
} from './errors.ts';
export { listenError } from './listen-error.ts';
export { createPrng, type Prng } from './prng.ts';
export type { EventLoop, MonotonicClock, TimerHandle, Timers } from './time.ts';

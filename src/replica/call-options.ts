/** How long a call to a member lasts, and who makes it. */
import type { Caller } from '../kv/index.ts';

/**
 * Bounds a call: it ends with a TIMEOUT or CANCELLED error after `deadlineMs` or when `signal`
 * fires.
 */
export interface CallOptions {
  /** Milliseconds from now; the member's own request timeout applies when absent or larger. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Who calls; undefined while nobody is asked. */
  readonly caller?: Caller | undefined;
}

/** Told, as a long answer grows, the bytes kept of it so far; what it throws ends the read. */
export type Charge = (bytes: number) => void;

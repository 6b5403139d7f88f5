/**
 * What a workload is: what its clients do again and again, and what must hold for what they saw.
 *
 * Checks that hold for every history (`checks.ts`) are not repeated by workloads.
 */

import type { Finding, HistoryView } from '../checkers/history-view.ts';
import type { Session } from './session.ts';

/** See the module comment. */
export interface Workload {
  readonly name: string;
  /** One sentence for reports. */
  readonly about: string;
  /** Brings the store into its first state. */
  setup?(session: Session): Promise<void>;
  /** One unit of work of client `worker`. */
  step(session: Session, worker: number): Promise<void>;
  /** What only this workload promises. */
  check(view: HistoryView): readonly Finding[];
  /** Keys that the servers themselves write or delete, for locks, candidacies and leases. */
  readonly servedPrefixes?: readonly string[];
  /** Milliseconds that a client rests between two units of work. */
  readonly restMs?: number;
  /** Milliseconds to wait, once clients have stopped, for what ends by itself. */
  readonly settleMs?: number;
}

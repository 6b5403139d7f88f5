/**
 * Committed entries on their way through the state machine: since when, and which callers wait for
 * them. Each caller is answered once its entry is applied, or told that it never will be here.
 */
import { must } from '../base/index.ts';
import type { CommandResult } from '../kv/index.ts';
import type { Metrics } from '../observability/index.ts';
import type { LogIndex, NodeId } from '../raft/index.ts';
import type { Calls } from './calls.ts';
import type { ApplyBatch } from './effects.ts';
import type { ProposalId } from './proposals.ts';

/** What it works with. */
export interface ApplyingOptions {
  readonly calls: Calls;
  readonly metrics: Metrics;
  readonly nowMs: () => number;
  /** Who leads now. */
  readonly leader: () => NodeId;
}

interface WaitingBatch {
  readonly lastIndex: LogIndex;
  readonly startMs: number;
  readonly proposalIds: readonly ProposalId[];
}

/** See the module comment. */
export class Applying {
  readonly #options: ApplyingOptions;
  /**
   * Oldest first. Bounded by the bytes that Raft hands out before it hears that they are applied.
   */
  readonly #waiting: WaitingBatch[] = [];

  constructor(options: ApplyingOptions) {
    this.#options = options;
  }

  /** These entries go to the state machine. */
  begin({ entries, proposalIds }: ApplyBatch): void {
    const lastIndex = must(entries.at(-1), 'a committed entry').index;
    this.#waiting.push({ lastIndex, startMs: this.#options.nowMs(), proposalIds });
  }

  /** These have been applied, in one piece or in several; returns the last index. */
  applied(
    { entries, proposalIds }: ApplyBatch,
    results: readonly (CommandResult | undefined)[],
  ): LogIndex {
    const { calls, metrics, nowMs } = this.#options;
    for (let at = 0; at < proposalIds.length; at++) {
      const id = must(proposalIds[at], 'the proposal of an entry');
      if (id !== 0) {
        calls.resolveProposal(id, must(results[at], 'the result of a proposed command'));
      }
    }
    const { index } = must(entries.at(-1), 'an applied entry');
    metrics.applyBatchEntries.observe(entries.length);
    for (let oldest = this.#waiting[0]; oldest !== undefined && oldest.lastIndex <= index; ) {
      metrics.applySeconds.observe((nowMs() - oldest.startMs) / 1000);
      this.#waiting.shift();
      oldest = this.#waiting[0];
    }
    return index;
  }

  /** What is on its way has no results here any more; it has been committed all the same. */
  drop(reason: 'overtaken' | 'stopped'): void {
    const { calls, leader } = this.#options;
    for (const { proposalIds } of this.#waiting) {
      for (const id of proposalIds) {
        calls.failProposal({ id, reason, outcome: 'unknown' }, leader());
      }
    }
    this.#waiting.length = 0;
  }
}

/**
 * Committed entries that wait for the state machine, in their order: short batches are taken
 * together, long ones in pieces. Limit: what Raft hands out for applying (`applyingBytesMax`).
 */
import { append } from '../base/index.ts';
import type { ApplyBatch } from './effects.ts';

/** Limit: entries applied in one go; of puts that keeps a batch under 10 ms of the event loop. */
const entriesPerApplyMax = 1024;

/** See the module comment. */
export class ApplyQueue {
  #batches: ApplyBatch[] = [];
  #entries = 0;

  /** Batches that wait. */
  get length(): number {
    return this.#batches.length;
  }

  /** Whether there are entries enough for a whole run of the state machine. */
  get isLong(): boolean {
    return this.#entries >= entriesPerApplyMax;
  }

  push(batch: ApplyBatch): void {
    append(this.#batches, splitBatch(batch));
    this.#entries += batch.entries.length;
  }

  /** What is to be applied next; undefined when nothing waits. */
  take(): ApplyBatch | undefined {
    let count = 0;
    let entries = 0;
    for (const batch of this.#batches) {
      entries += batch.entries.length;
      if (count > 0 && entries > entriesPerApplyMax) {
        break;
      }
      count++;
    }
    const batches = this.#batches.splice(0, count);
    const batch = batches.length === 1 ? batches[0] : joinBatches(batches);
    this.#entries -= batch?.entries.length ?? 0;
    return batch;
  }

  /**
   * Notes that only the first `done` entries of the batch taken last have been applied; returns the
   * batch of these, and the others are next.
   */
  putBack(taken: ApplyBatch, done: number): ApplyBatch {
    const applied = pieceOf(taken, 0, done);
    if (applied !== taken) {
      this.#batches.unshift(pieceOf(taken, done, taken.entries.length));
      this.#entries += taken.entries.length - done;
    }
    return applied;
  }

  clear(): void {
    this.#batches = [];
    this.#entries = 0;
  }
}

/** One batch of several, in their order; undefined when there is none. */
function joinBatches(batches: readonly ApplyBatch[]): ApplyBatch | undefined {
  return batches.length === 0
    ? undefined
    : {
        entries: batches.flatMap(({ entries }) => entries),
        proposalIds: batches.flatMap(({ proposalIds }) => proposalIds),
      };
}

/** Cuts a batch into pieces of at most `entriesPerApplyMax` entries. */
function splitBatch(batch: ApplyBatch): readonly ApplyBatch[] {
  if (batch.entries.length <= entriesPerApplyMax) {
    return [batch];
  }
  const pieces: ApplyBatch[] = [];
  for (let start = 0; start < batch.entries.length; start += entriesPerApplyMax) {
    pieces.push(pieceOf(batch, start, start + entriesPerApplyMax));
  }
  return pieces;
}

/** The part of a batch from one place to before another; the batch itself when that is all. */
function pieceOf(batch: ApplyBatch, start: number, end: number): ApplyBatch {
  const { entries, proposalIds } = batch;
  return start === 0 && end >= entries.length
    ? batch
    : { entries: entries.slice(start, end), proposalIds: proposalIds.slice(start, end) };
}

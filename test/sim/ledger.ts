/**
 * What the cluster has committed, as an observer sees it who can look into every member at once.
 *
 * An entry enters when the first leader has moved its commit index over it; from then on it may
 * never change or be forgotten. The invariants compare members with it.
 */
import type { Entry } from '../../src/raft/index.ts';

/** One committed entry. */
export interface LedgerSlot {
  readonly entry: Entry;
  /** The term of the leader that committed it; its own term may be an earlier one. */
  readonly commitTerm: number;
  readonly committedUs: number;
  /** What applying it gave on the first member that did, as a digest; undefined before that. */
  resultDigest: number | undefined;
  /** The store's revision after it, as that member saw it. */
  revision: number | undefined;
  stateHash: bigint | undefined;
}

/** See the module comment. */
export class Ledger {
  readonly #slots: LedgerSlot[] = [];
  /** Ascending in both: up to where each term's leader has committed. */
  readonly #marks: { readonly term: number; index: number }[] = [];

  readonly #confIndexes: number[] = [];

  /** Index of the newest committed configuration at or before `index`; 0 when there is none. */
  confIndexAt(index: number): number {
    for (let i = this.#confIndexes.length - 1; i >= 0; i--) {
      const confIndex = this.#confIndexes[i] ?? 0;
      if (confIndex <= index) {
        return confIndex;
      }
    }
    return 0;
  }

  get commitIndex(): number {
    return this.#slots.length;
  }

  get slots(): readonly LedgerSlot[] {
    return this.#slots;
  }

  at(index: number): LedgerSlot | undefined {
    return this.#slots[index - 1];
  }

  commit(entry: Entry, commitTerm: number, committedUs: number): void {
    this.#slots.push({
      entry,
      commitTerm,
      committedUs,
      resultDigest: undefined,
      revision: undefined,
      stateHash: undefined,
    });
    if (entry.type === 'confChange') {
      this.#confIndexes.push(entry.index);
    }
    const mark = this.#marks.find(({ term }) => term === commitTerm);
    if (mark === undefined) {
      this.#marks.push({ term: commitTerm, index: entry.index });
    } else {
      mark.index = entry.index;
    }
  }

  /** Up to where leaders of terms below `term` have committed. */
  committedBefore(term: number): number {
    let index = 0;
    for (const mark of this.#marks) {
      if (mark.term < term) {
        index = Math.max(index, mark.index);
      }
    }
    return index;
  }
}

/**
 * A linearizable read returns the result of some point in time between its call and its return: it
 * must see every write that was acknowledged before it began (Raft thesis §6.4). Checked as reads
 * are answered, by revision and by log position; the whole history is checked again at the end.
 */
import { holds } from '../failure.ts';
import type { Ledger } from '../ledger.ts';

/** What a read must at least see. */
export interface ReadFloor {
  readonly revision: number;
  readonly commitIndex: number;
}

/** See the module comment. */
export class ReadLinearizability {
  readonly name = 'read-linearizability';
  readonly #ledger: Ledger;
  /**
   * Highest revision that any client was told of, by an acknowledged write or a linearizable read.
   */
  #toldRevision = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** A client begins a read. */
  begin(): ReadFloor {
    return { revision: this.#toldRevision, commitIndex: this.#ledger.commitIndex };
  }

  /** A client is told of a revision. */
  tell(revision: number): void {
    this.#toldRevision = Math.max(this.#toldRevision, revision);
  }

  /** A member answers a linearizable read. */
  end(
    floor: ReadFloor,
    answer: { readonly member: number; readonly revision: number; readonly readableIndex: number },
  ): void {
    const { member, revision, readableIndex } = answer;
    holds(revision >= floor.revision, this.name, () => {
      return (
        `${member} answers at revision ${revision}, ` +
        `${floor.revision} was known before the read`
      );
    });
    holds(readableIndex >= floor.commitIndex, this.name, () => {
      return (
        `${member} answers at ${readableIndex}, ` +
        `${floor.commitIndex} was committed before the read`
      );
    });
    this.tell(revision);
  }
}

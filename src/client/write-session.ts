/**
 * The numbers of writes within a session: what makes it safe to make a write again.
 *
 * A session is a lease; members carry out each of its numbers once and keep the answer until the
 * client says that it has it (Raft thesis §6.3). A number that is given up counts as answered:
 * members then refuse whatever attempt is still on its way.
 *
 * Invariant: numbers ascend and are never used for another write.
 */

/** Limit: numbers from the lowest unanswered one on; members keep no more answers. */
const windowNumbers = 1024;

/** See the module comment. */
export class WriteSession {
  /** Id of the lease, in decimal. */
  readonly id: string;
  /** A write has used it since {@link takeUsed} was asked last. */
  #isUsed = false;
  #next = 1;
  /** In ascending order, since they are added so. */
  readonly #unanswered = new Set<number>();

  constructor(id: string) {
    this.id = id;
  }

  /** All lower numbers have been answered. */
  get lowestUnanswered(): number {
    for (const number of this.#unanswered) {
      return number;
    }
    return this.#next;
  }

  get hasUnanswered(): boolean {
    return this.#unanswered.size > 0;
  }

  /** A number for a write; undefined while too many are unanswered. */
  maybeNext(): number | undefined {
    if (this.#next >= this.lowestUnanswered + windowNumbers) {
      return undefined;
    }
    const number = this.#next++;
    this.#unanswered.add(number);
    this.#isUsed = true;
    return number;
  }

  /** The write has its answer, or nobody waits for it any more. */
  answered(number: number): void {
    this.#unanswered.delete(number);
  }

  /** Whether it has been used since this was asked last. */
  takeUsed(): boolean {
    const isUsed = this.#isUsed || this.hasUnanswered;
    this.#isUsed = false;
    return isUsed;
  }
}

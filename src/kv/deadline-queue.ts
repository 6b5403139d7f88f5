/**
 * Deadlines in order: which of many things is due first. A binary heap whose order is total, so
 * that members with equal state agree on it however they came to it.
 *
 * Things that end otherwise, or get another deadline, are not searched for: what the queue holds of
 * them is stale, skipped when it comes to the head, and swept out when there is too much of it.
 */

/** Something due. */
export interface Due {
  /** Milliseconds of cluster time. */
  readonly deadlineMs: number;
  /** Tells apart what is due at once; no two are equal. */
  readonly id: bigint;
}

/** Stale entries that are kept at least, before a sweep is worth it. */
const staleMin = 1024;

/** See the module comment. */
export class DeadlineQueue {
  /** Tells whether an entry still says the truth. */
  readonly #isCurrent: (due: Due) => boolean;
  #heap: Due[] = [];

  constructor(isCurrent: (due: Due) => boolean) {
    this.#isCurrent = isCurrent;
  }

  /** Entries, stale ones among them; at most twice as many as are current, and some. */
  get size(): number {
    return this.#heap.length;
  }

  /** Adds an entry; `current` is how many things have a deadline now. */
  push(due: Due, current: number): void {
    if (this.#heap.length > 2 * current + staleMin) {
      this.#sweep();
    }
    this.#heap.push(due);
    this.#rise(this.#heap.length - 1);
  }

  /** The entry that is due first; undefined when there is none. */
  first(): Due | undefined {
    for (;;) {
      const [head] = this.#heap;
      if (head === undefined || this.#isCurrent(head)) {
        return head;
      }
      this.#removeHead();
    }
  }

  #removeHead(): void {
    const last = this.#heap.pop();
    if (last !== undefined && this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink(0);
    }
  }

  #sweep(): void {
    this.#heap = this.#heap.filter((due) => this.#isCurrent(due)).sort(compareDue);
  }

  #rise(start: number): void {
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.#swapUnlessOrdered(parent, at)) {
        return;
      }
      at = parent;
    }
  }

  #sink(start: number): void {
    for (let at = start; ; ) {
      const left = 2 * at + 1;
      const right = left + 1;
      const leftDue = this.#heap[left];
      if (leftDue === undefined) {
        return;
      }
      const rightDue = this.#heap[right];
      const isRight = rightDue !== undefined && compareDue(rightDue, leftDue) < 0;
      const least = isRight ? right : left;
      if (!this.#swapUnlessOrdered(at, least)) {
        return;
      }
      at = least;
    }
  }

  /** Puts two entries in order; tells whether they had to change places. */
  #swapUnlessOrdered(upper: number, lower: number): boolean {
    const above = this.#heap[upper];
    const below = this.#heap[lower];
    if (above === undefined || below === undefined || compareDue(above, below) <= 0) {
      return false;
    }
    this.#heap[upper] = below;
    this.#heap[lower] = above;
    return true;
  }
}

function compareDue(a: Due, b: Due): number {
  if (a.deadlineMs !== b.deadlineMs) {
    return a.deadlineMs - b.deadlineMs;
  }
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

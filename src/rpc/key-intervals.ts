/**
 * A set of keys given as half-open intervals.
 *
 * Keys are strings of one character a byte, so that they compare as their bytes do. Kept sorted and
 * disjoint: a question costs a binary search, and a request of a megabyte cannot make its check
 * quadratic.
 */

/** The keys from `start` up to, without, `end`; none if `end` is not above `start`. */
export interface KeyInterval {
  readonly start: string;
  readonly end: string;
}

/** See the module comment. Never changes. */
export class KeyIntervals {
  /** Invariant: none is empty, and each ends before the next one starts. */
  readonly #intervals: readonly KeyInterval[];

  private constructor(intervals: readonly KeyInterval[]) {
    this.#intervals = intervals;
  }

  /** The union of `intervals`, which may overlap and be empty. */
  static of(intervals: readonly KeyInterval[]): KeyIntervals {
    const sorted = intervals
      .filter(({ start, end }) => start < end)
      .sort((a, b) => (a.start < b.start ? -1 : Number(a.start > b.start)));
    const disjoint: KeyInterval[] = [];
    for (const interval of sorted) {
      const last = disjoint.at(-1);
      if (last === undefined || last.end < interval.start) {
        disjoint.push(interval);
      } else if (last.end < interval.end) {
        disjoint[disjoint.length - 1] = { start: last.start, end: interval.end };
      }
    }
    return new KeyIntervals(disjoint);
  }

  /** The union with `others`. */
  with(others: KeyIntervals): KeyIntervals {
    return others.#intervals.length === 0
      ? this
      : KeyIntervals.of([...this.#intervals, ...others.#intervals]);
  }

  has(key: string): boolean {
    // The last interval that starts at or before the key is the only one that can hold it.
    let low = 0;
    let high = this.#intervals.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#intervals[middle] as KeyInterval).start <= key) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    const candidate = this.#intervals[low - 1];
    return candidate !== undefined && key < candidate.end;
  }
}

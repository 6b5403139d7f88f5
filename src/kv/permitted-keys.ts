/**
 * Sets of keys that somebody may read, or write: intervals, merged and in order, so that one
 * question takes one binary search, however many permissions made them.
 *
 * A range is in the set when all of it is, be it by several permissions that adjoin, as in etcd.
 */
import { compareBytes, must } from '../base/index.ts';
import type { KeySelector } from './command.ts';
import { isPoint, successorKey } from './key-layout.ts';

/** Keys from `start` up to, without, `end`; undefined: without end. */
interface KeyInterval {
  readonly start: Uint8Array;
  end: Uint8Array | undefined;
}

/** See the module comment. */
export class PermittedKeys {
  /** Invariant: ascending, none empty, and no two touch. */
  readonly #intervals: readonly KeyInterval[];

  constructor(selectors: readonly KeySelector[]) {
    this.#intervals = merge(selectors.map(intervalOf).filter(isNotEmpty));
  }

  /** Whether all keys that a selector names are in the set; a range of nothing is not. */
  covers({ key, rangeEnd }: KeySelector): boolean {
    const interval = this.#lastFrom(key);
    if (interval === undefined) {
      return false;
    }
    const { end } = interval;
    if (rangeEnd === undefined || rangeEnd.length === 0) {
      return end === undefined || compareBytes(key, end) < 0;
    }
    if (isEndless(rangeEnd)) {
      return end === undefined;
    }
    return (
      compareBytes(key, rangeEnd) < 0 && (end === undefined || compareBytes(rangeEnd, end) <= 0)
    );
  }

  /** The last interval that begins at `key` or before. */
  #lastFrom(key: Uint8Array): KeyInterval | undefined {
    let lo = 0;
    let hi = this.#intervals.length;
    while (lo < hi) {
      const middle = (lo + hi) >>> 1;
      const { start } = must(this.#intervals[middle], 'an interval of permitted keys');
      if (compareBytes(start, key) <= 0) {
        lo = middle + 1;
      } else {
        hi = middle;
      }
    }
    return this.#intervals[lo - 1];
  }
}

/** Whether the end of a range means "from the key on". */
function isEndless(rangeEnd: Uint8Array): boolean {
  return rangeEnd.length === 1 && rangeEnd[0] === 0;
}

/** Whether a permission for these keys permits anything: etcd 3.6 refuses it otherwise. */
export function isPermittable(selector: KeySelector): boolean {
  return selector.key.length > 0 && isNotEmpty(intervalOf(selector));
}

function intervalOf(selector: KeySelector): KeyInterval {
  const { key, rangeEnd } = selector;
  if (rangeEnd === undefined || isPoint(selector)) {
    return { start: key, end: successorKey(key) };
  }
  return { start: key, end: isEndless(rangeEnd) ? undefined : rangeEnd };
}

function isNotEmpty({ start, end }: KeyInterval): boolean {
  return end === undefined || compareBytes(start, end) < 0;
}

function merge(intervals: readonly KeyInterval[]): readonly KeyInterval[] {
  const sorted = intervals.toSorted((a, b) => compareBytes(a.start, b.start));
  const merged: KeyInterval[] = [];
  for (const { start, end } of sorted) {
    const last = merged.at(-1);
    if (last === undefined || (last.end !== undefined && compareBytes(last.end, start) < 0)) {
      merged.push({ start, end });
    } else if (last.end !== undefined && (end === undefined || compareBytes(last.end, end) < 0)) {
      last.end = end;
    }
  }
  return merged;
}

/** The store at every revision, as the replay of a history builds it up, and takes it back. */
import { must } from '../../src/base/index.ts';
import {
  type Changes,
  isSelected,
  type KeySelector,
  type KeyValue,
  type StoreView,
} from './store.ts';

interface Link {
  readonly revision: number;
  /** Undefined: deleted. */
  readonly record: KeyValue | undefined;
}

/** Each key's states, one per revision that changed it. */
export class RevisionStore implements StoreView {
  /** All keys that may ever exist, ascending. */
  readonly #keys: readonly string[];
  readonly #chains = new Map<string, Link[]>();
  /** What was committed, in order. */
  readonly #journal: { readonly revision: number; readonly key: string }[] = [];

  constructor(keys: Iterable<string>, initial: readonly KeyValue[]) {
    const initialKeys = initial.map((record) => record.key);
    this.#keys = Array.from(new Set([...keys, ...initialKeys])).sort();
    for (const record of initial) {
      this.#chains.set(record.key, [{ revision: record.modRevision, record }]);
    }
  }

  recordOf(key: string, revision: number | undefined): KeyValue | undefined {
    const chain = this.#chains.get(key);
    if (revision === undefined) {
      return chain?.at(-1)?.record;
    }
    return chain?.findLast((link) => link.revision <= revision)?.record;
  }

  keysIn(selector: KeySelector): readonly string[] {
    const start = this.#indexOf(selector.key);
    let end = start;
    while (end < this.#keys.length && isSelected(selector, must(this.#keys[end], 'a key'))) {
      end += 1;
    }
    return this.#keys.slice(start, end);
  }

  /** The revision that a key's present state is of; undefined if it never had any. */
  lastChangeOf(key: string): number | undefined {
    return this.#chains.get(key)?.at(-1)?.revision;
  }

  /** Makes `revision`, the next one. */
  commit(revision: number, changes: Changes): void {
    for (const [key, record] of changes) {
      this.#journal.push({ revision, key });
      const chain = this.#chains.get(key);
      if (chain === undefined) {
        this.#chains.set(key, [{ revision, record }]);
      } else {
        chain.push({ revision, record });
      }
    }
  }

  /** Takes back every revision after `revision`. */
  undoTo(revision: number): void {
    for (
      let last = this.#journal.at(-1);
      last !== undefined && last.revision > revision;
      last = this.#journal.at(-1)
    ) {
      this.#journal.pop();
      must(this.#chains.get(last.key), 'the chain of a journaled key').pop();
    }
  }

  /** Index of the first key that is not before `key`. */
  #indexOf(key: string): number {
    let lo = 0;
    let hi = this.#keys.length;
    while (lo < hi) {
      const middle = (lo + hi) >>> 1;
      if (must(this.#keys[middle], 'a key') < key) {
        lo = middle + 1;
      } else {
        hi = middle;
      }
    }
    return lo;
  }
}

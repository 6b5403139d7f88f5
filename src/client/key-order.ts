/**
 * The order of a map's keys, kept for readers of ranges while the map changes.
 *
 * Nothing is done before somebody reads: changes are noted, and then few of them are put in their
 * places, each for a binary search and a move of what is behind it; after many the order is made
 * anew. Names are compared as texts whose characters are the bytes of keys (latin1), which is the
 * order of the bytes.
 *
 * An order that has been given out does not change any more.
 */

/** What is ordered. */
interface Named {
  readonly name: string;
}

/** Limit: changes that are put in their places one by one; more are cheaper to sort. */
const changesMax = 64;

/** See the module comment. */
export class KeyOrder<T extends Named> {
  #sorted: T[] | undefined;
  /** Names whose entries have changed since; none without an order. */
  readonly #changed = new Set<string>();

  /** One that goes on from here by itself. */
  copy(): KeyOrder<T> {
    const copy = new KeyOrder<T>();
    copy.#sorted = this.#sorted;
    for (const name of this.#changed) {
      copy.#changed.add(name);
    }
    return copy;
  }

  /** The entry of this name was set or deleted. */
  note(name: string): void {
    if (this.#sorted === undefined) {
      return;
    }
    this.#changed.add(name);
    if (this.#changed.size > changesMax) {
      this.#changed.clear();
      this.#sorted = undefined;
    }
  }

  /** The entries of `byName`, of whose changes it was told, by name. */
  of(byName: ReadonlyMap<string, T>): readonly T[] {
    if (this.#sorted === undefined) {
      this.#sorted = [...byName.values()].sort(compareNames);
    } else if (this.#changed.size > 0) {
      const sorted = [...this.#sorted];
      for (const name of this.#changed) {
        place(sorted, name, byName.get(name));
      }
      this.#changed.clear();
      this.#sorted = sorted;
    }
    return this.#sorted;
  }
}

/** Where the first of the entries at or after `name` is. */
export function firstAtOrAfter(sorted: readonly Named[], name: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as Named).name < name) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

function place<T extends Named>(sorted: T[], name: string, entry: T | undefined): void {
  const index = firstAtOrAfter(sorted, name);
  const isThere = sorted[index]?.name === name;
  sorted.splice(index, isThere ? 1 : 0, ...(entry === undefined ? [] : [entry]));
}

function compareNames(a: Named, b: Named): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

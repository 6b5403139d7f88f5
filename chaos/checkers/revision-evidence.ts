/**
 * What answers tell about revisions that nobody who returned has made. Such a revision is the work
 * of an operation whose outcome is unknown; which one, is to be found out.
 */
import { must } from '../../src/base/index.ts';
import { isSameRecord } from './difference.ts';
import {
  type AnsweredOperation,
  type RevisionIndex,
  type Sighting,
  sightingsOf,
} from './revision-index.ts';
import type { Changes } from './store.ts';

/** Ascending ends of times in which a key kept the state that `modRevision` gave it. */
interface Untouched {
  readonly modRevisions: number[];
  readonly until: Map<number, number>;
}

/** Answers, searchable by revision and by key. */
export class RevisionEvidence {
  readonly #sightingsByModRevision = new Map<number, Sighting[]>();
  readonly #sightedValuesByKey = new Map<string, Set<string>>();
  readonly #untouchedByKey = new Map<string, Untouched>();
  /** By revision, counted from the first: the earliest return of an answer that is not older. */
  readonly #visibleBy: Float64Array;
  readonly #firstRevision: number;

  constructor(index: RevisionIndex, initialRevision: number) {
    this.#firstRevision = initialRevision + 1;
    const count = index.lastRevision - initialRevision;
    this.#visibleBy = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
    for (const operation of index.answered) {
      this.#noteReturn(operation);
      for (const sighting of sightingsOf(operation)) {
        this.#noteSighting(sighting, index.writeByRevision);
      }
    }
    for (let i = count - 2; i >= 0; i--) {
      const later = must(this.#visibleBy[i + 1], 'a return');
      this.#visibleBy[i] = Math.min(must(this.#visibleBy[i], 'a return'), later);
    }
    for (const { modRevisions } of this.#untouchedByKey.values()) {
      modRevisions.sort((a, b) => a - b);
    }
  }

  /** What was seen to be changed at a revision that nobody who returned has made. */
  sightingsAt(revision: number): readonly Sighting[] {
    return this.#sightingsByModRevision.get(revision) ?? [];
  }

  /** When the revision was there at the latest: an operation called after that has not made it. */
  visibleBy(revision: number): number {
    return must(this.#visibleBy[revision - this.#firstRevision], 'a return');
  }

  /** Whether the value was seen as made by any revision that nobody who returned has made. */
  isSighted(key: string, value: string): boolean {
    return this.#sightedValuesByKey.get(key)?.has(value) ?? false;
  }

  /** Whether no answer contradicts that a revision made exactly these changes. */
  allows(revision: number, changes: Changes): boolean {
    const areSightingsMade = this.sightingsAt(revision).every(({ record }) => {
      const made = changes.get(record.key);
      return made !== undefined && isSameRecord(record, made);
    });
    return (
      areSightingsMade &&
      Array.from(changes.keys()).every((key) => !this.#isUntouched(key, revision))
    );
  }

  #noteReturn({ answer: { revision }, return: returned }: AnsweredOperation): void {
    const i = revision - this.#firstRevision;
    if (i >= 0) {
      this.#visibleBy[i] = Math.min(must(this.#visibleBy[i], 'a return'), returned);
    }
  }

  #noteSighting(sighting: Sighting, known: ReadonlyMap<number, unknown>): void {
    const { record, revision } = sighting;
    const { key, modRevision, value } = record;
    if (!known.has(modRevision) && modRevision >= this.#firstRevision) {
      appendTo(this.#sightingsByModRevision, modRevision, sighting);
      const values = this.#sightedValuesByKey.get(key);
      if (values === undefined) {
        this.#sightedValuesByKey.set(key, new Set([value]));
      } else {
        values.add(value);
      }
    }
    let untouched = this.#untouchedByKey.get(key);
    if (untouched === undefined) {
      untouched = { modRevisions: [], until: new Map() };
      this.#untouchedByKey.set(key, untouched);
    }
    const until = untouched.until.get(modRevision);
    if (until === undefined) {
      untouched.modRevisions.push(modRevision);
    }
    untouched.until.set(modRevision, Math.max(until ?? 0, revision));
  }

  /** Whether the key was seen, then or later, in a state of before `revision`. */
  #isUntouched(key: string, revision: number): boolean {
    const untouched = this.#untouchedByKey.get(key);
    if (untouched === undefined) {
      return false;
    }
    const { modRevisions, until } = untouched;
    let lo = 0;
    let hi = modRevisions.length;
    while (lo < hi) {
      const middle = (lo + hi) >>> 1;
      if (must(modRevisions[middle], 'a revision') < revision) {
        lo = middle + 1;
      } else {
        hi = middle;
      }
    }
    const before = modRevisions[lo - 1];
    return before !== undefined && must(until.get(before), 'a revision') >= revision;
  }
}

function appendTo<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const values = map.get(key);
  if (values === undefined) {
    map.set(key, [value]);
  } else {
    values.push(value);
  }
}

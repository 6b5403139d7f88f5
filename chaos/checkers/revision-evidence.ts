/**
 * What answers tell about revisions that nobody who returned has made. Such a revision is the work
 * of an operation whose outcome is unknown; which one, is to be found out.
 */
import { must } from '../../src/base/index.ts';
import { isSameRecord } from './difference.ts';
import { type KeyContradiction, KeyFacts } from './key-facts.ts';
import {
  type AnsweredOperation,
  type InitialStore,
  type RevisionIndex,
  type Sighting,
  sightingsOf,
} from './revision-index.ts';
import type { RevisionStore } from './revision-store.ts';
import { answeredParts, type Changes, type StoreRequest, type TxnPart } from './store.ts';

/** Answers, searchable by revision and by key. */
export class RevisionEvidence {
  readonly #sightingsByModRevision = new Map<number, Sighting[]>();
  readonly #sightedValuesByKey = new Map<string, Set<string>>();
  readonly #factsByKey = new Map<string, KeyFacts>();
  /** By revision, counted from the first: the earliest return of an answer that is not older. */
  readonly #visibleBy: Float64Array;
  readonly #firstRevision: number;

  /** `store` tells which keys there may be. */
  constructor(index: RevisionIndex, initial: InitialStore, store: RevisionStore) {
    this.#firstRevision = initial.revision + 1;
    const count = index.lastRevision - initial.revision;
    this.#visibleBy = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
    for (const record of initial.records) {
      this.#factsOf(record.key).noteInitial(record, initial.revision);
    }
    for (const operation of index.answered) {
      this.#noteReturn(operation);
      this.#noteChanges(operation, store);
      for (const sighting of sightingsOf(operation)) {
        this.#noteSighting(sighting, index.writeByRevision);
      }
    }
    for (let i = count - 2; i >= 0; i--) {
      const later = must(this.#visibleBy[i + 1], 'a return');
      this.#visibleBy[i] = Math.min(must(this.#visibleBy[i], 'a return'), later);
    }
    for (const facts of this.#factsByKey.values()) {
      facts.seal();
    }
  }

  /** Looks for two answers that contradict each other, whatever unknown outcomes there are. */
  findContradiction(): KeyContradiction | undefined {
    for (const facts of this.#factsByKey.values()) {
      const contradiction = facts.findContradiction();
      if (contradiction !== undefined) {
        return contradiction;
      }
    }
    return undefined;
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

  /** Whether the request may have made `revision`, whatever the state before it was. */
  mayMake(revision: number, request: StoreRequest): boolean {
    const branches = request.type === 'txn' ? [request.success, request.failure] : [[request]];
    return branches.some((parts) => {
      const isPossible = this.sightingsAt(revision).every(({ record: { key, value } }) =>
        parts.some((part) => part.type === 'put' && part.key === key && part.value === value),
      );
      return isPossible && this.#mayChange(revision, parts);
    });
  }

  #mayChange(revision: number, parts: readonly TxnPart[]): boolean {
    const changesClosed = parts.some(
      (part) => part.type === 'put' && this.#isClosed(part.key, revision),
    );
    const maySomething = parts.some(
      (part) =>
        part.type === 'put' ||
        (part.type === 'deleteRange' &&
          !((part.rangeEnd ?? '') === '' && this.#isClosed(part.key, revision))),
    );
    return !changesClosed && maySomething;
  }

  /** Whether no answer contradicts that a revision made exactly these changes. */
  allows(revision: number, changes: Changes): boolean {
    const areSightingsMade = this.sightingsAt(revision).every(({ record }) => {
      const made = changes.get(record.key);
      return made !== undefined && isSameRecord(record, made);
    });
    return (
      areSightingsMade && Array.from(changes.keys()).every((key) => !this.#isClosed(key, revision))
    );
  }

  #isClosed(key: string, revision: number): boolean {
    return this.#factsByKey.get(key)?.isClosed(revision) ?? false;
  }

  #noteReturn({ answer: { revision }, return: returned }: AnsweredOperation): void {
    const i = revision - this.#firstRevision;
    if (i >= 0) {
      this.#visibleBy[i] = Math.min(must(this.#visibleBy[i], 'a return'), returned);
    }
  }

  #noteChanges(operation: AnsweredOperation, store: RevisionStore): void {
    if (!operation.isWrite) {
      return;
    }
    for (const { part } of answeredParts(operation.request, operation.answer.result)) {
      if (part.type === 'put') {
        this.#factsOf(part.key).notePut(operation, part.value);
      } else if (part.type === 'deleteRange') {
        for (const key of store.keysIn(part)) {
          this.#factsOf(key).noteDeletion(operation);
        }
      }
    }
  }

  #noteSighting(sighting: Sighting, known: ReadonlyMap<number, unknown>): void {
    const { key, modRevision, value } = sighting.record;
    this.#factsOf(key).noteSighting(sighting);
    if (known.has(modRevision) || modRevision < this.#firstRevision) {
      return;
    }
    const sightings = this.#sightingsByModRevision.get(modRevision);
    if (sightings === undefined) {
      this.#sightingsByModRevision.set(modRevision, [sighting]);
    } else {
      sightings.push(sighting);
    }
    const values = this.#sightedValuesByKey.get(key);
    if (values === undefined) {
      this.#sightedValuesByKey.set(key, new Set([value]));
    } else {
      values.add(value);
    }
  }

  #factsOf(key: string): KeyFacts {
    let facts = this.#factsByKey.get(key);
    if (facts === undefined) {
      facts = new KeyFacts();
      this.#factsByKey.set(key, facts);
    }
    return facts;
  }
}

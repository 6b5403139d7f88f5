/**
 * What the answers of a history tell about one key: who changed it for sure, and which states of it
 * were seen.
 *
 * The version of a state counts the puts since the key's creation. Where the puts that returned
 * already are as many, nothing else has changed the key in that time: it is closed for operations
 * whose outcome is unknown.
 */
import { must } from '../../src/base/index.ts';
import type { AnsweredOperation, Sighting } from './revision-index.ts';
import type { KeyValue } from './store.ts';

/** A contradiction between two answers about the key. */
export interface KeyContradiction {
  readonly sighting: Sighting;
  /** Who made the key's state different from what was seen. */
  readonly writer: AnsweredOperation;
}

interface Span {
  readonly from: number;
  /** Inclusive. */
  readonly to: number;
}

/** Facts about one key; all are noted, then `seal` is called, then they are asked for. */
export class KeyFacts {
  readonly #writerByRevision = new Map<number, AnsweredOperation>();
  readonly #valueByRevision = new Map<number, string>();
  /** Revisions that changed the key for sure, if it was there; ascending once sealed. */
  readonly #changes: number[] = [];
  readonly #puts: number[] = [];
  /** By revision of the change: the state seen, and the last revision that it was seen at. */
  readonly #seen = new Map<number, { readonly record: KeyValue; until: number }>();
  readonly #sightings: Sighting[] = [];
  #closed: readonly Span[] = [];

  notePut(writer: AnsweredOperation, value: string): void {
    const { revision } = writer.answer;
    this.#noteChange(writer);
    this.#valueByRevision.set(revision, value);
    this.#puts.push(revision);
  }

  noteDeletion(writer: AnsweredOperation): void {
    this.#noteChange(writer);
  }

  #noteChange(writer: AnsweredOperation): void {
    this.#writerByRevision.set(writer.answer.revision, writer);
    this.#changes.push(writer.answer.revision);
  }

  /** Notes a state that nobody told of: the one that the history began with. */
  noteInitial(record: KeyValue, revision: number): void {
    this.#seen.set(record.modRevision, { record, until: revision });
  }

  noteSighting(sighting: Sighting): void {
    this.#sightings.push(sighting);
    const { record, revision } = sighting;
    const known = this.#seen.get(record.modRevision);
    if (known === undefined) {
      this.#seen.set(record.modRevision, { record, until: revision });
    } else {
      known.until = Math.max(known.until, revision);
    }
  }

  /** Draws the conclusions. */
  seal(): void {
    this.#changes.sort((a, b) => a - b);
    this.#puts.sort((a, b) => a - b);
    this.#closed = mergeSpans(this.#findClosed());
  }

  /** Whether nobody but those who returned can have changed the key at `revision`. */
  isClosed(revision: number): boolean {
    const span = this.#closed[countBefore(this.#closed, (it) => it.from <= revision) - 1];
    return span !== undefined && revision <= span.to;
  }

  /** Looks for a state that was seen, and that an operation that returned contradicts. */
  findContradiction(): KeyContradiction | undefined {
    for (const sighting of this.#sightings) {
      const writer = this.#contradictionOf(sighting);
      if (writer !== undefined && writer.index !== sighting.by.index) {
        return { sighting, writer };
      }
    }
    return undefined;
  }

  #contradictionOf({ record, revision }: Sighting): AnsweredOperation | undefined {
    const last = this.#changes[countBefore(this.#changes, (it) => it <= revision) - 1];
    if (last !== undefined && last > record.modRevision) {
      return this.#writerByRevision.get(last);
    }
    const value = this.#valueByRevision.get(record.modRevision);
    const isOther = value !== undefined && value !== record.value;
    return isOther ? this.#writerByRevision.get(record.modRevision) : undefined;
  }

  #findClosed(): readonly Span[] {
    const spans: Span[] = [];
    const seen = Array.from(this.#seen.values());
    seen.sort((a, b) => a.record.modRevision - b.record.modRevision);
    let before: KeyValue | undefined;
    for (const { record, until } of seen) {
      const { createRevision, modRevision, version } = record;
      spans.push({ from: modRevision + 1, to: until });
      const former = before?.createRevision === createRevision ? before : undefined;
      const from = former === undefined ? createRevision : former.modRevision + 1;
      const putCount = version - 1 - (former?.version ?? 0);
      if (this.#countPuts(from, modRevision) >= putCount) {
        spans.push({ from, to: modRevision - 1 });
      }
      before = record;
    }
    return spans;
  }

  /** Puts that returned, of revisions in `[from, limit)`. */
  #countPuts(from: number, limit: number): number {
    return countBefore(this.#puts, (it) => it < limit) - countBefore(this.#puts, (it) => it < from);
  }
}

/** How many items at the start of `items` fulfil `isBefore`, which none behind them do. */
function countBefore<Item>(items: readonly Item[], isBefore: (item: Item) => boolean): number {
  let lo = 0;
  let hi = items.length;
  while (lo < hi) {
    const middle = (lo + hi) >>> 1;
    if (isBefore(must(items[middle], 'an item'))) {
      lo = middle + 1;
    } else {
      hi = middle;
    }
  }
  return lo;
}

function mergeSpans(spans: readonly Span[]): readonly Span[] {
  const merged: Span[] = [];
  const nonEmpty = spans.filter(({ from, to }) => from <= to);
  for (const span of nonEmpty.sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last !== undefined && span.from <= last.to + 1) {
      merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
    } else {
      merged.push(span);
    }
  }
  return merged;
}

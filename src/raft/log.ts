/**
 * The log as the core sees it: the terms of all of it, the newest entries in memory, and four
 * positions.
 *
 * Entries that are not durable, or not committed, stay in memory once they are there; others are
 * kept up to a bound of bytes, and asked for from storage when somebody needs them. That bound is
 * another one, higher, for those that wait to be applied, which is to be soon. Why they have one: a
 * follower stores what its leader sends whether its state keeps pace or not, and one whose state is
 * being rebuilt applies nothing for as long as that takes.
 *
 * Invariant: `snapshot ≤ applied ≤ applying ≤ min(committed, stable)`, `committed ≤ last`, `stable
 * ≤ last`. Only what this node's own disk holds is handed out for applying, so its state is never
 * ahead of its log.
 */
import { assert, must } from '../base/index.ts';
import type { RaftOptions } from './config.ts';
import { TermRuns } from './term-runs.ts';
import type { Entry, LogIndex, LogSummary, Term } from './types.ts';

/** What an entry costs in memory beside its data. */
const entryOverheadBytes = 64;

/** Entries handed out for applying, until they are confirmed. */
interface ApplyingBatch {
  readonly lastIndex: LogIndex;
  readonly bytes: number;
}

/** A run of entries, and whether the log could give it from memory. */
export type LogSlice =
  | { readonly kind: 'entries'; readonly entries: readonly Entry[]; readonly bytes: number }
  | { readonly kind: 'not-cached' };

/** See the module comment. */
export class RaftLog {
  readonly #terms: TermRuns;
  readonly #cacheBytesMax: number;
  readonly #unappliedBytesMax: number;
  readonly #applyingBytesMax: number;
  /**
   * Entries from `#cacheFirst` to the last index; `#cacheHead` slots at the front are already given
   * up.
   */
  #cache: (Entry | undefined)[] = [];
  #cacheHead = 0;
  #cacheFirst: LogIndex;
  #cacheBytes = 0;
  #stableIndex: LogIndex;
  #commitIndex: LogIndex;
  #applyingIndex: LogIndex;
  #appliedIndex: LogIndex;
  readonly #applyingBatches: ApplyingBatch[] = [];
  #applyingBytes = 0;
  /** The host's state is damaged: nothing is handed out until it has another one. */
  #isSuspended = false;

  constructor(
    summary: LogSummary,
    positions: { readonly commitIndex: LogIndex; readonly appliedIndex: LogIndex },
    limits: Pick<RaftOptions, 'cacheBytesMax' | 'unappliedBytesMax' | 'applyingBytesMax'>,
  ) {
    this.#terms = new TermRuns(summary);
    this.#cacheBytesMax = limits.cacheBytesMax;
    this.#unappliedBytesMax = limits.unappliedBytesMax;
    this.#applyingBytesMax = limits.applyingBytesMax;
    this.#cacheFirst = this.#terms.lastIndex + 1;
    this.#stableIndex = this.#terms.lastIndex;
    this.#commitIndex = positions.commitIndex;
    this.#appliedIndex = positions.appliedIndex;
    this.#applyingIndex = positions.appliedIndex;
  }

  get snapshotIndex(): LogIndex {
    return this.#terms.snapshotIndex;
  }

  get lastIndex(): LogIndex {
    return this.#terms.lastIndex;
  }

  get lastTerm(): Term {
    return this.#terms.lastTerm;
  }

  /** Last entry known to be on this node's disk. */
  get stableIndex(): LogIndex {
    return this.#stableIndex;
  }

  get commitIndex(): LogIndex {
    return this.#commitIndex;
  }

  /** Last entry handed out for applying. */
  get applyingIndex(): LogIndex {
    return this.#applyingIndex;
  }

  get appliedIndex(): LogIndex {
    return this.#appliedIndex;
  }

  /** Data and bookkeeping bytes of the entries in memory. */
  get cacheBytes(): number {
    return this.#cacheBytes;
  }

  /** First entry that is in memory; `lastIndex + 1` when none is. */
  get cacheFirst(): LogIndex {
    return this.#cacheFirst;
  }

  termAt(index: LogIndex): Term | undefined {
    return this.#terms.termAt(index);
  }

  matches(index: LogIndex, term: Term): boolean {
    return this.#terms.termAt(index) === term;
  }

  /** See {@link TermRuns.lastIndexNotAbove}. */
  lastIndexNotAbove(index: LogIndex, term: Term): LogIndex {
    return this.#terms.lastIndexNotAbove(index, term);
  }

  /**
   * Whether a log that ends at (`term`, `index`) is at least as up to date as this one (Raft thesis
   * §3.6.1).
   */
  isUpToDate(index: LogIndex, term: Term): boolean {
    return term > this.lastTerm || (term === this.lastTerm && index >= this.lastIndex);
  }

  /** Appends entries that follow the last one. */
  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      assert(entry.index === this.lastIndex + 1, () => `entry ${entry.index} leaves a hole`);
      this.#terms.append(entry.term);
      this.#cache.push(entry);
      this.#cacheBytes += bytesOf(entry);
    }
  }

  /**
   * Drops the tail from `index` on; a leader of a later term has other entries there.
   *
   * @remarks
   * Invariant: what is committed is never dropped (Raft thesis §3.6.3); a node that would has been
   * told lies.
   */
  truncateFrom(index: LogIndex): void {
    assert(index > this.#commitIndex, () => `entry ${index} conflicts with a committed one`);
    for (let at = this.lastIndex; at >= index && at >= this.#cacheFirst; at--) {
      this.#cacheBytes -= bytesOf(must(this.#cache.pop(), 'a cached entry'));
    }
    this.#terms.truncateFrom(index);
    this.#cacheFirst = Math.min(this.#cacheFirst, this.lastIndex + 1);
    this.#stableIndex = Math.min(this.#stableIndex, this.lastIndex);
  }

  /** Forgets entries up to `index`, which are applied and safe in the state. */
  compact(index: LogIndex): void {
    assert(index <= this.#appliedIndex, () => `entry ${index} is compacted before it is applied`);
    if (index <= this.snapshotIndex) {
      return;
    }
    this.#terms.compactTo(index);
    while (this.#cacheFirst <= index) {
      this.#dropOldest();
    }
  }

  /** A snapshot takes the place of the log: nothing of it is left, and all up to `index` counts. */
  restore(index: LogIndex, term: Term): void {
    assert(index > this.#commitIndex, 'a snapshot never takes back what is committed');
    this.#terms.restore(index, term);
    this.#cache = [];
    this.#cacheHead = 0;
    this.#cacheFirst = index + 1;
    this.#cacheBytes = 0;
    this.#stableIndex = index;
    this.#commitIndex = index;
    this.#applyingIndex = index;
    this.#appliedIndex = index;
    this.#applyingBatches.length = 0;
    this.#applyingBytes = 0;
    this.#isSuspended = false;
  }

  /** Hands nothing out for applying from now on. */
  suspendApplying(): void {
    this.#isSuspended = true;
  }

  /**
   * The host has replaced its state by one at `index`: applying goes on after it, even if again.
   */
  resumeApplying(index: LogIndex): void {
    assert(
      index >= this.snapshotIndex && index <= this.#commitIndex,
      () => `applying goes on from ${this.snapshotIndex} to ${this.#commitIndex}, not at ${index}`,
    );
    this.#isSuspended = false;
    this.#applyingIndex = index;
    this.#appliedIndex = index;
    this.#applyingBatches.length = 0;
    this.#applyingBytes = 0;
  }

  /** Index of the first of `entries` that is not in the log in the same term; 0 when all are. */
  firstNewIndex(entries: readonly Entry[]): LogIndex {
    for (const entry of entries) {
      if (!this.matches(entry.index, entry.term)) {
        return entry.index;
      }
    }
    return 0;
  }

  /**
   * Moves the commit index up to `index`, never down; returns the data bytes of what it passed in
   * memory.
   */
  commitTo(index: LogIndex): number {
    assert(
      index <= this.lastIndex,
      () => `commit index ${index} is beyond the log's ${this.lastIndex}`,
    );
    const bytes = this.#uncommittedBytesTo(index);
    this.#commitIndex = Math.max(this.#commitIndex, index);
    return bytes;
  }

  /** Data bytes of the entries in memory that are not committed. */
  get uncommittedBytes(): number {
    return this.#uncommittedBytesTo(this.lastIndex);
  }

  /** Notes that this node's disk holds everything up to `index`. */
  stableTo(index: LogIndex): void {
    assert(index <= this.lastIndex, 'only what is in the log can be stable');
    this.#stableIndex = Math.max(this.#stableIndex, index);
    this.#evict();
  }

  /** Entries that are not on disk, from `from` on. They are all in memory. */
  entriesFrom(from: LogIndex): readonly Entry[] {
    return this.#slots(from, this.lastIndex + 1);
  }

  /** Entries `[lo, hi)` as far as `bytesMax` of data goes, at least one; `lo < hi`. */
  slice(lo: LogIndex, hi: LogIndex, bytesMax: number): LogSlice {
    assert(
      lo > this.snapshotIndex && lo < hi && hi <= this.lastIndex + 1,
      'a slice lies in the log',
    );
    if (lo < this.#cacheFirst) {
      return { kind: 'not-cached' };
    }
    let bytes = this.#cached(lo).data.length;
    let end = lo + 1;
    while (end < hi) {
      const next = this.#cached(end).data.length;
      if (bytes + next > bytesMax) {
        break;
      }
      bytes += next;
      end++;
    }
    return { kind: 'entries', entries: this.#slots(lo, end), bytes };
  }

  /**
   * The next entry to hand out for applying; undefined while there is none or too much is under
   * way.
   */
  get nextToApply(): LogIndex | undefined {
    const isFull = this.#applyingBytes >= this.#applyingBytesMax;
    return isFull || this.#isSuspended || this.#applyingIndex >= this.applicableIndex
      ? undefined
      : this.#applyingIndex + 1;
  }

  /** Last entry that may be applied: committed, and on this node's disk. */
  get applicableIndex(): LogIndex {
    return Math.min(this.#commitIndex, this.#stableIndex);
  }

  /** Data bytes that may still be handed out for applying, if there is a next entry to. */
  get applyingRoom(): number {
    return this.#applyingBytesMax - this.#applyingBytes;
  }

  /** Notes that these entries, the next ones, have been handed out. */
  markApplying(entries: readonly Entry[], bytes: number): void {
    const last = must(entries.at(-1), 'an entry to apply');
    assert(entries[0]?.index === this.#applyingIndex + 1, 'entries are applied without gaps');
    assert(last.index <= this.applicableIndex, 'only durable committed entries are applied');
    this.#applyingIndex = last.index;
    this.#applyingBatches.push({ lastIndex: last.index, bytes });
    this.#applyingBytes += bytes;
  }

  /** Notes that everything up to `index` has been applied. */
  appliedTo(index: LogIndex): void {
    if (index < this.#appliedIndex) {
      // What was under way when a snapshot took the place of the state.
      assert(index <= this.snapshotIndex, 'the applied index never shrinks');
      return;
    }
    assert(
      index <= this.#applyingIndex,
      () => `applied index ${index} is beyond ${this.#applyingIndex}, which was handed out`,
    );
    this.#appliedIndex = index;
    while ((this.#applyingBatches[0]?.lastIndex ?? Number.POSITIVE_INFINITY) <= index) {
      this.#applyingBytes -= must(this.#applyingBatches.shift(), 'an applying batch').bytes;
    }
    this.#evict();
  }

  #uncommittedBytesTo(index: LogIndex): number {
    let bytes = 0;
    for (let at = Math.max(this.#commitIndex + 1, this.#cacheFirst); at <= index; at++) {
      bytes += this.#cached(at).data.length;
    }
    return bytes;
  }

  #dropWhileAbove(bytesMax: number, lastIndex: LogIndex): void {
    while (this.#cacheBytes > bytesMax && this.#cacheFirst <= lastIndex) {
      this.#dropOldest();
    }
  }

  #dropOldest(): void {
    this.#cacheBytes -= bytesOf(this.#cached(this.#cacheFirst));
    this.#cache[this.#cacheHead] = undefined;
    this.#cacheHead++;
    this.#cacheFirst++;
  }

  #cached(index: LogIndex): Entry {
    return this.#cache[this.#cacheHead + index - this.#cacheFirst] as Entry;
  }

  #slots(lo: LogIndex, hi: LogIndex): readonly Entry[] {
    assert(lo >= this.#cacheFirst, () => `entry ${lo} is not in memory`);
    const start = this.#cacheHead + lo - this.#cacheFirst;
    return this.#cache.slice(start, start + hi - lo) as Entry[];
  }

  /** Gives up the oldest entries beyond the bounds, but none that is only here, or may go again. */
  #evict(): void {
    this.#dropWhileAbove(this.#cacheBytesMax, this.#appliedIndex);
    this.#dropWhileAbove(this.#unappliedBytesMax, this.applicableIndex);
    if (this.#cacheHead > 1024 && this.#cacheHead * 2 > this.#cache.length) {
      this.#cache = this.#cache.slice(this.#cacheHead);
      this.#cacheHead = 0;
    }
  }
}

function bytesOf(entry: Entry): number {
  return entry.data.length + entryOverheadBytes;
}

/**
 * The terms of the whole kept log in a few records: where each term begins.
 *
 * A log has few terms, so the term of any index is known without reading the log from disk, however
 * long it is. Invariant: runs ascend strictly in term and in first index; none begins above the
 * last index.
 */
import { assert, must } from '../base/index.ts';
import type { LogIndex, LogSummary, Term, TermRun } from './types.ts';

/** See the module comment. */
export class TermRuns {
  #snapshotIndex: LogIndex;
  #snapshotTerm: Term;
  #runs: TermRun[];
  #lastIndex: LogIndex;

  constructor(summary: LogSummary) {
    this.#snapshotIndex = summary.snapshotIndex;
    this.#snapshotTerm = summary.snapshotTerm;
    this.#lastIndex = Math.max(summary.lastIndex, summary.snapshotIndex);
    this.#runs = [...summary.termRuns];
    let { snapshotTerm: term, snapshotIndex: index } = summary;
    for (const run of this.#runs) {
      assert(run.term >= term && run.firstIndex > index, 'term runs ascend');
      ({ term, firstIndex: index } = run);
    }
    assert(index <= this.#lastIndex, 'no term run begins above the last index');
  }

  get snapshotIndex(): LogIndex {
    return this.#snapshotIndex;
  }

  get lastIndex(): LogIndex {
    return this.#lastIndex;
  }

  get lastTerm(): Term {
    return this.#runs.at(-1)?.term ?? this.#snapshotTerm;
  }

  get runs(): readonly TermRun[] {
    return this.#runs;
  }

  /** The term of `index`; undefined when the log does not know it: compacted, or beyond the end. */
  termAt(index: LogIndex): Term | undefined {
    if (index < this.#snapshotIndex || index > this.#lastIndex) {
      return undefined;
    }
    const at = this.#runAt(index);
    return at < 0 ? this.#snapshotTerm : (this.#runs[at] as TermRun).term;
  }

  /** Adds the entry after the last one. */
  append(term: Term): void {
    assert(
      term >= this.lastTerm,
      () => `term ${term} follows ${this.lastTerm}: terms never shrink`,
    );
    this.#lastIndex++;
    if (this.#runs.length === 0 || term > this.lastTerm) {
      this.#runs.push({ term, firstIndex: this.#lastIndex });
    }
  }

  /** Forgets everything up to `index`, but for its term. */
  compactTo(index: LogIndex): void {
    assert(index <= this.#lastIndex, 'only what is in the log is compacted');
    const term = must(this.termAt(index), 'the term of a kept entry');
    const at = this.#runAt(index + 1);
    const rest = this.#runs.slice(at + 1);
    const next = index < this.#lastIndex ? this.#runs[at] : undefined;
    // The run that goes on after `index` begins there now.
    this.#runs = next === undefined ? rest : [{ term: next.term, firstIndex: index + 1 }, ...rest];
    this.#snapshotIndex = index;
    this.#snapshotTerm = term;
  }

  /** A snapshot has taken the place of the log, which goes on after it. */
  restore(index: LogIndex, term: Term): void {
    this.#snapshotIndex = index;
    this.#snapshotTerm = term;
    this.#lastIndex = index;
    this.#runs = [];
  }

  /** Forgets `index` and everything after it. */
  truncateFrom(index: LogIndex): void {
    assert(index > this.#snapshotIndex, 'what a snapshot covers is not truncated');
    while ((this.#runs.at(-1)?.firstIndex ?? 0) >= index) {
      this.#runs.pop();
    }
    this.#lastIndex = Math.min(this.#lastIndex, index - 1);
  }

  /**
   * Returns the largest index not above `index` whose term is not above `term`, or 0 when the log
   * cannot tell: the point where a leader and a follower look for agreement, a term at a time (Raft
   * thesis §3.5).
   */
  lastIndexNotAbove(index: LogIndex, term: Term): LogIndex {
    let at = Math.min(index, this.#lastIndex);
    for (let run = this.#runAt(at); run >= 0; run--) {
      const { term: runTerm, firstIndex } = this.#runs[run] as TermRun;
      if (runTerm <= term) {
        return at;
      }
      at = firstIndex - 1;
    }
    return at >= this.#snapshotIndex && this.#snapshotTerm <= term ? at : 0;
  }

  /** Position of the run that holds `index`, or -1 when it lies before the first. */
  #runAt(index: LogIndex): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#runs[middle] as TermRun).firstIndex <= index) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low - 1;
  }
}

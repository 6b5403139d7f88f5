/**
 * When a leader compacts history by itself, and how far: never into what is to be kept, whether
 * that is said as a time, as a number of revisions, or as both.
 *
 * Every member notes, at intervals, which revision it has applied; so whoever becomes leader knows
 * what the state was some time ago. Only a leader compacts, by an entry of the log like any other,
 * and one at a time. Intervals are those of etcd's `v3compactor`.
 *
 * Invariant: when a compaction is proposed, its revision was applied here at least `keepMs` ago, by
 * a monotonic clock. A member that is behind, was paused, or has just started notes less than there
 * was, or later, so it keeps more. What a deposed leader has proposed is safe for the same reason,
 * whether it is committed or not. Wall clocks are never asked.
 */
import { assert } from '../base/index.ts';
import { type Alarm, hasAlarm } from '../kv/index.ts';
import type { LogIndex, Term } from '../raft/index.ts';

/** What of history is kept, and how often that is looked at. Nothing goes that either keeps. */
export interface HistoryRetention {
  /** Milliseconds; 0 when time does not matter. */
  readonly keepMs: number;
  /** Newest revisions; 0 when their number does not matter. */
  readonly keepRevisions: number;
  /** Milliseconds between two compactions, and before the first. */
  readonly intervalMs: number;
  /** Milliseconds between two looks: what was not due, or was refused, is tried again then. */
  readonly lookMs: number;
}

/** What the decision needs to know of the applied state. */
export interface CompactableState {
  readonly revision: number;
  readonly compactRevision: number;
  readonly lastApplied: { readonly index: LogIndex };
  readonly alarms: readonly Alarm[];
}

const hourMs = 3_600_000;
/** etcd's: compactions are this far apart where history is kept by number. */
const revisionIntervalMs = 300_000;
/** etcd's: looks within the time between two compactions. */
const looksPerInterval = 10;
/** Limit: notes that span the time to be kept; with etcd's intervals that is 100 hours. */
const notesMax = 1000;

/** Keeps a time, as etcd's mode `periodic` does. */
export function keepTime(keepMs: number): HistoryRetention {
  const intervalMs = Math.min(keepMs, hourMs);
  return { keepMs, keepRevisions: 0, intervalMs, lookMs: lookMsOf(keepMs) };
}

/** Keeps a number of revisions, as etcd's mode `revision` does. */
export function keepRevisions(count: number): HistoryRetention {
  const intervalMs = revisionIntervalMs;
  return { keepMs: 0, keepRevisions: count, intervalMs, lookMs: intervalMs };
}

/** Keeps a time and a number of revisions; goes on with every look, in small steps. */
export function keepBoth(keepMs: number, count: number): HistoryRetention {
  const lookMs = lookMsOf(keepMs);
  return { keepMs, keepRevisions: count, intervalMs: lookMs, lookMs };
}

function lookMsOf(keepMs: number): number {
  return Math.max(Math.min(keepMs, hourMs) / looksPerInterval, keepMs / notesMax);
}

/** The revision that was applied at a moment of this member's clock. */
interface Note {
  readonly atMs: number;
  readonly revision: number;
}

/** A compaction in this leader's log. */
interface Proposed {
  readonly term: Term;
  readonly index: LogIndex;
  readonly revision: number;
}

/** See the module comment. */
export class AutoCompaction {
  readonly #retention: HistoryRetention | undefined;
  #nowMs: number | undefined;
  #state: CompactableState | undefined;
  /** Oldest first: one from before the time to be kept, if there is any, and all since. */
  #notes: Note[] = [];
  #nextLookMs: number | undefined;
  /** When the last compaction of this member was applied; its start before that. */
  #lastMs = 0;
  #proposed: Proposed | undefined;
  #isSpaceShort = false;

  /** Without a retention nothing is ever compacted. */
  constructor(retention: HistoryRetention | undefined) {
    this.#retention = retention;
  }

  /** Tells the time by this member's monotonic clock. */
  noteTime(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  /**
   * While the stored state is near its quota the number of revisions does not count where a time is
   * kept as well: history makes room before writes are refused.
   */
  noteSpace(isShort: boolean): void {
    this.#isSpaceShort = isShort;
  }

  /** Takes the applied state, once it has changed. */
  applied(state: CompactableState): void {
    const { revision, compactRevision, lastApplied, alarms } = state;
    this.#state = { revision, compactRevision, lastApplied, alarms };
    const proposed = this.#proposed;
    if (proposed !== undefined && lastApplied.index >= proposed.index) {
      this.#proposed = undefined;
      // Refused (an alarm came in between): the next look tries again.
      if (compactRevision >= proposed.revision) {
        this.#lastMs = this.#now();
      }
    }
  }

  /** The state has been replaced by one that may be older: what was noted may not be true of it. */
  forget(): void {
    this.#notes = [];
  }

  /**
   * The revision that the leader of `leadingTerm` (0 for others) is to compact to now, if any. To
   * be asked often; it looks at intervals.
   */
  due(leadingTerm: Term): number | undefined {
    const retention = this.#retention;
    const state = this.#state;
    if (retention === undefined || state === undefined) {
      return undefined;
    }
    const nowMs = this.#now();
    if (this.#nextLookMs === undefined) {
      this.#lastMs = nowMs;
    } else if (nowMs < this.#nextLookMs) {
      return undefined;
    }
    this.#nextLookMs = nowMs + retention.lookMs;
    this.#note({ atMs: nowMs, revision: state.revision }, retention.keepMs);
    if (leadingTerm !== this.#proposed?.term) {
      this.#proposed = undefined;
    }
    const isReady = nowMs - this.#lastMs >= retention.intervalMs;
    // A state that is known to be wrong is left as it is; the command would be refused.
    if (leadingTerm === 0 || !isReady || hasAlarm(state.alarms, 'corrupt')) {
      return undefined;
    }
    return this.#proposed === undefined ? this.#target(state, retention, nowMs) : undefined;
  }

  /** The compaction that was due is in the leader's log. */
  proposed(proposed: Proposed): void {
    this.#proposed = proposed;
  }

  #target(
    state: CompactableState,
    { keepMs, keepRevisions }: HistoryRetention,
    nowMs: number,
  ): number | undefined {
    const [oldest] = this.#notes;
    if (oldest === undefined || oldest.atMs > nowMs - keepMs) {
      return undefined;
    }
    const kept = keepMs > 0 && this.#isSpaceShort ? 0 : keepRevisions;
    const revision = Math.min(oldest.revision, state.revision - kept);
    // The first revision of a store is that of no change.
    return revision > Math.max(state.compactRevision, 1) ? revision : undefined;
  }

  /** Notes a revision, and drops what is older than it has to be. */
  #note(note: Note, keepMs: number): void {
    const notes = this.#notes;
    notes.push(note);
    const recent = notes.findIndex(({ atMs }) => atMs > note.atMs - keepMs);
    notes.splice(0, Math.max(0, (recent === -1 ? notes.length : recent) - 1));
    assert(notes.length <= notesMax + 2, 'notes are as far apart as looks');
  }

  #now(): number {
    assert(this.#nowMs !== undefined, 'the time is told before it is asked for');
    return this.#nowMs;
  }
}

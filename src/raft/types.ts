/**
 * What Raft speaks of: ids, terms, entries, durable state, roles. Data only.
 *
 * Names follow the thesis and etcd. Numbers are safe integers; they are checked once, where they
 * come in from the wire or the disk (`transport/codec.ts`, `storage/record.ts`).
 */

/** A node's id: a positive safe integer, unique in its cluster for all time. 0 means "nobody". */
export type NodeId = number;
/** An election epoch; 0 before the first election. */
export type Term = number;
/** A position in the log; the first entry has index 1, 0 means "before the log". */
export type LogIndex = number;

/**
 * `normal` entries carry a command of the state machine; an empty one is a leader's first of its
 * term.
 */
export type EntryType = 'normal' | 'confChange';

/** One log entry. The core never looks into `data`. */
export interface Entry {
  readonly term: Term;
  readonly index: LogIndex;
  readonly type: EntryType;
  readonly data: Uint8Array;
}

/**
 * What must survive a crash besides the entries (Raft thesis §3.8; commit index as a convenience).
 */
export interface HardState {
  readonly currentTerm: Term;
  /** The candidate that has this node's vote in `currentTerm`, or 0. */
  readonly votedFor: NodeId;
  readonly commitIndex: LogIndex;
}

/** A node's role. */
export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader';

/**
 * The membership at a point of the log. Ids ascend in each list (Raft thesis §4.3 for the joint
 * form).
 */
export interface ConfState {
  readonly voters: readonly NodeId[];
  readonly votersOutgoing: readonly NodeId[];
  readonly learners: readonly NodeId[];
  readonly learnersNext: readonly NodeId[];
  /** Only of a joint one: the leader ends it once it is committed. */
  readonly autoLeave: boolean;
}

/** A membership, where in the log it stands, and what the host keeps beside it. */
export interface Configuration {
  /** Of its entry; 0 for the one that a new cluster starts with. */
  readonly index: LogIndex;
  readonly confState: ConfState;
  /** The host's own: the core carries it along and never looks into it. */
  readonly context: Uint8Array;
}

/** Where a snapshot stands in the log, and the newest configuration at or before it. */
export interface SnapshotPosition {
  readonly index: LogIndex;
  readonly term: Term;
  readonly configuration: Configuration;
}

/**
 * From `firstIndex` on, entries carry `term`, until the next run begins. Runs ascend in both
 * fields.
 */
export interface TermRun {
  readonly term: Term;
  readonly firstIndex: LogIndex;
}

/**
 * What a restarted node knows of its log without reading it. `snapshot` is (0, 0) before any
 * compaction.
 */
export interface LogSummary {
  /** Index and term just before the first kept entry. */
  readonly snapshotIndex: LogIndex;
  readonly snapshotTerm: Term;
  /** 0 or `snapshotIndex` when there are no entries after it. */
  readonly lastIndex: LogIndex;
  /** Terms of the kept entries, from `snapshotIndex + 1` to `lastIndex`. */
  readonly termRuns: readonly TermRun[];
  /** The kept entries of type `confChange`, ascending. */
  readonly confEntries: readonly Entry[];
}

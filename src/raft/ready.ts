/**
 * `Ready`: everything the host must do for the core, as data; and the acknowledgements it gives
 * back.
 *
 * Contract:
 * 1. `messages` may leave at once. Among them are a leader's AppendEntries for entries that its own
 *    disk does not have yet (Raft thesis §10.2.1); nothing else in them rests on unsynced state.
 * 2. `write`, when present, must become durable atomically in one synced batch; then its `messages`
 *    may leave, and the host calls `writeDone(write.ticket)`. At most one write is out at a time:
 *    the next `ready()` carries none until then, and what piles up meanwhile becomes one batch
 *    (group commit).
 * 3. `committedEntries` are to be applied in order, each once; the host calls `applyDone(index)`.
 * 4. `loads` ask for entries that the core no longer holds in memory; the host answers
 *    `entriesLoaded`.
 * 5. For a `snapshotRequest` the host fetches a snapshot, makes it ready to be switched to, and
 * calls
 *    `installSnapshot`; the switch itself is then ordered as a `write` with `install`.
 * 6. An idle node's `ready()` is empty (`hasReady()` is false).
 */
import type { DropReason, Message } from './message.ts';
import type {
  Configuration,
  Entry,
  HardState,
  LogIndex,
  NodeId,
  Role,
  SnapshotPosition,
  Term,
} from './types.ts';

/**
 * Names a storage write, so that a late acknowledgement of an overwritten one counts for nothing.
 */
export interface WriteTicket {
  readonly sequence: number;
  /**
   * The node's term when the write was handed out; the acknowledgement is term-checked against it.
   */
  readonly term: Term;
  /** Last entry of the write, or 0 when it has none. */
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
}

/**
 * One atomic durable batch. When `entries[0].index` is not above the stored last index, the old
 * tail goes.
 */
export interface StorageWrite {
  readonly ticket: WriteTicket;
  /** Present when it changed since the last write. */
  readonly hardState?: HardState | undefined;
  readonly entries: readonly Entry[];
  /** False when only the commit index moved: then the batch need not be synced. */
  readonly mustSync: boolean;
  /**
   * A snapshot that takes the place of state and log, as one durable step with the hard state; such
   * a write has no entries.
   */
  readonly install?: SnapshotPosition | undefined;
  /**
   * To be sent once the batch is durable: vote requests, vote answers and append acknowledgements.
   */
  readonly messages: readonly Message[];
}

/** A read that may be served once `lastApplied ≥ index`; `context` is the caller's. */
export interface ReadState {
  readonly context: number;
  readonly index: LogIndex;
}

/** Entries `[lo, hi)` are needed from storage, at most `bytesMax` of data but at least one. */
export interface LoadRequest {
  readonly id: number;
  readonly lo: LogIndex;
  readonly hi: LogIndex;
  readonly bytesMax: number;
}

/** This node needs a snapshot of `minIndex` or later; `from` is to be asked for one. */
export interface SnapshotRequest {
  readonly from: NodeId;
  readonly minIndex: LogIndex;
}

/** Things worth a log line, a metric or a line of a story; never needed for correctness. */
export type RaftEvent =
  | {
      readonly type: 'role-changed';
      readonly role: Role;
      readonly term: Term;
      readonly leader: NodeId;
    }
  | { readonly type: 'leader-changed'; readonly term: Term; readonly leader: NodeId }
  | { readonly type: 'election-started'; readonly term: Term; readonly isPreVote: boolean }
  | { readonly type: 'quorum-lost'; readonly term: Term }
  | { readonly type: 'transfer-started'; readonly target: NodeId }
  | { readonly type: 'transfer-abandoned'; readonly target: NodeId; readonly reason: string }
  | {
      readonly type: 'configuration-changed';
      readonly index: LogIndex;
      readonly voters: readonly NodeId[];
      readonly votersOutgoing: readonly NodeId[];
      readonly learners: readonly NodeId[];
    }
  | { readonly type: 'snapshot-needed'; readonly peer: NodeId; readonly index: LogIndex }
  | { readonly type: 'leader-removed'; readonly term: Term }
  | { readonly type: 'log-truncated'; readonly fromIndex: LogIndex; readonly lastIndex: LogIndex }
  | { readonly type: 'proposals-rejected'; readonly context: number; readonly reason: DropReason }
  | {
      readonly type: 'reads-dropped';
      readonly contexts: readonly number[];
      readonly reason: string;
    };

/** See the module comment for the order in which the parts are to be carried out. */
export interface Ready {
  readonly messages: readonly Message[];
  readonly write?: StorageWrite | undefined;
  readonly committedEntries: readonly Entry[];
  readonly readStates: readonly ReadState[];
  readonly loads: readonly LoadRequest[];
  /** Asked for again and again until the snapshot is there or no longer needed. */
  readonly snapshotRequest?: SnapshotRequest | undefined;
  /** The configuration that counts from now on, when that has changed. */
  readonly configuration?: Configuration | undefined;
  readonly events: readonly RaftEvent[];
}

/** What became of a batch of proposals. */
export type ProposeResult =
  | { readonly kind: 'appended'; readonly term: Term; readonly firstIndex: LogIndex }
  | { readonly kind: 'forwarded'; readonly to: NodeId; readonly term: Term }
  | { readonly kind: 'dropped'; readonly reason: DropReason };

/** What became of a read request. */
export type ReadIndexResult =
  | { readonly kind: 'pending' }
  | { readonly kind: 'dropped'; readonly reason: DropReason | 'too-many' };

/** What became of an order to transfer leadership. */
export type TransferResult =
  | { readonly kind: 'started' }
  | { readonly kind: 'refused'; readonly reason: string };

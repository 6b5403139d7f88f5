/**
 * What a turn of the replica comes to: everything that the driver must do, as data.
 */
import type { AppliedEntry } from '../kv/index.ts';
import type {
  Configuration,
  LoadRequest,
  Message,
  RaftEvent,
  SnapshotRequest,
  StorageWrite,
} from '../raft/index.ts';
import type { ChangeResult } from './membership-changes.ts';
import type { ProposalFailure, ProposalId } from './proposals.ts';
import type { ReadId } from './reads.ts';

/**
 * Committed entries as the state machine takes them, with the local proposal each one answers (or
 * 0).
 */
export interface ApplyBatch {
  readonly entries: readonly AppliedEntry[];
  readonly proposalIds: readonly ProposalId[];
}

/** Whether a caller of this member waits for one of the entries. */
export function isAwaited({ proposalIds }: ApplyBatch): boolean {
  return proposalIds.some((id) => id !== 0);
}

/** Everything the driver must do after a turn. */
export interface Effects {
  readonly messages: readonly Message[];
  readonly write?: StorageWrite | undefined;
  readonly apply?: ApplyBatch | undefined;
  readonly loads: readonly LoadRequest[];
  readonly failures: readonly ProposalFailure[];
  readonly releasedReads: readonly ReadId[];
  readonly expiredReads: readonly ReadId[];
  readonly changeResults: readonly ChangeResult[];
  /** A snapshot is to be fetched; see `Ready.snapshotRequest`. */
  readonly snapshotRequest?: SnapshotRequest | undefined;
  /** The membership that counts from now on, when it has changed. */
  readonly configuration?: Configuration | undefined;
  /** History up to this revision goes by the leader's own decision. */
  readonly compaction?: number | undefined;
  readonly events: readonly RaftEvent[];
}

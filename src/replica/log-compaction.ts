/**
 * How far the log may be dropped: what the state on disk has applied, less a margin for followers
 * that are behind, so that a short absence does not cost a whole snapshot (Raft thesis §5.1.2).
 */
import type { LogIndex, RaftStatus } from '../raft/index.ts';

/** When and how far the log is compacted. */
export interface LogCompactionLimits {
  /** Applied entries in the log from which on it is worth compacting. */
  readonly entriesMax: number;
  /** Bytes of the log on disk from which on it is compacted, however few its entries. */
  readonly bytesMax: number;
  /** Applied entries that stay, for followers that are behind. */
  readonly marginEntries: number;
}

/** What suits a log that is at most about half a gigabyte. */
export const defaultLogCompaction: LogCompactionLimits = {
  entriesMax: 100_000,
  bytesMax: 512 * 1024 * 1024,
  marginEntries: 10_000,
};

/**
 * Returns the index up to which the log is to go, or undefined when it is not worth it.
 *
 * @remarks
 * A peer that is being heard of keeps what it still needs, unless the log is over its bytes: a dead
 * peer must not make the log grow without bound. One that is to fetch a snapshot needs what comes
 * after it, and may fetch it elsewhere: nobody knows yet where that ends, but it is not before the
 * beginning of the log.
 */
export function compactionIndex(
  status: RaftStatus,
  sizes: {
    readonly durableIndex: LogIndex;
    readonly retainIndex: LogIndex;
    readonly logBytes: number;
  },
  limits: LogCompactionLimits,
): LogIndex | undefined {
  const { snapshotIndex } = status;
  const entries = sizes.durableIndex - snapshotIndex;
  const isOverBytes = sizes.logBytes > limits.bytesMax;
  if (entries < limits.entriesMax && !isOverBytes) {
    return undefined;
  }
  // Over its bytes, the log keeps the part of its entries that fits into half of them.
  const fitting = Math.floor((entries * limits.bytesMax) / Math.max(1, 2 * sizes.logBytes));
  const margin = isOverBytes ? Math.min(limits.marginEntries, fitting) : limits.marginEntries;
  let index = Math.min(sizes.durableIndex - margin, sizes.retainIndex);
  if (!isOverBytes) {
    for (const { matchIndex, isRecentlyActive, state } of status.progress.values()) {
      if (isRecentlyActive && state !== 'probe') {
        index = Math.min(index, state === 'snapshot' ? snapshotIndex : matchIndex);
      }
    }
  }
  return index > snapshotIndex ? index : undefined;
}

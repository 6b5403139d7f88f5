/** Facade of the replicated state machine. */
export type { MetaChange } from './apply-batch.ts';
export type * from './command.ts';
export { encodeCommand, keepAliveLeasesMax, txnDepthMax } from './command-codec.ts';
export { /** @internal For tests. */ decodeCommand } from './command-codec.ts';
export { hashKv, type HashKvOutcome } from './hash-kv.ts';
/** @internal For tests. */
export { hashState } from './hash-kv.ts';
/** @internal For tests. */
export { verifyState } from './invariants.ts';
export { HistoryEvent, readHistory, readPrevious } from './history.ts';
export { membershipMetaKey, stateRanges } from './key-layout.ts';
export { attachedKeys, type Lease, remainingMs } from './leases.ts';
export { type NamedRecord, readRecords } from './named-records.ts';
/** @internal For tests. */
export { readRecord } from './named-records.ts';
export type { Loaded, Need, Reading, StateWrite, StoredRecord } from './need.ts';
export { type RangeOutcome, rangeQuery, type ReadPoint } from './range.ts';
export {
  attributesPrefix,
  isLiveKey,
  readSnapshotHead,
  type RestoreAction,
  restoredMembership,
  type RestoreOptions,
  restoreRecord,
  type SnapshotHead,
  snapshotHeadKeys,
} from './snapshot.ts';
export { decodeMembershipRecord } from './state-meta.ts';
export {
  type AppliedEntry,
  type ApplyOutput,
  type CompactOutput,
  type StateHash,
  StateMachine,
  type TimeState,
} from './state-machine.ts';
export { Watcher, WatchHub, type WatchSink } from './watch-hub.ts';
export { isEmptyRange } from './watch-index.ts';

/** Facade of the replicated state machine. */
export { hasAlarm } from './alarms.ts';
export type { MetaChange } from './meta-changes.ts';
export type { Access, AuthTable, User } from './auth-table.ts';
export { type Checkpoint, type Checkpoints, eventsAhead } from './checkpoint.ts';
export * from './command.ts';
export * from './command-codec.ts';
export type { CompactionPlan, CompactionStepLimits } from './compaction.ts';
export { hashKv, type HashKvOutcome, /** @internal For tests. */ hashState } from './hash-kv.ts';
/** @internal For tests. */
export { verifyState } from './invariants.ts';
export { HistoryEvent, readHistory, readPrevious } from './history.ts';
export * from './feature-level.ts';
export { membershipMetaKey, revisionsTable } from './key-layout.ts';
export { /** @internal For tests. */ stateRanges } from './key-layout.ts';
export { readExpiries } from './expiry-table.ts';
export { type Lease, remainingMs, visitAttachedKeys } from './leases.ts';
export { type NamedRecord, /** @internal */ readRecord, readRecords } from './named-records.ts';
export type { Loaded, Need, Reading, StateWrite, StoredRecord } from './need.ts';
export { type RangeGauge, type RangeOutcome, rangeQuery, type ReadPoint } from './range.ts';
export * from './snapshot.ts';
export { decodeMembershipRecord } from './state-meta.ts';
export {
  type AppliedEntry,
  type ApplyOutput,
  type CompactOutput,
  type StateHash,
  StateMachine,
  type TimeState,
} from './state-machine.ts';
export { type EventPiece, Watcher, WatchHub, type WatchSink } from './watch-hub.ts';
export { isEmptyRange } from './watch-index.ts';

/** Facade of the replicated state machine. */
export type {
  Command,
  CommandResult,
  CompactCommand,
  CompactResult,
  Compare,
  DeleteRangeOperation,
  DeleteRangeResult,
  KeySelector,
  KeyValue,
  LeaseId,
  Operation,
  OperationResult,
  PutOperation,
  PutResult,
  RangeOperation,
  RangeResult,
  SortOrder,
  SortTarget,
  TxnOperation,
  TxnResult,
} from './command.ts';
/** @internal For tests. */
export { decodeCommand } from './command-codec.ts';
export { encodeCommand, txnDepthMax } from './command-codec.ts';
/** @internal For tests. */
export { verifyState } from './invariants.ts';
export { stateMetaKey } from './key-layout.ts';
export type { Loaded, Need, Reading, StateWrite, StoredRecord } from './need.ts';
export { type RangeOutcome, rangeQuery, type ReadPoint } from './range.ts';
export {
  type AppliedEntry,
  type AppliedPosition,
  type ApplyOutput,
  type CompactOutput,
  StateMachine,
  type StateMachineOptions,
} from './state-machine.ts';

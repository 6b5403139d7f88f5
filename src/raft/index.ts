/** Facade of the consensus core. */
export { defaultRaftOptions, type RaftConfig, type RaftOptions } from './config.ts';
export { decodeConfiguration, encodeConfiguration } from './configurations.ts';
/** @internal For tests. */
export { isJoint } from './configurations.ts';
export type {
  AppendEntries,
  AppendEntriesResponse,
  CommitNotice,
  ConfChangeProposal,
  DropReason,
  Message,
} from './message.ts';
export { Raft } from './raft.ts';
export type {
  LoadRequest,
  RaftEvent,
  ReadState,
  SnapshotRequest,
  Ready,
  StorageWrite,
  WriteTicket,
} from './ready.ts';
export type { RaftStatus } from './status.ts';
export type {
  Configuration,
  ConfState,
  Entry,
  EntryType,
  HardState,
  LogIndex,
  LogSummary,
  NodeId,
  Role,
  SnapshotPosition,
  Term,
  TermRun,
} from './types.ts';

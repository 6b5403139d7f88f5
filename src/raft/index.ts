/** Facade of the consensus core. */
export { defaultRaftOptions, type RaftConfig, type RaftOptions } from './config.ts';
export type {
  AppendEntries,
  AppendEntriesResponse,
  DropReason,
  Message,
} from './message.ts';
export { Raft } from './raft.ts';
export type {
  LoadRequest,
  RaftEvent,
  ReadState,
  Ready,
  StorageWrite,
  WriteTicket,
} from './ready.ts';
export type { RaftStatus } from './status.ts';
export type {
  ConfState,
  Entry,
  EntryType,
  HardState,
  LogIndex,
  LogSummary,
  NodeId,
  Role,
  Term,
  TermRun,
} from './types.ts';

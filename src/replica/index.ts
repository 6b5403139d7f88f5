/** Facade of one member: the driver, and the page that services see of it. */
export type {
  CallOptions,
  Charge,
  ClusterMember,
  CommandWaiter,
  KeyspaceHash,
  MaintenanceApi,
  MemberAlarm,
  MemberApi,
  MembershipApi,
  MemberStatus,
  NewMember,
  RangeAnswer,
  RangeOptions,
  SnapshotStream,
} from './api.ts';
export type { AuthApi } from './auth-api.ts';
export { type HistoryRetention, keepBoth, keepRevisions, keepTime } from './auto-compaction.ts';
export type { LeaseApi } from './lease-api.ts';
export type {
  WatchAllowance,
  WatchEvent,
  WatchNotice,
  WatchRequest,
  WatchStream,
} from './watch-api.ts';
export { Member } from './driver.ts';
export type { EventLogger } from './reporting.ts';
export { isEngineDamage } from './state-lane.ts';
export { defaultLogCompaction } from './log-compaction.ts';
export type { MemberConfig, MemberOptions } from './member-config.ts';
export type { MemberRecord } from './membership.ts';
export { decodeMembership, encodeMembership, initialConfiguration } from './membership.ts';
export type { SnapshotFormat } from './snapshots.ts';

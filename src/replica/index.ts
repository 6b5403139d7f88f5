/** Facade of one member: the driver, and the page that services see of it. */
export type {
  CallOptions,
  ClusterMember,
  MemberApi,
  MemberStatus,
  RangeAnswer,
  RangeChunk,
} from './api.ts';
export { type EventLogger, Member, type MemberConfig, type MemberOptions } from './driver.ts';
export {
  type ApplyBatch,
  type Effects,
  Replica,
  type ReplicaConfig,
  type ReplicaLimits,
} from './replica.ts';

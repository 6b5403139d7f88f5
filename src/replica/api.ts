/**
 * What one member offers to the services in front of it: propose a command, read, tell its status.
 *
 * `Member` (driver.ts) implements it; `rpc` knows only this page.
 */
import type {
  Command,
  CommandResult,
  RangeOperation,
  RangeResult,
  RequestId,
} from '../kv/index.ts';
import type { LogIndex, NodeId, Role, Term } from '../raft/index.ts';
import type { AuthApi } from './auth-api.ts';
import type { CallOptions, Charge } from './call-options.ts';
import type { CommandWaiter } from './calls.ts';
import type { LeaseApi } from './lease-api.ts';
import type { WatchApi } from './watch-api.ts';

export type { CallOptions, Charge } from './call-options.ts';
export type { CommandWaiter } from './calls.ts';

/** A member of the cluster as clients see it. */
export interface ClusterMember {
  readonly id: NodeId;
  readonly name: string;
  readonly peerUrls: readonly string[];
  /** Empty until the member has published them. */
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

/** What a member says of itself. */
export interface MemberStatus {
  readonly clusterId: number;
  readonly memberId: NodeId;
  readonly name: string;
  readonly role: Role;
  readonly term: Term;
  /** The leader's id, or 0 when none is known. */
  readonly leader: NodeId;
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  readonly revision: number;
  readonly compactRevision: number;
  /** Approximate bytes on disk of log and state. */
  readonly sizeBytes: number;
  readonly isLearner: boolean;
  /** The cluster's feature level, and the newest one that this member reads. */
  readonly level: number;
  readonly newestLevel: number;
  /** Reasons why this member is not in order; empty when it is. */
  readonly errors: readonly string[];
}

/** A range's result and the store's revision at which it was read. */
export interface RangeAnswer {
  readonly revision: number;
  readonly result: RangeResult;
}

/** How a range is read. */
export interface RangeOptions extends CallOptions {
  readonly isSerializable?: boolean | undefined;
  readonly charge?: Charge | undefined;
  /** The answer ends with the key by which it has so many, as at a limit; of reads in key order. */
  readonly bytesMax?: number | undefined;
}

/** One member of a cluster, as its services use it. */
export interface MemberApi extends WatchApi {
  readonly clusterId: number;
  readonly memberId: NodeId;
  /** The leader as far as this member knows, or 0. */
  readonly leader: NodeId;
  /** The term this member is in, for response headers. */
  readonly term: Term;
  readonly leases: LeaseApi;
  readonly auth: AuthApi;
  /** What operators ask of this member. */
  readonly administration: MembershipApi & MaintenanceApi;
  /** Revision of the newest state that reads on this member can see. */
  readonly revision: number;
  /**
   * Proposes a command, on any member, and resolves once this member has applied it. Whether its
   * caller may have that done is decided where it is applied, and is a refusal like others.
   *
   * @throws {KvError} with `outcome` `rejected` when it surely had no effect, `unknown` when it may
   *   have: TOO_MANY_REQUESTS, REQUEST_TOO_LARGE, TIMEOUT, TIMEOUT_LEADER_FAILURE, LEADER_CHANGED,
   *   CANCELLED, STOPPED.
   */
  propose(command: Command, options?: CallOptions): Promise<CommandResult>;
  /**
   * The same for those who have very many under way: `waiter` is told what a promise would be, but
   * within the turn in which it becomes known, and maybe before this returns.
   */
  submit(command: Command, options: CallOptions, waiter: CommandWaiter): void;
  /**
   * Reads a range: linearizable unless `isSerializable` (Raft thesis §6.4).
   *
   * @throws {KvError} COMPACTED, FUTURE_REVISION, TOO_MANY_REQUESTS, TIMEOUT, CANCELLED, STOPPED;
   *   PERMISSION_DENIED, USER_EMPTY, INVALID_AUTH_TOKEN.
   */
  range(range: RangeOperation, options?: RangeOptions): Promise<RangeAnswer>;
  /**
   * Whether an attempt at a request was answered before this was called, be the answer still kept
   * or not.
   *
   * @throws {KvError} what `confirmRead` throws.
   */
  hasAnswered(id: RequestId, options?: CallOptions): Promise<boolean>;
  /** Waits until a linearizable read may be served from this member's state. */
  confirmRead(options?: CallOptions): Promise<void>;
  /** Resolves once history up to the applied compact revision is physically gone. */
  compactionDone(options?: CallOptions): Promise<void>;
  status(): MemberStatus;
  members(): readonly ClusterMember[];
  /**
   * Hands leadership to `target`; resolves once it leads.
   *
   * @throws {KvError} BAD_TRANSFEREE — it cannot lead: no voter, or a transfer is under way.
   */
  moveLeader(target: NodeId, options?: CallOptions): Promise<void>;
}

/** A member that is to join. */
export interface NewMember {
  readonly peerUrls: readonly string[];
  readonly isLearner: boolean;
  /** Of a learner: make it a voter as soon as it has caught up. */
  readonly autoPromote: boolean;
}

/** What a member does about the membership; on any member, carried out by the leader. */
export interface MembershipApi {
  /**
   * Adds a member and resolves with it, its id chosen here; it may start once this has resolved.
   *
   * @throws {KvError} PEER_URL_EXISTS, BAD_MEMBER_URLS, TOO_MANY_LEARNERS, NOT_ENOUGH_STARTED — the
   *   change would risk the quorum; TIMEOUT with outcome `unknown`, and what `propose` throws.
   */
  addMember(member: NewMember, options?: CallOptions): Promise<ClusterMember>;
  /**
   * Removes a member, the leader included.
   *
   * @throws {KvError} MEMBER_NOT_FOUND, NOT_ENOUGH_STARTED, and as above.
   */
  removeMember(id: NodeId, options?: CallOptions): Promise<void>;
  /**
   * Changes where a member's peers reach it.
   *
   * @throws {KvError} MEMBER_NOT_FOUND, PEER_URL_EXISTS, and as above.
   */
  updateMember(id: NodeId, peerUrls: readonly string[], options?: CallOptions): Promise<void>;
  /**
   * Makes a learner that has caught up a voter.
   *
   * @throws {KvError} MEMBER_NOT_FOUND, NOT_LEARNER, LEARNER_NOT_READY, and as above.
   */
  promoteMember(id: NodeId, options?: CallOptions): Promise<void>;
  /**
   * Makes a voter a learner.
   *
   * @throws {KvError} MEMBER_NOT_FOUND, NOT_ENOUGH_STARTED, and as above.
   */
  demoteMember(id: NodeId, options?: CallOptions): Promise<void>;
  /**
   * Removes one member and adds another in its place as one change; resolves with the new one.
   *
   * @throws {KvError} as `addMember` and `removeMember`.
   */
  replaceMember(id: NodeId, by: NewMember, options?: CallOptions): Promise<ClusterMember>;
}

/** An alarm raised by or for a member. */
export interface MemberAlarm {
  readonly memberId: NodeId;
  readonly alarm: 'nospace' | 'corrupt';
}

/** A hash over the keyspace; equal on members of equal state. */
export interface KeyspaceHash {
  readonly hash: number;
  /** The revision that it was taken at, and the compact revision it counts from. */
  readonly hashRevision: number;
  readonly compactRevision: number;
  /** The store's revision, for the response header. */
  readonly revision: number;
}

/**
 * A running snapshot for backup; the bytes are a whole snapshot file. Each piece is the reader's
 * until it asks for the next one: its memory is used again.
 */
export interface SnapshotStream {
  /** An estimate; never below what is still to come by more than the last piece. */
  readonly estimatedBytes: number;
  readonly revision: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** What an operator asks of one member. */
export interface MaintenanceApi {
  /**
   * Takes a snapshot of this member's applied state; writes go on meanwhile.
   *
   * @throws {KvError} STOPPED, TOO_MANY_REQUESTS — too many snapshots are under way.
   */
  openSnapshot(): Promise<SnapshotStream>;
  /**
   * Hashes the keyspace at `revision`, 0 for the newest; gives up once `signal` has fired.
   *
   * @throws {KvError} COMPACTED, FUTURE_REVISION, STOPPED; the reason of `signal`.
   */
  hashKv(revision: number, signal?: AbortSignal): Promise<KeyspaceHash>;
  alarms(): readonly MemberAlarm[];
  /** Raises (`isActive`) or lifts an alarm; goes through the log. */
  setAlarm(alarm: MemberAlarm, isActive: boolean, options?: CallOptions): Promise<void>;
  /** Gives back the space of removed history, in the background of other work. */
  defragment(options?: CallOptions): Promise<void>;
}

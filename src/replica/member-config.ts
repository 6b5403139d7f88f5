/** What a member is made of, and how it behaves. */
import type { EventLoop, Prng } from '../base/index.ts';
import type { LevelRange } from '../kv/index.ts';
import type { Metrics } from '../observability/index.ts';
import type { NodeId, RaftOptions } from '../raft/index.ts';
import type { LogStore, StateStore } from '../storage/index.ts';
import type { Peer, Transport } from '../transport/index.ts';
import type { PeerIncarnations } from './admission.ts';
import type { HistoryRetention } from './auto-compaction.ts';
import type { LogCompactionLimits } from './log-compaction.ts';
import type { MemberRecord } from './membership.ts';
import type { ReplicaLimits } from './replica.ts';
import type { EventLogger } from './reporting.ts';
import type { SnapshotsOptions } from './snapshots.ts';

/** How a member behaves; see `docs/configuration.md` for the flags behind it. */
export interface MemberOptions {
  /** Length of a tick, milliseconds; also the heartbeat interval. */
  readonly tickMs: number;
  readonly raft: RaftOptions;
  readonly limits: Omit<ReplicaLimits, 'readRetryTicks' | 'logCompaction'>;
  /** When the log is compacted, and how much of it stays. Default {@link defaultLogCompaction}. */
  readonly logCompaction?: LogCompactionLimits | undefined;
  /** What of history is kept; all of it, until somebody compacts, when undefined. */
  readonly retention?: HistoryRetention | undefined;
  /** A call's deadline when it brings none, and the longest it may ask for, milliseconds. */
  readonly requestTimeoutMs: number;
  /** Encoded bytes of one command. */
  readonly requestBytesMax: number;
  /** Bytes of current records kept in memory. */
  readonly cacheBytesMax: number;
  /** Bytes of stored state from which on only what makes room is taken. */
  readonly quotaBytes: number;
  /** Bytes of events for the readers of all watches. Default {@link defaultWatchBytesMax}. */
  readonly watchBytesMax?: number | undefined;
}

/** What a member is made of. */
export interface MemberConfig {
  readonly clusterId: number;
  readonly id: NodeId;
  readonly name: string;
  /** The first members of a new cluster, the same on all of them; none for one that joins. */
  readonly initialMembers: readonly MemberRecord[];
  /**
   * Asks the cluster that this member joins who its members are, this one among them. Called when
   * it has neither data nor initial members.
   *
   * @throws {KvError} CONFIG_INVALID — nobody answers, or they do not know this member.
   */
  readonly findCluster: () => Promise<readonly MemberRecord[]>;
  /** No other member can have the state: a damaged one is not waited for to be rebuilt. */
  readonly isAlone?: boolean | undefined;
  /** Where clients reach this member; published in the cluster. Not published when absent. */
  readonly clientUrls?: readonly string[] | undefined;
  readonly log: LogStore;
  readonly state: StateStore;
  readonly incarnations: PeerIncarnations;
  readonly snapshots: Omit<SnapshotsOptions, 'clusterId' | 'term'>;
  readonly transport: Transport;
  /** Feature levels that this member reads; all that the build does by default. */
  readonly levels?: LevelRange | undefined;
  /** How a member is dialled; names may be empty. */
  readonly peerOf: (member: MemberRecord) => Peer;
  readonly eventLoop: EventLoop;
  readonly prng: Prng;
  readonly metrics: Metrics;
  readonly logger: EventLogger;
  readonly options: MemberOptions;
  /** Called once when the member cannot go on; it serves nothing from then on. */
  readonly onFatal: (error: unknown) => void;
}

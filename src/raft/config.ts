/**
 * Settings of one Raft node, with their units, defaults and the relations that must hold between
 * them.
 */
import { assert, type Prng } from '../base/index.ts';
import type { Configuration, HardState, LogIndex, LogSummary, NodeId } from './types.ts';

/** How a node behaves. All counts and sizes are inclusive maxima. */
export interface RaftOptions {
  /**
   * Ticks without word from a leader before a follower may campaign; each draw is in [T, 2T-1].
   * Default 10.
   */
  readonly electionTimeoutTicks: number;
  /** Ticks between a leader's heartbeats. Default 1. */
  readonly heartbeatTicks: number;
  /** Pre-vote (Raft thesis §9.6). Default true. */
  readonly preVote: boolean;
  /** Check-quorum with vote stickiness (§4.2.3, §6.2). Default true. */
  readonly checkQuorum: boolean;
  /** Data bytes in one AppendEntries; a larger entry goes alone. Default 1 MiB. */
  readonly appendBytesMax: number;
  /** Unanswered AppendEntries per follower. Default 256. */
  readonly inflightMessagesMax: number;
  /** Data bytes unanswered per follower. Default 16 MiB; at least `appendBytesMax`. */
  readonly inflightBytesMax: number;
  /**
   * Data bytes of uncommitted entries a leader takes on before it refuses proposals. Default 64
   * MiB.
   */
  readonly uncommittedBytesMax: number;
  /** Data bytes handed out for applying and not yet confirmed. Default 16 MiB. */
  readonly applyingBytesMax: number;
  /** Data bytes of stable, applied entries kept in memory for followers. Default 16 MiB. */
  readonly cacheBytesMax: number;
  /**
   * Data bytes in memory beyond which stable, committed entries are given up although they are not
   * applied, and read again when their turn comes. Default 64 MiB; at least `cacheBytesMax`.
   */
  readonly unappliedBytesMax: number;
  /** Read requests waiting for a confirmation or a first commit of the term. Default 100,000. */
  readonly pendingReadsMax: number;
  /**
   * Entries a learner is sent in a tick, or twice the log's growth if that is more. Default 1000.
   */
  readonly learnerEntriesPerTick: number;
  /** Their data bytes, likewise; a larger entry goes alone. Default 1 MiB. */
  readonly learnerBytesPerTick: number;
  /** Entries that a learner may lag behind and still become a voter. Default 1000. */
  readonly promotionLagMax: number;
  /**
   * Whether a change of membership is refused when too few of the voters there would be are known
   * to be up. Default true.
   */
  readonly strictReconfigCheck: boolean;
  /** Whether a follower passes proposals on to its leader. Default true. */
  readonly forwardProposals: boolean;
  /**
   * Milliseconds for which this node, when a leader's heartbeat comes, promises to help elect
   * nobody else; as a leader it counts on such promises of others (Raft thesis §6.4.1). 0: neither.
   * At most an election timeout, or elections wait for it. Default 0.
   */
  readonly leaseMs: number;
  /** The longest promise that an earlier run of this node may have given. Default 0. */
  readonly earlierLeaseMs: number;
}

/** What suits a cluster of a few nodes on one network; see {@link RaftOptions} for each. */
export const defaultRaftOptions: RaftOptions = {
  electionTimeoutTicks: 10,
  heartbeatTicks: 1,
  preVote: true,
  checkQuorum: true,
  appendBytesMax: 1024 * 1024,
  inflightMessagesMax: 256,
  inflightBytesMax: 16 * 1024 * 1024,
  uncommittedBytesMax: 64 * 1024 * 1024,
  applyingBytesMax: 16 * 1024 * 1024,
  cacheBytesMax: 16 * 1024 * 1024,
  unappliedBytesMax: 64 * 1024 * 1024,
  pendingReadsMax: 100_000,
  learnerEntriesPerTick: 1000,
  learnerBytesPerTick: 1024 * 1024,
  promotionLagMax: 1000,
  strictReconfigCheck: true,
  forwardProposals: true,
  leaseMs: 0,
  earlierLeaseMs: 0,
};

/** What a node starts or restarts from. */
export interface RaftConfig {
  readonly id: NodeId;
  readonly prng: Prng;
  readonly options: RaftOptions;
  readonly hardState: HardState;
  readonly log: LogSummary;
  /**
   * The newest configuration at or before `lastApplied`; later ones are in the log. A joining
   * node's has no members. One without context is never put into the log, and then nobody can join.
   */
  readonly configuration: Configuration;
  /** The state machine's own durable position: nothing at or below it is handed out again. */
  readonly lastApplied: LogIndex;
}

/** Stops when the settings cannot work together, naming the setting. */
export function checkRaftConfig(config: RaftConfig): void {
  const { id, options, hardState, log, lastApplied } = config;
  assert(Number.isSafeInteger(id) && id > 0, `id must be a positive safe integer, is ${id}`);
  assert(options.heartbeatTicks >= 1, 'heartbeatTicks must be at least 1');
  assert(
    options.electionTimeoutTicks > options.heartbeatTicks,
    'electionTimeoutTicks must be above heartbeatTicks',
  );
  const { leaseMs, earlierLeaseMs } = options;
  assert(
    [leaseMs, earlierLeaseMs].every((each) => Number.isSafeInteger(each) && each >= 0),
    'leaseMs and earlierLeaseMs must be whole numbers, not negative',
  );
  assert(
    leaseMs === 0 || (options.checkQuorum && options.preVote),
    'leaseMs needs checkQuorum and preVote',
  );
  assert(options.inflightMessagesMax >= 1, 'inflightMessagesMax must be at least 1');
  assert(options.appendBytesMax >= 1, 'appendBytesMax must be at least 1');
  assert(
    options.inflightBytesMax >= options.appendBytesMax,
    'inflightBytesMax must be at least appendBytesMax',
  );
  assert(options.applyingBytesMax >= 1, 'applyingBytesMax must be at least 1');
  assert(
    options.unappliedBytesMax >= options.cacheBytesMax,
    'unappliedBytesMax must be at least cacheBytesMax',
  );
  assert(options.pendingReadsMax >= 1, 'pendingReadsMax must be at least 1');
  assert(options.learnerEntriesPerTick >= 1, 'learnerEntriesPerTick must be at least 1');
  assert(options.learnerBytesPerTick >= 1, 'learnerBytesPerTick must be at least 1');
  const lastIndex = Math.max(log.lastIndex, log.snapshotIndex);
  assert(
    hardState.commitIndex >= log.snapshotIndex && hardState.commitIndex <= lastIndex,
    `commitIndex ${hardState.commitIndex} must lie in [${log.snapshotIndex}, ${lastIndex}]`,
  );
  assert(
    config.configuration.index <= lastApplied,
    `configuration ${config.configuration.index} must be applied, at most ${lastApplied}`,
  );
  // What was applied was committed: a host whose commit index is older raises it first.
  assert(
    lastApplied >= log.snapshotIndex && lastApplied <= hardState.commitIndex,
    `lastApplied ${lastApplied} must lie in [${log.snapshotIndex}, ${hardState.commitIndex}]`,
  );
}

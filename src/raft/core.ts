/**
 * The state that every role shares: term, vote, log, timers, and the outbox of what the host is to
 * do.
 *
 * What a role does (`leader.ts`, `election.ts`, `follower.ts`) reads and changes it; the role
 * itself is changed by `roles.ts` alone.
 */
import { assert, type Prng } from '../base/index.ts';
import type { RaftConfig, RaftOptions } from './config.ts';
import { Configurations } from './configurations.ts';
import { LeasePromise } from './lease.ts';
import { RaftLog } from './log.ts';
import type { Message } from './message.ts';
import { membersOf } from './quorum.ts';
import type { RaftEvent, ReadState, SnapshotRequest } from './ready.ts';
import type {
  ConfState,
  Configuration,
  Entry,
  LogIndex,
  NodeId,
  Role,
  SnapshotPosition,
  Term,
} from './types.ts';

/** See the module comment. */
export class Core {
  readonly id: NodeId;
  readonly options: RaftOptions;
  readonly log: RaftLog;
  readonly #configurations: Configurations;
  /** All members of the configuration that counts but this one, ascending. */
  #peers: readonly NodeId[];
  /** The configuration has changed since the host was told. */
  #isConfigurationNews = false;
  readonly #prng: Prng;

  /** Grows only. */
  term: Term;
  /**
   * Who has this node's vote in `term`, or 0. Invariant: set at most once a term (Raft thesis
   * §3.4).
   */
  votedFor: NodeId;
  /** The term that is surely on this node's disk. */
  durableTerm: Term;
  role: Role = 'follower';
  /** The leader of `term` as far as known, or 0. */
  leader: NodeId = 0;
  /** Ticks since the leader was heard or a vote given; stands still on a leader. */
  electionElapsed = 0;
  /** Drawn anew from [T, 2T-1] at each change of role. */
  randomizedElectionTimeout = 0;

  /** What this node has promised to leaders, whatever its role is now. */
  readonly promise: LeasePromise;
  /** The host's clock, milliseconds; undefined until it is told. Never goes back. */
  nowMs: number | undefined;
  /** Requests for a read index that leases of this node have answered. */
  leaseReads = 0;

  /** May leave at once. */
  messages: Message[] = [];
  /** Rest on state that may not be durable yet. */
  afterSync: Message[] = [];
  readStates: ReadState[] = [];
  events: RaftEvent[] = [];
  /** The snapshot that this node asks its host for. */
  snapshotRequest: SnapshotRequest | undefined;

  constructor(config: RaftConfig) {
    this.id = config.id;
    this.options = config.options;
    this.#configurations = new Configurations(config.configuration, config.log.confEntries);
    this.#configurations.settle(config.hardState.commitIndex);
    this.#peers = this.#othersOf(this.conf);
    this.#prng = config.prng;
    this.term = config.hardState.currentTerm;
    this.durableTerm = this.term;
    this.votedFor = config.hardState.votedFor;
    this.log = new RaftLog(
      config.log,
      { commitIndex: config.hardState.commitIndex, appliedIndex: config.lastApplied },
      config.options,
    );
    // Who was never in any term has promised nothing: a new cluster need not wait.
    const { leaseMs, earlierLeaseMs } = config.options;
    const earlierMs = this.term > 0 ? Math.max(leaseMs, earlierLeaseMs) : 0;
    this.promise = new LeasePromise(leaseMs, earlierMs);
    assert(this.log.lastTerm <= this.term, 'no entry is of a term that the node has not been in');
    this.resetElectionTimer();
  }

  /** The configuration that counts: the newest in the log (Raft thesis §4.1). */
  get configuration(): Configuration {
    return this.#configurations.current;
  }

  get conf(): ConfState {
    return this.#configurations.current.confState;
  }

  get peers(): readonly NodeId[] {
    return this.#peers;
  }

  /** Appends to the log; a configuration among the entries counts at once. */
  append(entries: readonly Entry[]): void {
    this.log.append(entries);
    if (this.#configurations.append(entries)) {
      this.#noteConfiguration();
    }
  }

  /** Drops the log's tail from `index` on, with the configurations in it. */
  truncateFrom(index: LogIndex): void {
    this.log.truncateFrom(index);
    if (this.#configurations.truncateFrom(index)) {
      this.#noteConfiguration();
    }
  }

  /** Moves the commit index up to `index`; returns the bytes that passed. */
  commitTo(index: LogIndex): number {
    const bytes = this.log.commitTo(index);
    this.#configurations.settle(this.log.commitIndex);
    return bytes;
  }

  /** Takes over the configuration of a state that has replaced the host's. */
  learnConfiguration(configuration: Configuration): void {
    if (this.#configurations.learn(configuration)) {
      this.#noteConfiguration();
    }
  }

  /** Puts a snapshot in the place of the log. */
  restore({ index, term, configuration }: SnapshotPosition): void {
    this.log.restore(index, term);
    this.#configurations.restore(configuration);
    this.#noteConfiguration();
  }

  /** The configuration, if it has changed since the last call; an event says so, too. */
  takeConfiguration(): Configuration | undefined {
    const isNews = this.#isConfigurationNews;
    this.#isConfigurationNews = false;
    return isNews ? this.configuration : undefined;
  }

  #noteConfiguration(): void {
    const { index, confState } = this.configuration;
    const { voters, votersOutgoing, learners } = confState;
    this.#peers = this.#othersOf(confState);
    this.#isConfigurationNews = true;
    this.events.push({
      type: 'configuration-changed',
      index,
      voters,
      votersOutgoing,
      learners,
    });
  }

  #othersOf(conf: ConfState): readonly NodeId[] {
    return membersOf(conf).filter((id) => id !== this.id);
  }

  /**
   * Whether this node may lead: it votes in its own configuration; or did in the one before, and
   * the newest is not committed. Then others may need its log to get any further, and it campaigns
   * without counting itself (Raft thesis §4.2.2).
   */
  get isPromotable(): boolean {
    return this.#configurations.mayNeed(this.id);
  }

  noteTime(nowMs: number): void {
    assert(nowMs >= (this.nowMs ?? nowMs), () => `the clock goes back to ${nowMs}`);
    this.nowMs = nowMs;
    this.promise.noteTime(nowMs);
  }

  /** Whether a leader was heard so recently that nobody else gets a vote (Raft thesis §4.2.3). */
  get hasLiveLeader(): boolean {
    return (
      this.options.checkQuorum &&
      this.leader !== 0 &&
      this.electionElapsed < this.options.electionTimeoutTicks
    );
  }

  /** Whether nobody gets a vote unless a leader hands over: one lives, or has a promise. */
  get refusesVotes(): boolean {
    return this.hasLiveLeader || this.promise.isBinding;
  }

  /** Starts the election timer over, with a fresh random length. */
  resetElectionTimer(): void {
    const { electionTimeoutTicks } = this.options;
    this.electionElapsed = 0;
    this.randomizedElectionTimeout = this.#prng.nextInt(
      electionTimeoutTicks,
      2 * electionTimeoutTicks,
    );
  }

  /** Shortens the present election timer to at most `ticks` from now. */
  expectElectionWithin(ticks: number): void {
    const latest = Math.max(0, this.randomizedElectionTimeout - ticks);
    this.electionElapsed = Math.max(this.electionElapsed, latest);
  }

  /** How many voters other than `excluded` have a lower id than this node. */
  rankAmongVoters(excluded: NodeId): number {
    return this.conf.voters.filter((id) => id < this.id && id !== excluded).length;
  }

  /**
   * Sends what promises nothing but that this node is in `term`: at once if its disk says so too.
   */
  sendInTerm(message: Message): void {
    (this.durableTerm === this.term ? this.messages : this.afterSync).push(message);
  }

  /** Enters a later term, in which this node has not voted. */
  enterTerm(term: Term): void {
    assert(term > this.term, () => `term ${term} does not follow ${this.term}`);
    this.term = term;
    this.votedFor = 0;
  }
}

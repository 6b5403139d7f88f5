/**
 * The state that every role shares: term, vote, log, timers, and the outbox of what the host is to
 * do.
 *
 * Role objects (`leader.ts`, `election.ts`, `follower.ts`) read and change it; only `raft.ts`
 * changes the role.
 */
import { assert, type Prng } from '../base/index.ts';
import type { RaftConfig, RaftOptions } from './config.ts';
import { RaftLog } from './log.ts';
import type { Message } from './message.ts';
import { isVoter, membersOf } from './quorum.ts';
import type { RaftEvent, ReadState } from './ready.ts';
import type { ConfState, NodeId, Role, Term } from './types.ts';

/** See the module comment. */
export class Core {
  readonly id: NodeId;
  readonly options: RaftOptions;
  readonly conf: ConfState;
  /** All members but this one, ascending. */
  readonly peers: readonly NodeId[];
  readonly log: RaftLog;
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
  /** Ticks since the leader was heard, a vote given or, on a leader, the quorum checked. */
  electionElapsed = 0;
  /** Drawn anew from [T, 2T-1] at each change of role. */
  randomizedElectionTimeout = 0;

  /** May leave at once. */
  messages: Message[] = [];
  /** Rest on state that may not be durable yet. */
  afterSync: Message[] = [];
  readStates: ReadState[] = [];
  events: RaftEvent[] = [];

  constructor(config: RaftConfig) {
    this.id = config.id;
    this.options = config.options;
    this.conf = config.confState;
    this.peers = membersOf(config.confState).filter((id) => id !== config.id);
    this.#prng = config.prng;
    this.term = config.hardState.currentTerm;
    this.durableTerm = this.term;
    this.votedFor = config.hardState.votedFor;
    this.log = new RaftLog(
      config.log,
      { commitIndex: config.hardState.commitIndex, appliedIndex: config.lastApplied },
      config.options,
    );
    assert(this.log.lastTerm <= this.term, 'no entry is of a term that the node has not been in');
    this.resetElectionTimer();
  }

  /** Whether this node may lead: it votes in its own configuration. */
  get isPromotable(): boolean {
    return isVoter(this.conf, this.id);
  }

  /** Whether a leader was heard so recently that nobody else gets a vote (Raft thesis §4.2.3). */
  get hasLiveLeader(): boolean {
    return (
      this.options.checkQuorum &&
      this.leader !== 0 &&
      this.electionElapsed < this.options.electionTimeoutTicks
    );
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

/**
 * The reads of one leadership: each is answered with a commit index that was right at some moment
 * after it came. Who else could lead by then decides how (Raft thesis §6.4).
 *
 * By a round: a majority echoes a heartbeat that left after the read came. By the lease, where one
 * is configured and held (§6.4.1): nobody else can have become leader yet, so nobody is asked.
 * `read-index.ts` counts rounds, `lease.ts` what others have promised; here the two meet.
 *
 * Invariant: nothing is begun before the leadership has committed in its term; that is for the
 * caller to see to, who sends the heartbeats too.
 */
import type { Core } from './core.ts';
import { LeaderLease } from './lease.ts';
import type { HeartbeatResponse } from './message.ts';
import type { Peers } from './peers.ts';
import type { Progress } from './progress.ts';
import { quorumValue } from './quorum.ts';
import { type ReadRequest, ReadRounds } from './read-index.ts';
import type { LogIndex } from './types.ts';

/** See the module comment. */
export class LeaderReads {
  readonly #core: Core;
  readonly #peers: Peers;
  readonly #rounds = new ReadRounds();
  /** Undefined when every read takes a round. */
  readonly #lease: LeaderLease | undefined;

  constructor(core: Core, peers: Peers) {
    this.#core = core;
    this.#peers = peers;
    const { leaseMs } = core.options;
    this.#lease = leaseMs > 0 ? new LeaderLease(leaseMs) : undefined;
  }

  /** Requests not answered yet. */
  get count(): number {
    return this.#rounds.count;
  }

  /** Whether requests wait that no round has begun for. */
  get hasUnassigned(): boolean {
    return this.#rounds.hasUnassigned;
  }

  /** Queues a read; false when too many wait. */
  maybeAdd(request: ReadRequest): boolean {
    if (this.#rounds.count >= this.#core.options.pendingReadsMax) {
      return false;
    }
    this.#rounds.add(request);
    return true;
  }

  /**
   * Answers what waits by the lease, or begins a round for it; true when that must be sent now, and
   * then {@link answerConfirmed} is due: this node alone may be a quorum.
   */
  maybeBeginRound(): boolean {
    const { commitIndex } = this.#core.log;
    if (this.#isLeaseHeld) {
      const requests = this.#rounds.takeUnassigned();
      this.#core.leaseReads += requests.length;
      this.#answer(requests, commitIndex);
      return false;
    }
    this.#rounds.begin(commitIndex);
    return true;
  }

  /** A heartbeat is due by the time: a lease needs its answers told from those to the last. */
  beginEmptyRound(): void {
    if (this.#lease !== undefined) {
      this.#rounds.beginEmpty();
    }
  }

  /** Heartbeats leave now; returns the round that they carry. */
  noteSending(): number {
    const { lastRound } = this.#rounds;
    const { nowMs } = this.#core;
    if (nowMs !== undefined) {
      this.#lease?.noteSending(lastRound, nowMs);
    }
    return lastRound;
  }

  /** A peer has answered a heartbeat: it has echoed a round, and may have promised something. */
  echoed(progress: Progress, message: HeartbeatResponse): void {
    progress.ackedReadRound = Math.max(progress.ackedReadRound, message.readRound);
    this.#lease?.notePromise(message.from, message.readRound, message.leaseMs);
    this.answerConfirmed();
  }

  /** Answers the rounds that a quorum of the newest configuration has echoed. */
  answerConfirmed(): void {
    const { conf, id } = this.#core;
    const confirmed = quorumValue(conf, (member) =>
      member === id ? this.#rounds.lastRound : this.#peers.get(member)?.ackedReadRound,
    );
    for (const { index, requests } of this.#rounds.confirm(confirmed)) {
      this.#answer(requests, index);
    }
  }

  /** This leader is about to tell another node to campaign, whatever that one has promised. */
  surrenderLease(): void {
    this.#lease?.surrender();
  }

  /** Ends with the leadership; returns the contexts of this node's reads that stay unanswered. */
  end(): readonly number[] {
    const { id } = this.#core;
    return this.#rounds
      .reset()
      .filter((request) => request.from === id)
      .map((request) => request.context);
  }

  /**
   * Whether nobody else can have become leader by the time that was told last. The newest
   * configuration counts: whoever could be elected goes by that or by the one before, and any two
   * quorums of these have a voter in common.
   */
  get #isLeaseHeld(): boolean {
    const { conf, id, nowMs } = this.#core;
    return nowMs !== undefined && this.#lease?.isHeld(conf, id, nowMs) === true;
  }

  #answer(requests: readonly ReadRequest[], index: LogIndex): void {
    const { id, messages, readStates } = this.#core;
    for (const { from, context } of requests) {
      if (from === id) {
        readStates.push({ context, index });
      } else {
        messages.push({ type: 'ReadIndexResponse', from: id, to: from, term: 0, context, index });
      }
    }
  }
}

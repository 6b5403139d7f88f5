/**
 * One Raft node: a synchronous, deterministic state machine (Raft thesis §3, 6.4, 9.6, 10.2).
 *
 * Inputs (`tick`, `step`, `propose`, `readIndex`, acknowledgements) change state; `ready()` hands
 * out what is to be done about it. It has no clock, no I/O, no promise, and no randomness but the
 * injected one. This file holds the doors and what `ready()` gathers; what a message does is in
 * `dispatch.ts`, who becomes what in `roles.ts`, what a role does in `leader.ts`, `election.ts`,
 * `follower.ts`.
 */
import { assert } from '../base/index.ts';
import { checkRaftConfig, type RaftConfig } from './config.ts';
import { Core } from './core.ts';
import { Dispatch } from './dispatch.ts';
import { answerInstalled } from './follower.ts';
import { ForwardedReads } from './forwarded-reads.ts';
import { forwardConfChange, forwardProposals, forwardTransfer } from './forwarding.ts';
import { Loads } from './loads.ts';
import type { ConfChangeProposal, DropReason, Message } from './message.ts';
import type {
  ProposeResult,
  ReadIndexResult,
  Ready,
  TransferResult,
  WriteTicket,
} from './ready.ts';
import { Roles } from './roles.ts';
import { type RaftStatus, statusOf } from './status.ts';
import { StorageQueue } from './storage-queue.ts';
import type {
  Configuration,
  Entry,
  LogIndex,
  NodeId,
  Role,
  SnapshotPosition,
  Term,
} from './types.ts';

/** See the module comment. */
export class Raft {
  readonly #core: Core;
  readonly #storage: StorageQueue;
  readonly #roles: Roles;
  readonly #forwardedReads: ForwardedReads;
  readonly #loads: Loads;
  readonly #dispatch: Dispatch;

  constructor(config: RaftConfig) {
    checkRaftConfig(config);
    this.#core = new Core(config);
    this.#storage = new StorageQueue(this.#core, config.hardState);
    this.#loads = new Loads(this.#core);
    this.#forwardedReads = new ForwardedReads(config.prng.nextUint32() * 0x10_0000);
    this.#roles = new Roles(this.#core, this.#forwardedReads);
    this.#dispatch = new Dispatch({
      core: this.#core,
      roles: this.#roles,
      storage: this.#storage,
      forwardedReads: this.#forwardedReads,
    });
  }

  get id(): NodeId {
    return this.#core.id;
  }

  get term(): Term {
    return this.#core.term;
  }

  get role(): Role {
    return this.#core.role;
  }

  /** The leader of the present term as far as known, or 0. */
  get leader(): NodeId {
    return this.#core.leader;
  }

  get commitIndex(): LogIndex {
    return this.#core.log.commitIndex;
  }

  /** The configuration that counts: the newest in the log. */
  get configuration(): Configuration {
    return this.#core.configuration;
  }

  status(): RaftStatus {
    return statusOf(this.#core, this.#roles.leadership);
  }

  /**
   * Tells the time by the host's monotonic clock, milliseconds; needed for lease reads only. It is
   * to be told before every input, and again before `ready()`: a read that has come since may be
   * answered by a lease only if that still holds afterwards.
   */
  noteTime(nowMs: number): void {
    this.#core.noteTime(nowMs);
  }

  /** One tick of logical time. */
  tick(): void {
    this.#storage.noteTick();
    this.#roles.tick();
  }

  /** Starts an election, unless this node leads, may not lead, or is bound to a leader. */
  campaign(): void {
    this.#roles.campaign();
  }

  /**
   * Takes a batch of proposals whole, passes it to the leader, or drops it: then it surely has no
   * effect.
   */
  propose(proposals: readonly Uint8Array[], context: number): ProposeResult {
    assert(proposals.length > 0, 'a batch of proposals is not empty');
    const { leadership } = this.#roles;
    return leadership === undefined
      ? forwardProposals(this.#core, proposals, context)
      : this.#proposed(leadership.propose(proposals));
  }

  /**
   * Takes a small proposal of the leader itself, however many of others wait to be committed: what
   * keeps the cluster in order must not starve behind a full log. A caller makes the next one when
   * the last is committed; beyond 4 KiB of them they are dropped.
   */
  proposeOwn(proposal: Uint8Array): ProposeResult {
    const result = this.#roles.leadership?.proposeOwn(proposal) ?? 'not-leader';
    return this.#proposed(result);
  }

  #proposed(result: LogIndex | DropReason): ProposeResult {
    return typeof result === 'number'
      ? { kind: 'appended', term: this.#core.term, firstIndex: result }
      : { kind: 'dropped', reason: result };
  }

  /**
   * Begins a change of membership, passes it to the leader, or drops it (Raft thesis §4). What it
   * becomes is seen in `Ready.configuration` and in the committed entries.
   */
  proposeConfChange(proposal: ConfChangeProposal, context: number): ProposeResult {
    const { leadership } = this.#roles;
    return leadership === undefined
      ? forwardConfChange(this.#core, proposal, context)
      : this.#proposed(leadership.proposeConfChange(proposal));
  }

  /**
   * The host has fetched this snapshot and can switch to it; true when it shall, and then a `write`
   * with `install` says when. False when the log has come that far by itself.
   *
   * @param sourceTerm - the current term of whoever made the snapshot, when it was made. As with
   *   all that one node hears of another, the later term counts: that these entries are committed
   *   may be the knowledge of a term in which the leader of this node's term is none any more, and
   *   it must not be told so.
   */
  installSnapshot(position: SnapshotPosition, sourceTerm: Term): boolean {
    const core = this.#core;
    const { index, term } = position;
    assert(term <= sourceTerm, 'nobody has applied an entry of a term to come');
    core.snapshotRequest = undefined;
    if (sourceTerm > core.term) {
      this.#roles.becomeFollower(sourceTerm, 0);
    }
    if (this.#roles.leadership !== undefined || index <= core.log.commitIndex) {
      return false;
    }
    if (core.log.matches(index, term)) {
      // Committed, since a snapshot holds nothing else; and the entries are here.
      core.commitTo(index);
      return false;
    }
    if (core.role !== 'follower') {
      this.#roles.becomeFollower(core.term, 0);
    }
    core.restore(position);
    this.#storage.noteInstall(position);
    this.#loads.forgetApply();
    answerInstalled(core, index);
    return true;
  }

  /** The host's state is damaged: nothing is handed out for applying until it has another. */
  suspendApplying(): void {
    this.#core.log.suspendApplying();
    this.#loads.forgetApply();
  }

  /** The host has another state, at an index which is committed and not compacted. */
  resumeApplying({ index, configuration }: SnapshotPosition): void {
    this.#loads.forgetApply();
    this.#core.log.resumeApplying(index);
    this.#core.learnConfiguration(configuration);
  }

  /** The host keeps entries up to `index` no longer: they are applied, and the state is durable. */
  compact(index: LogIndex): void {
    this.#core.log.compact(index);
  }

  /**
   * Asks for a read index; the answer is a `ReadState` with this context, or a 'reads-dropped'
   * event.
   */
  readIndex(context: number): ReadIndexResult {
    if (this.#roles.leadership !== undefined) {
      return this.#roles.leadership.maybeRead({ from: this.#core.id, context })
        ? { kind: 'pending' }
        : { kind: 'dropped', reason: 'too-many' };
    }
    if (this.#core.leader === 0) {
      return { kind: 'dropped', reason: 'no-leader' };
    }
    if (this.#forwardedReads.waiting >= this.#core.options.pendingReadsMax) {
      return { kind: 'dropped', reason: 'too-many' };
    }
    this.#forwardedReads.add(context);
    return { kind: 'pending' };
  }

  /** Orders a transfer of leadership to `target`, here or at the leader (Raft thesis §3.10). */
  transferLeader(target: NodeId): TransferResult {
    const { leadership } = this.#roles;
    if (leadership === undefined) {
      return forwardTransfer(this.#core, target);
    }
    const reason = leadership.transfer(target);
    return reason === undefined ? { kind: 'started' } : { kind: 'refused', reason };
  }

  /** The link to `peer` broke; what was on its way may be lost. */
  reportUnreachable(peer: NodeId): void {
    this.#roles.leadership?.reportUnreachable(peer);
  }

  /**
   * The process of `peer` is gone: the operating system of its host refused a connection.
   *
   * @remarks
   * If it led, its followers need not wait out the election timeout. They campaign one after the
   * other, in the order of their ids, so that votes do not split. A false alarm costs a pre-vote
   * that nobody else grants: what makes a leader is still a majority of votes (ADR-009).
   */
  reportDown(peer: NodeId): void {
    this.reportUnreachable(peer);
    this.#roles.reportDown(peer);
  }

  /**
   * This node has just started: a leader, if there is one, is heard within a heartbeat.
   *
   * @remarks
   * When a whole cluster starts nobody leads, and waiting out the election timeout would be for
   * nothing. Only with pre-vote, which keeps such an early try from disturbing a leader that is
   * there (Raft thesis §9.6).
   */
  reportStarted(): void {
    this.#roles.reportStarted();
  }

  /** Takes a message from the network; see `dispatch.ts`. */
  step(message: Message): void {
    this.#dispatch.step(message);
  }

  /** The write is durable. */
  writeDone(ticket: WriteTicket): void {
    this.#storage.done(ticket);
    const { leadership } = this.#roles;
    if (leadership !== undefined) {
      leadership.maybeCommit();
      this.#roles.maybeStepDown();
    } else if (this.#core.role === 'candidate' && this.#storage.isOwnVoteDurable) {
      this.#roles.countOwnVote();
    }
  }

  /** Everything up to `index` has been applied. */
  applyDone(index: LogIndex): void {
    this.#core.log.appliedTo(index);
  }

  /** Answers a {@link LoadRequest}; entries that have been replaced meanwhile are ignored. */
  entriesLoaded(id: number, entries: readonly Entry[]): void {
    this.#loads.loaded(id, entries, this.#roles.leadership);
  }

  /** Whether `ready()` would hand out anything. */
  hasReady(): boolean {
    const { messages, readStates, events } = this.#core;
    return (
      messages.length > 0 ||
      readStates.length > 0 ||
      events.length > 0 ||
      this.#storage.hasWork ||
      this.#core.snapshotRequest !== undefined ||
      this.#forwardedReads.waiting > 0 ||
      this.#roles.leadership?.hasNews === true ||
      this.#loads.mayApply
    );
  }

  /** Hands out everything there is to do; see the contract in `ready.ts`. */
  ready(): Ready {
    const core = this.#core;
    this.#roles.leadership?.flush();
    this.#flushReads();
    this.#loads.collectFrom(this.#roles.leadership);
    const { write, messages: free } = this.#storage.take();
    const messages = free.length === 0 ? core.messages : [...core.messages, ...free];
    const ready: Ready = {
      messages,
      write,
      committedEntries: this.#loads.takeCommitted(),
      readStates: core.readStates,
      loads: this.#loads.takeRequests(),
      snapshotRequest: core.snapshotRequest,
      configuration: core.takeConfiguration(),
      events: core.events,
    };
    core.snapshotRequest = undefined;
    core.messages = [];
    core.readStates = [];
    core.events = [];
    return ready;
  }

  /** All reads that came since the last time travel to the leader as one. */
  #flushReads(): void {
    const { id, leader, messages, events } = this.#core;
    const { message, givenUp } = this.#forwardedReads.flush(id, leader);
    if (message !== undefined) {
      messages.push(message);
    }
    if (givenUp.length > 0) {
      events.push({ type: 'reads-dropped', contexts: givenUp, reason: 'no answer came' });
    }
  }
}

/**
 * One Raft node: a synchronous, deterministic state machine (Raft thesis §3, 6.4, 9.6, 10.2).
 *
 * Inputs (`tick`, `step`, `propose`, `readIndex`, acknowledgements) change state; `ready()` hands
 * out what is to be done about it. It has no clock, no I/O, no promise, and no randomness but the
 * injected one. This file holds the dispatch and the changes of role; what a role does is in
 * `leader.ts`, `election.ts`, `follower.ts`.
 *
 * Invariant: `#leadership` exists exactly while the role is leader, `#campaign` exactly while it is
 * preCandidate or candidate. Leader to candidate, and follower to leader, never happen directly.
 */
import { assert } from '../base/index.ts';
import { checkRaftConfig, type RaftConfig } from './config.ts';
import { Core } from './core.ts';
import { answerVoteRequest, Campaign } from './election.ts';
import {
  answerInstalled,
  handleAppendEntries,
  handleCommitNotice,
  handleHeartbeat,
  handleInstallSnapshot,
} from './follower.ts';
import { ForwardedReads } from './forwarded-reads.ts';
import { verifyRaft } from './invariants.ts';
import { Leadership } from './leader.ts';
import { Loads } from './loads.ts';
import type {
  AppendEntries,
  CommitNotice,
  ConfChangeProposal,
  DropReason,
  Heartbeat,
  InstallSnapshot,
  Message,
  Propose,
  ProposeConfChange,
  ReadIndexResponse,
  VoteRequest,
  VoteResponse,
} from './message.ts';
import type {
  ProposeResult,
  ReadIndexResult,
  Ready,
  TransferResult,
  WriteTicket,
} from './ready.ts';
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
  #leadership: Leadership | undefined;
  #campaign: Campaign | undefined;
  readonly #forwardedReads: ForwardedReads;
  /** Set while an election in a hurry, without this peer, waits for the end of a promise. */
  #hurryExcluding: NodeId | undefined;
  readonly #loads: Loads;

  constructor(config: RaftConfig) {
    checkRaftConfig(config);
    this.#core = new Core(config);
    this.#storage = new StorageQueue(this.#core, config.hardState);
    this.#loads = new Loads(this.#core);
    this.#forwardedReads = new ForwardedReads(config.prng.nextUint32() * 0x10_0000);
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
    return statusOf(this.#core, this.#leadership);
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
    if (this.#leadership !== undefined) {
      if (!this.#leadership.tick()) {
        this.#core.events.push({ type: 'quorum-lost', term: this.#core.term });
        this.#handOver(this.#leadership);
      }
      return;
    }
    this.#core.electionElapsed++;
    if (this.#hurryExcluding !== undefined && !this.#core.promise.isBinding) {
      this.#hurryElection(this.#hurryExcluding);
    }
    if (this.#core.electionElapsed >= this.#core.randomizedElectionTimeout) {
      this.campaign();
    }
  }

  /** Starts an election, unless this node leads, may not lead, or is bound to a leader. */
  campaign(): void {
    const { role, isPromotable, promise } = this.#core;
    if (role === 'leader' || !isPromotable || promise.isBinding) {
      return;
    }
    this.#startCampaign(this.#core.options.preVote, false);
  }

  /**
   * Takes a batch of proposals whole, passes it to the leader, or drops it: then it surely has no
   * effect.
   */
  propose(proposals: readonly Uint8Array[], context: number): ProposeResult {
    const { id, term, leader, options, messages } = this.#core;
    assert(proposals.length > 0, 'a batch of proposals is not empty');
    if (this.#leadership !== undefined) {
      return this.#proposed(this.#leadership.propose(proposals));
    }
    if (leader === 0) {
      return { kind: 'dropped', reason: 'no-leader' };
    }
    if (!options.forwardProposals) {
      return { kind: 'dropped', reason: 'not-leader' };
    }
    // The leader takes them in this term or not at all, so what is lost can be told from what is
    // late.
    messages.push({ type: 'Propose', from: id, to: leader, term, context, proposals });
    return { kind: 'forwarded', to: leader, term };
  }

  /**
   * Takes a small proposal of the leader itself, however many of others wait to be committed: what
   * keeps the cluster in order must not starve behind a full log. A caller makes the next one when
   * the last is committed; beyond 4 KiB of them they are dropped.
   */
  proposeOwn(proposal: Uint8Array): ProposeResult {
    const result = this.#leadership?.proposeOwn(proposal) ?? 'not-leader';
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
    const { id, term, leader, messages } = this.#core;
    if (this.#leadership !== undefined) {
      const result = this.#leadership.proposeConfChange(proposal);
      return typeof result === 'number'
        ? { kind: 'appended', term, firstIndex: result }
        : { kind: 'dropped', reason: result };
    }
    if (leader === 0) {
      return { kind: 'dropped', reason: 'no-leader' };
    }
    const { baseIndex, voters, learners, data } = proposal;
    messages.push({
      type: 'ProposeConfChange',
      from: id,
      to: leader,
      term,
      context,
      baseIndex,
      voters,
      learners,
      data,
    });
    return { kind: 'forwarded', to: leader, term };
  }

  /**
   * The host has fetched this snapshot and can switch to it; true when it shall, and then a `write`
   * with `install` says when. False when the log has come that far by itself.
   */
  installSnapshot(position: SnapshotPosition): boolean {
    const core = this.#core;
    const { index, term } = position;
    core.snapshotRequest = undefined;
    if (this.#leadership !== undefined || index <= core.log.commitIndex) {
      return false;
    }
    if (core.log.matches(index, term)) {
      // Committed, since a snapshot holds nothing else; and the entries are here.
      core.commitTo(index);
      return false;
    }
    if (core.role !== 'follower' || term > core.term) {
      this.#becomeFollower(Math.max(term, core.term), 0);
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
    if (this.#leadership !== undefined) {
      return this.#leadership.maybeRead({ from: this.#core.id, context })
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
    const { id, term, leader, messages } = this.#core;
    if (this.#leadership !== undefined) {
      const reason = this.#leadership.transfer(target);
      return reason === undefined ? { kind: 'started' } : { kind: 'refused', reason };
    }
    if (leader === 0) {
      return { kind: 'refused', reason: 'no leader is known' };
    }
    messages.push({ type: 'TransferLeader', from: id, to: leader, term, target });
    return { kind: 'started' };
  }

  /** The link to `peer` broke; what was on its way may be lost. */
  reportUnreachable(peer: NodeId): void {
    this.#leadership?.reportUnreachable(peer);
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
    const core = this.#core;
    if (core.role !== 'follower' || core.leader !== peer || !core.isPromotable) {
      return;
    }
    this.#becomeFollower(core.term, 0);
    this.#hurryElection(peer);
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
    const { role, leader, options, isPromotable } = this.#core;
    if (role === 'follower' && leader === 0 && options.preVote && isPromotable) {
      this.#hurryElection(this.#core.id);
    }
  }

  /**
   * Campaigns soon, but after the voters of lower ids have had their try, so that votes do not
   * split; and not before a promise has ended, which ends for all of them at about the same time.
   */
  #hurryElection(excluded: NodeId): void {
    if (this.#core.promise.isBinding) {
      this.#hurryExcluding = excluded;
      return;
    }
    this.#hurryExcluding = undefined;
    const rank = this.#core.rankAmongVoters(excluded);
    this.#core.expectElectionWithin(promptElectionTicks * (1 + rank));
  }

  /**
   * Takes a message from the network; one that is not to this node is ignored.
   *
   * @remarks
   * The sender need not be in the configuration: this node's may be out of date (Raft thesis
   * §4.1).
   */
  step(message: Message): void {
    const { id, term } = this.#core;
    if (message.to !== id || message.from === id) {
      return;
    }
    if (message.term === 0) {
      this.#stepTermless(message);
    } else if (message.term < term) {
      this.#stepStale(message);
    } else if (message.term === term || this.#enterTermOf(message)) {
      this.#stepInTerm(message);
    }
    this.#maybeStepDown();
  }

  /** The write is durable. */
  writeDone(ticket: WriteTicket): void {
    this.#storage.done(ticket);
    if (this.#leadership !== undefined) {
      this.#leadership.maybeCommit();
      this.#maybeStepDown();
    } else if (this.#core.role === 'candidate') {
      this.#countOwnVote();
    }
  }

  /** Everything up to `index` has been applied. */
  applyDone(index: LogIndex): void {
    this.#core.log.appliedTo(index);
  }

  /** Answers a {@link LoadRequest}; entries that have been replaced meanwhile are ignored. */
  entriesLoaded(id: number, entries: readonly Entry[]): void {
    this.#loads.loaded(id, entries, this.#leadership);
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
      this.#core.isConfigurationNews ||
      this.#forwardedReads.waiting > 0 ||
      this.#leadership?.hasNews === true ||
      this.#loads.mayApply
    );
  }

  /** Hands out everything there is to do; see the contract in `ready.ts`. */
  ready(): Ready {
    const core = this.#core;
    this.#leadership?.flush();
    this.#flushReads();
    this.#loads.collectFrom(this.#leadership);
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

  /**
   * Enters the later term of a message if it must; false when the message is to be ignored
   * altogether.
   */
  #enterTermOf(message: Message): boolean {
    switch (message.type) {
      case 'RequestVote':
      case 'PreVote':
        if (this.#core.refusesVotes && !message.isTransfer) {
          return false;
        }
        if (message.type === 'RequestVote') {
          this.#becomeFollower(message.term, 0);
        }
        return true;
      case 'PreVoteResponse':
        if (!message.isGranted) {
          this.#becomeFollower(message.term, 0);
        }
        return message.isGranted;
      case 'AppendEntries':
      case 'Heartbeat':
      case 'CommitNotice':
      case 'InstallSnapshot':
        this.#becomeFollower(message.term, message.from);
        return true;
      default:
        this.#becomeFollower(message.term, 0);
        return true;
    }
  }

  /**
   * A message of an earlier term changes nothing here; some senders must hear that they are behind.
   */
  #stepStale(message: Message): void {
    const { id, term, options, afterSync, messages } = this.#core;
    switch (message.type) {
      case 'AppendEntries':
      case 'Heartbeat':
      case 'InstallSnapshot':
        if (options.checkQuorum || options.preVote) {
          // Or a node stuck at a higher term could never be freed: the leader steps down at this
          // answer.
          afterSync.push({
            type: 'HeartbeatResponse',
            from: id,
            to: message.from,
            term,
            readRound: 0,
          });
        }
        break;
      case 'PreVote':
        afterSync.push({
          type: 'PreVoteResponse',
          from: id,
          to: message.from,
          term,
          isGranted: false,
        });
        break;
      case 'Propose':
      case 'ProposeConfChange':
        messages.push(refusal(message, id, 'not-leader'));
        break;
      default:
        break;
    }
  }

  #stepTermless(message: Message): void {
    switch (message.type) {
      case 'ReadIndex':
        this.#leadership?.handleReadIndex(message);
        break;
      case 'ReadIndexResponse':
        this.#handleReadIndexResponse(message);
        break;
      case 'ProposeRejected':
        this.#core.events.push({
          type: 'proposals-rejected',
          context: message.context,
          reason: message.reason,
        });
        break;
      default:
        break;
    }
  }

  #stepInTerm(message: Message): void {
    switch (message.type) {
      case 'RequestVote':
      case 'PreVote':
        this.#handleVoteRequest(message);
        break;
      case 'RequestVoteResponse':
      case 'PreVoteResponse':
        this.#handleVoteResponse(message);
        break;
      case 'AppendEntries':
      case 'Heartbeat':
      case 'CommitNotice':
      case 'InstallSnapshot':
        this.#handleLeader(message);
        break;
      case 'AppendEntriesResponse':
        this.#leadership?.handleAppendResponse(message);
        break;
      case 'HeartbeatResponse':
        this.#leadership?.handleHeartbeatResponse(message);
        break;
      case 'TimeoutNow':
        if (this.#core.role === 'follower' && this.#core.isPromotable) {
          this.#startCampaign(false, true);
        }
        break;
      case 'TransferLeader':
        this.#leadership?.transfer(message.target);
        break;
      case 'Propose':
        this.#handlePropose(message);
        break;
      case 'ProposeConfChange':
        this.#handleProposeConfChange(message);
        break;
      case 'ProposeRejected':
      case 'ReadIndex':
      case 'ReadIndexResponse':
        break;
    }
  }

  #handleVoteRequest(message: VoteRequest): void {
    if (message.isTransfer || !this.#core.promise.isBinding) {
      answerVoteRequest(this.#core, message);
    }
  }

  #handleVoteResponse(message: VoteResponse): void {
    const campaign = this.#campaign;
    const isPreVote = message.type === 'PreVoteResponse';
    if (campaign?.isPreVote !== isPreVote) {
      return;
    }
    if (message.isGranted && message.term !== campaign.term) {
      return;
    }
    campaign.record(message.from, message.isGranted);
    this.#concludeCampaign(campaign);
  }

  /** A message that only this term's leader sends. */
  #handleLeader(message: AppendEntries | Heartbeat | CommitNotice | InstallSnapshot): void {
    const core = this.#core;
    assert(
      core.role !== 'leader',
      () => `two leaders in term ${core.term}: ${core.id}, ${message.from}`,
    );
    if (core.role !== 'follower' || core.leader !== message.from) {
      this.#becomeFollower(core.term, message.from);
    }
    core.electionElapsed = 0;
    if (message.type === 'Heartbeat') {
      handleHeartbeat(core, message);
      return;
    }
    if (message.type === 'CommitNotice') {
      handleCommitNotice(core, message);
      return;
    }
    if (message.type === 'InstallSnapshot') {
      handleInstallSnapshot(core, message);
      return;
    }
    const lastIndex = core.log.lastIndex;
    const fromIndex = handleAppendEntries(core, message);
    if (fromIndex > 0) {
      this.#storage.noteTruncation(fromIndex);
      core.events.push({ type: 'log-truncated', fromIndex, lastIndex });
    }
  }

  #handlePropose(message: Propose): void {
    const result = this.#leadership?.propose(message.proposals) ?? 'not-leader';
    if (typeof result !== 'number') {
      this.#core.messages.push(refusal(message, this.#core.id, result));
    }
  }

  #handleProposeConfChange(message: ProposeConfChange): void {
    const result = this.#leadership?.proposeConfChange(message) ?? 'not-leader';
    if (typeof result !== 'number') {
      this.#core.messages.push(refusal(message, this.#core.id, result));
    }
  }

  /**
   * A leader that has seen its removal committed hands over to the voter that is furthest (Raft
   * thesis §4.2.2).
   */
  #maybeStepDown(): void {
    const leadership = this.#leadership;
    if (leadership?.isRemoved !== true) {
      return;
    }
    this.#core.events.push({ type: 'leader-removed', term: this.#core.term });
    // What it has not been told yet, that the removal is committed, its own leadership will tell.
    leadership.flush();
    this.#handOver(leadership);
  }

  /**
   * Ends the leadership, and lets the voter that is furthest campaign at once. A leader that is
   * heard but does not hear has kept the others waiting until now (ADR-014).
   */
  #handOver(leadership: Leadership): void {
    const { id, term, messages } = this.#core;
    const to = leadership.peers.furthestVoter;
    if (to !== 0) {
      messages.push({ type: 'TimeoutNow', from: id, to, term });
    }
    this.#becomeFollower(term, 0);
  }

  #handleReadIndexResponse(message: ReadIndexResponse): void {
    for (const context of this.#forwardedReads.take(message.context)) {
      this.#core.readStates.push({ context, index: message.index });
    }
  }

  #startCampaign(isPreVote: boolean, isTransfer: boolean): void {
    const core = this.#core;
    assert(core.role !== 'leader', 'a leader never campaigns');
    if (isPreVote) {
      this.#setRole('preCandidate', 0);
    } else {
      core.enterTerm(core.term + 1);
      core.votedFor = core.id;
      this.#setRole('candidate', 0);
    }
    const campaign = new Campaign(core, isPreVote);
    this.#campaign = campaign;
    core.events.push({ type: 'election-started', term: campaign.term, isPreVote });
    campaign.start(isTransfer);
    this.#concludeCampaign(campaign);
  }

  #countOwnVote(): void {
    const campaign = this.#campaign;
    if (campaign?.isPreVote === false && this.#storage.isOwnVoteDurable) {
      campaign.record(this.#core.id, true);
      this.#concludeCampaign(campaign);
    }
  }

  #concludeCampaign(campaign: Campaign): void {
    switch (campaign.outcome) {
      case 'won':
        if (campaign.isPreVote) {
          this.#startCampaign(false, false);
        } else {
          this.#becomeLeader();
        }
        break;
      case 'lost':
        this.#becomeFollower(this.#core.term, 0);
        break;
      case 'pending':
        break;
    }
  }

  #becomeLeader(): void {
    assert(this.#core.role === 'candidate', 'only a candidate becomes leader');
    this.#setRole('leader', this.#core.id);
    this.#leadership = new Leadership(this.#core);
    verifyRaft(this.status());
  }

  #becomeFollower(term: Term, leader: NodeId): void {
    if (term > this.#core.term) {
      this.#core.enterTerm(term);
    }
    this.#setRole('follower', leader);
    verifyRaft(this.status());
  }

  /** The one place where the role, and the leader known, change. */
  #setRole(role: Role, leader: NodeId): void {
    const core = this.#core;
    const dropped = this.#leadership?.end() ?? [];
    this.#leadership = undefined;
    this.#campaign = undefined;
    this.#hurryExcluding = undefined;
    const isNewLeader = core.leader !== leader;
    const isNewRole = core.role !== role;
    core.role = role;
    core.leader = leader;
    core.resetElectionTimer();
    if (isNewRole) {
      core.events.push({ type: 'role-changed', role, term: core.term, leader });
    }
    if (isNewLeader) {
      core.events.push({ type: 'leader-changed', term: core.term, leader });
    }
    this.#dropReads(dropped);
  }

  /**
   * Reads passed on or pending under another leader will not be answered; their callers ask again.
   */
  #dropReads(local: readonly number[]): void {
    const contexts = [...local, ...this.#forwardedReads.drop()];
    if (contexts.length > 0) {
      this.#core.events.push({ type: 'reads-dropped', contexts, reason: 'the leader changed' });
    }
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

/** Ticks that each voter leaves to those before it in line, once the leader is known to be gone. */
const promptElectionTicks = 2;

function refusal(message: Propose | ProposeConfChange, id: NodeId, reason: DropReason): Message {
  const { from, context } = message;
  return { type: 'ProposeRejected', from: id, to: from, term: 0, context, reason };
}

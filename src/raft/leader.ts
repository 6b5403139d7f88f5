/**
 * One leadership: what is proposed goes into the log, the log to the peers, and what a quorum has
 * stored is committed. The object lives exactly as long as the leadership, and so do its parts:
 * what is known of the peers (`peers.ts`), reads (`leader-reads.ts`), a transfer (`transfer.ts`).
 *
 * A leader that its newest configuration does not name leads on, without counting itself, until
 * that configuration is committed (Raft thesis §4.2.2).
 */
import { assert, emptyBytes, must } from '../base/index.ts';
import { encodeConfiguration, isJoint, leftConfState, nextConfState } from './configurations.ts';
import type { Core } from './core.ts';
import type {
  AppendEntriesResponse,
  ConfChangeProposal,
  DropReason,
  HeartbeatResponse,
  ReadIndexRequest,
} from './message.ts';
import { LeaderReads } from './leader-reads.ts';
import { LearnerPace } from './learner-pace.ts';
import { Peers } from './peers.ts';
import type { Progress } from './progress.ts';
import { isVoter, quorumValue } from './quorum.ts';
import type { ReadRequest } from './read-index.ts';
import { Transfer } from './transfer.ts';
import type { Configuration, Entry, LogIndex, NodeId } from './types.ts';

/** Entries that a peer needs and memory no longer holds. */
export interface PeerLoad {
  readonly peer: NodeId;
  readonly lo: LogIndex;
  readonly hi: LogIndex;
}

/** Limit: bytes that the leader's own proposals may wait beyond what others may; a few of them. */
const ownBytesMax = 4096;

/** See the module comment. */
export class Leadership {
  readonly peers: Peers;
  readonly #core: Core;
  readonly #reads: LeaderReads;
  readonly #transfer: Transfer;
  readonly #pace: LearnerPace;
  /**
   * First entry of this term; nothing is committed, or read, before it is (Raft thesis §3.6.2,
   * §6.4).
   */
  readonly #firstIndex: LogIndex;
  #heartbeatElapsed = 0;
  /** Data bytes of uncommitted entries: all in memory, those of earlier leaderships included. */
  #uncommittedBytes: number;
  #loads: PeerLoad[] = [];
  #hasNews = false;

  constructor(core: Core) {
    this.#core = core;
    this.peers = new Peers(core);
    this.#reads = new LeaderReads(core, this.peers);
    this.#transfer = new Transfer(core);
    this.#pace = new LearnerPace(core);
    this.#firstIndex = core.log.lastIndex + 1;
    this.#uncommittedBytes = core.log.uncommittedBytes;
    // An entry of its own term is what lets a leader commit those before it (Raft thesis §3.6.2,
    // §6.4).
    this.#append([emptyBytes], 0);
    const { configuration } = core;
    if (configuration.index === 0 && configuration.context.length > 0) {
      // So that a member which joins later finds in the log whom the cluster began with.
      this.#appendConfiguration(configuration);
    }
  }

  get transferTarget(): NodeId {
    return this.#transfer.target;
  }

  get uncommittedBytes(): number {
    return this.#uncommittedBytes;
  }

  get pendingReads(): number {
    return this.#reads.count;
  }

  /** Something may be sent at the next `flush`. */
  get hasNews(): boolean {
    return this.#hasNews || (this.#reads.hasUnassigned && this.#hasCommittedInTerm);
  }

  /** Takes a batch whole, or says why not. */
  propose(proposals: readonly Uint8Array[]): LogIndex | DropReason {
    if (this.#transfer.target !== 0) {
      return 'transferring';
    }
    let bytes = 0;
    for (const proposal of proposals) {
      bytes += proposal.length;
    }
    const { uncommittedBytesMax } = this.#core.options;
    const isTooMuch = this.#uncommittedBytes + bytes > uncommittedBytesMax;
    // A batch larger than the whole limit is taken when nothing else waits; empty ones always are.
    if (isTooMuch && this.#uncommittedBytes > 0 && bytes > 0) {
      return 'log-full';
    }
    this.#uncommittedBytes += bytes;
    return this.#append(proposals, bytes);
  }

  /** See `Raft.proposeOwn`. */
  proposeOwn(proposal: Uint8Array): LogIndex | DropReason {
    if (this.#transfer.target !== 0) {
      return 'transferring';
    }
    const { uncommittedBytesMax } = this.#core.options;
    if (this.#uncommittedBytes + proposal.length > uncommittedBytesMax + ownBytesMax) {
      return 'log-full';
    }
    this.#uncommittedBytes += proposal.length;
    return this.#append([proposal], proposal.length);
  }

  /**
   * Begins a change of membership, or says why not (Raft thesis §4). One at a time: the next may
   * begin once the configuration of the last is committed, and an entry of this term is, so that no
   * other leader can have begun one unseen.
   */
  proposeConfChange(proposal: ConfChangeProposal): LogIndex | DropReason {
    const { configuration, log } = this.#core;
    if (this.#transfer.target !== 0) {
      return 'transferring';
    }
    const isPending = configuration.index > log.commitIndex || isJoint(configuration.confState);
    if (isPending || !this.#hasCommittedInTerm) {
      return 'conf-pending';
    }
    if (proposal.baseIndex !== configuration.index) {
      return 'conf-stale';
    }
    const confState = nextConfState(configuration.confState, proposal);
    if (confState === undefined) {
      return 'conf-invalid';
    }
    const promoted = proposal.voters.filter((id) => configuration.confState.learners.includes(id));
    if (!promoted.every((id) => this.peers.hasCaughtUp(id))) {
      return 'learner-not-ready';
    }
    if (this.#core.options.strictReconfigCheck && this.peers.risksQuorum(proposal.voters)) {
      return 'quorum-at-risk';
    }
    return this.#appendConfiguration({ confState, context: proposal.data });
  }

  /** Queues a read; false when too many wait. */
  maybeRead(request: ReadRequest): boolean {
    return this.#reads.maybeAdd(request);
  }

  /**
   * Counts time; false when no quorum has been heard within an election timeout, and the leader
   * must go (Raft thesis §6.2). It is looked at in each tick: a check once an election timeout
   * would keep a deaf leader, whose heartbeats hold the others back, for up to two.
   */
  tick(): boolean {
    const { options } = this.#core;
    this.peers.tick();
    this.#transfer.tick();
    this.#hasNews = this.#pace.tick() || this.#hasNews;
    if (options.checkQuorum && !this.peers.hasActiveQuorum) {
      return false;
    }
    if (++this.#heartbeatElapsed >= options.heartbeatTicks) {
      this.#heartbeatElapsed = 0;
      this.#reads.beginEmptyRound();
      this.#sendHeartbeats();
    }
    return true;
  }

  handleAppendResponse(message: AppendEntriesResponse): void {
    const progress = this.peers.heard(message.from);
    if (progress === undefined) {
      return;
    }
    this.#hasNews = true;
    if (message.isRejected) {
      const { hintIndex, hintTerm } = message;
      // The follower's newest entry of a term not above ours here; we look for ours of a term not
      // above its. Without a term the follower has nothing there at all, and the hint itself is
      // where to go on.
      const agreeIndex =
        hintTerm > 0 ? this.#core.log.lastIndexNotAbove(hintIndex, hintTerm) : hintIndex;
      progress.maybeRetreat(message.index, agreeIndex);
      return;
    }
    assert(message.index <= this.#core.log.lastIndex, 'nobody vouches for what was not sent');
    const hasAdvanced = progress.maybeAdvance(message.index);
    if (progress.state === 'snapshot') {
      if (progress.matchIndex >= this.#core.log.snapshotIndex) {
        progress.becomeReplicate();
      }
    } else if (progress.state === 'probe' && message.index === progress.matchIndex) {
      progress.becomeReplicate();
    } else {
      progress.inflights.freeTo(message.index);
    }
    if (hasAdvanced) {
      this.maybeCommit();
      this.#transfer.maybeOrder(progress);
    }
  }

  handleHeartbeatResponse(message: HeartbeatResponse): void {
    const progress = this.peers.heard(message.from);
    if (progress === undefined) {
      return;
    }
    progress.isProbeSent = false;
    if (progress.matchIndex < this.#core.log.lastIndex || progress.state !== 'replicate') {
      progress.needsEmptyAppend = true;
      this.#hasNews = true;
    }
    this.#reads.echoed(progress, message);
  }

  /**
   * Moves the commit index to the last entry of this term that a quorum has on disk (Raft thesis
   * §3.6.2).
   */
  maybeCommit(): void {
    const { log, conf, id, term } = this.#core;
    const index = quorumValue(conf, (member) =>
      member === id ? log.stableIndex : this.peers.get(member)?.matchIndex,
    );
    if (index > log.commitIndex && log.termAt(index) === term) {
      this.#uncommittedBytes -= this.#core.commitTo(index);
      assert(this.#uncommittedBytes >= 0, 'no more is committed than was not');
      this.#hasNews = true;
      this.#maybeLeaveJoint();
    }
  }

  /** Whether the cluster has committed a configuration in which this node does not vote. */
  get isRemoved(): boolean {
    const { configuration, conf, id, log } = this.#core;
    return !isVoter(conf, id) && configuration.index <= log.commitIndex;
  }

  /** A link broke: what was on its way is lost. */
  reportUnreachable(peer: NodeId): void {
    const progress = this.peers.get(peer);
    if (progress?.state === 'replicate') {
      progress.becomeProbe();
    }
  }

  /**
   * Hands leadership to `target` once it is level; the answer says why not, if not (Raft thesis
   * §3.10).
   */
  transfer(target: NodeId): string | undefined {
    if (target === this.#core.id) {
      this.#transfer.abandon('the leader was told to stay');
      return 'it leads already';
    }
    if (!isVoter(this.#core.conf, target)) {
      return 'it is not a voter of this cluster';
    }
    if (this.#transfer.maybeBegin(target)) {
      this.#reads.surrenderLease();
      this.#hasNews = true;
      this.#transfer.maybeOrder(must(this.peers.get(target), 'progress of every other voter'));
    }
    return undefined;
  }

  /** Sends what there is to send, and begins a round for the reads that came since the last one. */
  flush(): void {
    this.#hasNews = false;
    for (const progress of this.peers.progressById.values()) {
      this.#sendAppends(progress);
    }
    this.#beginReadRound();
  }

  /** Entries to be loaded for peers, asked for once. */
  takeLoads(): readonly PeerLoad[] {
    const loads = this.#loads;
    this.#loads = [];
    return loads;
  }

  /** Sends loaded entries, if they are still what the peer needs next. */
  sendLoaded(peer: NodeId, entries: readonly Entry[]): void {
    const progress = this.peers.get(peer);
    if (progress === undefined) {
      return;
    }
    progress.isLoading = false;
    this.#hasNews = true;
    const isStillNext =
      entries[0]?.index === progress.nextIndex && progress.nextIndex > this.#core.log.snapshotIndex;
    if (isStillNext && !progress.isPaused) {
      let bytes = 0;
      for (const entry of entries) {
        bytes += entry.data.length;
      }
      this.#sendAppend(progress, entries, bytes);
    }
  }

  /** Ends the leadership; returns the local reads that stay unanswered. */
  end(): readonly number[] {
    return this.#reads.end();
  }

  handleReadIndex(message: ReadIndexRequest): void {
    // A refused one is asked for again by its sender, or runs into its caller's deadline.
    this.maybeRead({ from: message.from, context: message.context });
  }

  get #hasCommittedInTerm(): boolean {
    return this.#core.log.commitIndex >= this.#firstIndex;
  }

  #append(proposals: readonly Uint8Array[], bytes: number): LogIndex {
    const { log, term } = this.#core;
    const firstIndex = log.lastIndex + 1;
    this.#core.append(
      proposals.map((data, i) => ({ term, index: firstIndex + i, type: 'normal', data })),
    );
    this.#pace.appended({ entries: proposals.length, bytes });
    this.#hasNews = true;
    return firstIndex;
  }

  #appendConfiguration(configuration: Omit<Configuration, 'index'>): LogIndex {
    const { log, term } = this.#core;
    const index = log.lastIndex + 1;
    const data = encodeConfiguration(configuration);
    this.#core.append([{ term, index, type: 'confChange', data }]);
    this.#uncommittedBytes += data.length;
    this.#pace.appended({ entries: 1, bytes: data.length });
    this.peers.follow();
    this.#transfer.configurationChanged();
    this.#hasNews = true;
    // A smaller quorum may have confirmed reads already.
    this.#reads.answerConfirmed();
    return index;
  }

  /** The joint configuration has done its work once it is committed (Raft thesis §4.3). */
  #maybeLeaveJoint(): void {
    const { configuration, log } = this.#core;
    const { index, confState, context } = configuration;
    if (confState.autoLeave && index <= log.commitIndex) {
      this.#appendConfiguration({ confState: leftConfState(confState), context });
    }
  }

  #sendHeartbeats(): void {
    const { log, id, term, messages } = this.#core;
    const readRound = this.#reads.noteSending();
    for (const progress of this.peers.progressById.values()) {
      messages.push({
        type: 'Heartbeat',
        from: id,
        to: progress.id,
        term,
        commitIndex: Math.min(progress.matchIndex, log.commitIndex),
        readRound,
      });
    }
  }

  #sendAppends(progress: Progress): void {
    const { log, options } = this.#core;
    if (progress.nextIndex <= log.snapshotIndex) {
      this.#offerSnapshot(progress);
      return;
    }
    while (!progress.isPaused && progress.nextIndex <= log.lastIndex) {
      const room = this.#pace.room(progress.id);
      if (room.entries === 0) {
        break;
      }
      const hi = Math.min(log.lastIndex + 1, progress.nextIndex + room.entries);
      const bytesMax = Math.min(options.appendBytesMax, room.bytes);
      const slice = log.slice(progress.nextIndex, hi, bytesMax);
      if (slice.kind === 'not-cached') {
        this.#askForEntries(progress, hi);
        break;
      }
      this.#sendAppend(progress, slice.entries, slice.bytes);
    }
    const isProbeDue = progress.state === 'probe' && !progress.isProbeSent && !progress.isLoading;
    if (isProbeDue || progress.needsEmptyAppend) {
      this.#sendAppend(progress, [], 0);
    }
    this.#maybeSendCommitNotice(progress);
  }

  /**
   * More is committed than any append on its way says. Who has not been sent that much cannot use
   * the news, and will hear it with the entries.
   */
  #maybeSendCommitNotice(progress: Progress): void {
    const { log, id, term, messages } = this.#core;
    const { commitIndex } = log;
    const isSent = progress.state === 'replicate' && progress.nextIndex > commitIndex;
    if (isSent && progress.sentCommitIndex < commitIndex) {
      progress.sentCommitIndex = commitIndex;
      const commitTerm = must(log.termAt(commitIndex), 'the term of the last committed entry');
      const to = progress.id;
      messages.push({ type: 'CommitNotice', from: id, to, term, commitIndex, commitTerm });
    }
  }

  /** What the peer needs is compacted: it is to fetch a snapshot (Raft thesis §5.1). */
  #offerSnapshot(progress: Progress): void {
    const { log, id, term, messages } = this.#core;
    if (progress.state !== 'snapshot') {
      progress.becomeSnapshot();
      const event = {
        type: 'snapshot-needed',
        peer: progress.id,
        index: log.snapshotIndex,
      } as const;
      this.#core.events.push(event);
    }
    if (!progress.isProbeSent) {
      progress.isProbeSent = true;
      progress.needsEmptyAppend = false;
      const to = progress.id;
      const source = this.#snapshotSource(progress);
      const index = log.snapshotIndex;
      messages.push({ type: 'InstallSnapshot', from: id, to, term, index, source });
    }
  }

  /**
   * Who is to send its state to `peer`: in turn a member that no quorum waits for, since reading a
   * whole state slows a member down, and this node. It comes second, and not never: only its own
   * log is sure to go on where its snapshot ends.
   */
  #snapshotSource(peer: Progress): NodeId {
    const { id } = this.#core;
    const isSparesTurn = peer.snapshotOffers % 2 === 0;
    // Why: an offer that reaches nobody takes no turn. A newcomer is often not up yet when the log
    // is compacted beyond what it needs first, and its first fetch would be from this node.
    if (this.peers.isActive(peer)) {
      peer.snapshotOffers++;
    }
    return isSparesTurn ? (this.peers.spare(peer.id) ?? id) : id;
  }

  #sendAppend(progress: Progress, entries: readonly Entry[], bytes: number): void {
    const { log, id, term, messages } = this.#core;
    const prevLogIndex = progress.nextIndex - 1;
    messages.push({
      type: 'AppendEntries',
      from: id,
      to: progress.id,
      term,
      prevLogIndex,
      prevLogTerm: must(log.termAt(prevLogIndex), 'the term before an append'),
      commitIndex: log.commitIndex,
      entries,
    });
    progress.sentCommitIndex = log.commitIndex;
    progress.needsEmptyAppend = false;
    progress.sent(prevLogIndex + entries.length, bytes);
    this.#pace.sent(progress.id, { entries: entries.length, bytes });
  }

  #askForEntries(progress: Progress, hi: LogIndex): void {
    if (!progress.isLoading) {
      progress.isLoading = true;
      const { cacheFirst } = this.#core.log;
      this.#loads.push({ peer: progress.id, lo: progress.nextIndex, hi: Math.min(hi, cacheFirst) });
    }
  }

  #beginReadRound(): void {
    if (!this.#reads.hasUnassigned || !this.#hasCommittedInTerm) {
      return;
    }
    if (this.#reads.maybeBeginRound()) {
      this.#sendHeartbeats();
      this.#reads.answerConfirmed();
    }
  }
}

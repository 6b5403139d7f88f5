/**
 * One member's decisions: when proposals and reads go to Raft, when they are answered, given up or
 * tried again. Synchronous and pure; `driver.ts` carries out what it returns.
 *
 * Data flows one way: inputs change state and are noted; once a turn the driver calls `turn()`,
 * which hands the queued proposals and reads to Raft as one batch each and returns everything there
 * is to do. So all that arrives in one turn of the event loop shares one log write, one message per
 * peer and one read round.
 */
import { append, assert, type Prng } from '../base/index.ts';
import type { AppliedEntry } from '../kv/index.ts';
import {
  type Configuration,
  decodeConfiguration,
  type Entry,
  type LogIndex,
  type Message,
  type NodeId,
  Raft,
  type RaftConfig,
  type RaftEvent,
  type RaftStatus,
  type SnapshotPosition,
  type Term,
  type WriteTicket,
} from '../raft/index.ts';
import type { HistoryRetention } from './auto-compaction.ts';
import type { ApplyBatch, Effects } from './effects.ts';
import { compactionIndex, type LogCompactionLimits } from './log-compaction.ts';
import { decodeMembership, type MembershipChange } from './membership.ts';
import { type ChangeId, type ChangeResult, MembershipChanges } from './membership-changes.ts';
import { type AppliedState, OwnCommands } from './own-commands.ts';
import {
  decodeEnvelope,
  type ProposalFailure,
  type ProposalId,
  ProposalTable,
} from './proposals.ts';
import { type ReadId, ReadQueue } from './reads.ts';
import { Submission } from './submission.ts';

/** Bounds of one member. */
export interface ReplicaLimits {
  /** Unanswered proposals. */
  readonly proposalsMax: number;
  /** Bytes of unanswered proposals. */
  readonly proposalBytesMax: number;
  /** Waiting linearizable reads. */
  readonly readsMax: number;
  /** Ticks after which an unanswered read round is asked for again. */
  readonly readRetryTicks: number;
  readonly logCompaction: LogCompactionLimits;
}

/** What a replica starts from. */
export interface ReplicaConfig {
  readonly raft: RaftConfig;
  readonly limits: ReplicaLimits;
  /** What of history is kept; all of it, until somebody compacts, when undefined. */
  readonly retention?: HistoryRetention | undefined;
  readonly prng: Prng;
}

const emptyCommand = new Uint8Array(0);

/** See the module comment. */
export class Replica {
  readonly #raft: Raft;
  readonly #limits: ReplicaLimits;
  readonly #proposals: ProposalTable;
  readonly #reads: ReadQueue;
  #tick = 0;
  /** State up to here can be read on this member. */
  #readableIndex: LogIndex;
  /** Highest term of which an entry has been handed out for applying. */
  #appliedTerm = 0;
  #failures: ProposalFailure[] = [];
  #expiredReads: ReadId[] = [];
  readonly #changes: MembershipChanges;
  readonly #submission: Submission;
  #changeResults: ChangeResult[] = [];
  readonly #electionTimeoutTicks: number;
  readonly #own: OwnCommands;

  constructor(config: ReplicaConfig) {
    const { raft, limits, prng } = config;
    this.#raft = new Raft(raft);
    this.#limits = limits;
    const incarnation = prng.nextUint32();
    this.#electionTimeoutTicks = raft.options.electionTimeoutTicks;
    const source = { origin: raft.id, incarnation };
    this.#changes = new MembershipChanges(source, this.#electionTimeoutTicks);
    this.#proposals = new ProposalTable(raft.id, incarnation, {
      countMax: limits.proposalsMax,
      bytesMax: limits.proposalBytesMax,
    });
    this.#submission = new Submission({
      raft: this.#raft,
      proposals: this.#proposals,
      changes: this.#changes,
      firstContext: prng.nextUint32() * 0x10_0000,
    });
    this.#reads = new ReadQueue(limits.readsMax);
    this.#readableIndex = raft.lastApplied;
    this.#own = new OwnCommands({ raft: this.#raft, retention: config.retention, source });
  }

  get term(): number {
    return this.#raft.term;
  }

  /** The leader's id, or 0. */
  get leader(): NodeId {
    return this.#raft.leader;
  }

  get isLeader(): boolean {
    return this.#raft.role === 'leader';
  }

  get tickCount(): number {
    return this.#tick;
  }

  get pendingProposals(): number {
    return this.#proposals.count;
  }

  get pendingReads(): number {
    return this.#reads.count;
  }

  /** The membership that counts: the newest in the log. */
  get configuration(): Configuration {
    return this.#raft.configuration;
  }

  status(): RaftStatus {
    return this.#raft.status();
  }

  /** Tells the time: before every input, and again before every turn; see `Raft.noteTime`. */
  noteTime(nowMs: number): void {
    this.#raft.noteTime(nowMs);
    this.#own.noteTime(nowMs);
  }

  /** Tells which feature levels the connected members read; see `LevelRaise`. */
  noteLevels(newestById: ReadonlyMap<NodeId, number>): void {
    this.#own.noteLevels(newestById);
  }

  /** Tells whether the stored state is near its quota; see `AutoCompaction.noteSpace`. */
  noteSpace(isShort: boolean): void {
    this.#own.noteSpace(isShort);
  }

  /**
   * One tick of logical time: deadlines, retries and, for a member that takes part, elections and
   * heartbeats.
   */
  tick(takesPart = true): void {
    this.#tick++;
    if (takesPart) {
      this.#raft.tick();
    }
    if (this.#proposals.count > 0) {
      append(this.#failures, this.#proposals.expire(this.#tick));
    }
    if (this.#reads.count > 0) {
      append(this.#expiredReads, this.#reads.expire(this.#tick));
      this.#reads.requeueStale(this.#tick - this.#limits.readRetryTicks);
    }
    if (this.#changes.count > 0) {
      append(this.#changeResults, this.#changes.expire(this.#tick));
    }
    if (this.isLeader && this.#tick % this.#electionTimeoutTicks === 0) {
      this.#maybePromote();
    }
  }

  step(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#raft.step(message);
    }
  }

  /**
   * These messages surely do not travel. Only those are news that Raft does not send again: what
   * was to be proposed waits for the next try.
   */
  unsent(messages: readonly { readonly type: string; readonly context?: number }[]): void {
    for (const { type, context } of messages) {
      if ((type === 'Propose' || type === 'ProposeConfChange') && context !== undefined) {
        append(this.#changeResults, this.#submission.refused(context, 'no-leader', this.#tick));
      }
    }
  }

  reportUnreachable(peer: NodeId): void {
    this.#raft.reportUnreachable(peer);
  }

  /** The peer's process is gone; see `Raft.reportDown`. */
  reportDown(peer: NodeId): void {
    this.#raft.reportDown(peer);
  }

  /** The member has just started; see `Raft.reportStarted`. */
  reportStarted(): void {
    this.#raft.reportStarted();
  }

  /** See {@link ProposalTable.maybeAdd}. */
  maybePropose(data: Uint8Array, deadlineTick: number): ProposalId | undefined {
    return this.#proposals.maybeAdd(data, deadlineTick);
  }

  /** Queues a linearizable read; undefined when too many wait already. */
  maybeRead(deadlineTick: number): ReadId | undefined {
    return this.#reads.maybeAdd(deadlineTick);
  }

  /** Ends a proposal that its caller has given up; it may still happen if Raft has taken it. */
  cancelProposal(id: ProposalId): ProposalFailure | undefined {
    return this.#proposals.cancel(id);
  }

  cancelRead(id: ReadId): void {
    this.#reads.cancel(id);
  }

  /** Orders a transfer of leadership; the answer says why not, if not. */
  transferLeader(target: NodeId): string | undefined {
    const result = this.#raft.transferLeader(target);
    return result.kind === 'refused' ? result.reason : undefined;
  }

  /** Queues a change of membership; undefined when too many are under way. */
  maybeChangeMembership(change: MembershipChange, deadlineTick: number): ChangeId | undefined {
    return this.#changes.maybeAdd(change, this.#tick, deadlineTick);
  }

  /** See `Raft.installSnapshot`. */
  installSnapshot(position: SnapshotPosition, sourceTerm: Term): boolean {
    const isAccepted = this.#raft.installSnapshot(position, sourceTerm);
    if (isAccepted) {
      this.#skipTo(position);
    }
    return isAccepted;
  }

  /** The state is damaged: nothing is applied, and no read released, until there is another. */
  suspendApplying(): void {
    this.#raft.suspendApplying();
  }

  /**
   * Whether a state at `index` fits the log: nothing before it is missing, all of it is durable.
   */
  canResumeAt(index: LogIndex): boolean {
    const { snapshotIndex, commitIndex, stableIndex } = this.#raft.status();
    return index >= snapshotIndex && index <= Math.min(commitIndex, stableIndex);
  }

  /** The snapshot that Raft has taken is in the place of state and log. */
  installed(position: SnapshotPosition): void {
    // The state that it has replaced may have been found damaged since.
    this.#raft.resumeApplying(position);
    this.readable(position.index);
  }

  /** The state has been replaced by another one; entries after it are applied, again or not. */
  resumeApplying(position: SnapshotPosition): void {
    if (position.index > this.#raft.status().applyingIndex) {
      this.#skipTo(position);
    }
    this.#raft.resumeApplying(position);
    this.#readableIndex = position.index;
    this.#own.forgetState();
  }

  /**
   * The index up to which the log may go now, or undefined; `durableIndex` is what the state on
   * disk has surely applied, `retainIndex` what somebody still needs from the log.
   */
  maybeCompact(sizes: {
    readonly durableIndex: LogIndex;
    readonly retainIndex: LogIndex;
    readonly logBytes: number;
  }): LogIndex | undefined {
    return compactionIndex(this.#raft.status(), sizes, this.#limits.logCompaction);
  }

  /** The log has been compacted up to `index`. */
  compacted(index: LogIndex): void {
    this.#raft.compact(index);
  }

  writeDone(ticket: WriteTicket): void {
    this.#raft.writeDone(ticket);
  }

  entriesLoaded(id: number, entries: readonly Entry[]): void {
    this.#raft.entriesLoaded(id, entries);
  }

  /** The cluster's time, milliseconds, as far as this member knows. */
  get clusterTimeMs(): number {
    return this.#own.clusterTimeMs;
  }

  /** Takes the applied state, once it has changed. */
  noteState(state: AppliedState): void {
    this.#own.applied(state);
  }

  /** The state machine has taken everything up to `index`. */
  applyDone(index: LogIndex): void {
    this.#raft.applyDone(index);
  }

  /** Reads on this member now see everything up to `index`. */
  readable(index: LogIndex): void {
    assert(index >= this.#readableIndex, () => `readable index ${index} shrinks`);
    this.#readableIndex = index;
  }

  /** Ends every proposal and read; the driver answers them. Nothing may be queued afterwards. */
  close(): {
    readonly failures: readonly ProposalFailure[];
    readonly reads: readonly ReadId[];
    readonly changeResults: readonly ChangeResult[];
  } {
    return {
      failures: this.#proposals.close(),
      reads: this.#reads.close(),
      changeResults: this.#changes.close(),
    };
  }

  /** Hands what is queued to Raft and returns everything there is to do; empty when nothing is. */
  turn(): Effects {
    const compaction = this.#own.propose();
    this.#submission.submitQueued(this.#tick);
    this.#askForReads();
    append(this.#changeResults, this.#submission.submitChange(this.#tick));
    const ready = this.#raft.ready();
    this.#handleEvents(ready.events);
    for (const state of ready.readStates) {
      this.#reads.confirm(state);
    }
    const apply =
      ready.committedEntries.length === 0 ? undefined : this.#openEntries(ready.committedEntries);
    const failures = this.#failures;
    const expiredReads = this.#expiredReads;
    const changeResults = this.#changeResults;
    this.#failures = [];
    this.#expiredReads = [];
    this.#changeResults = [];
    return {
      messages: ready.messages,
      write: ready.write,
      apply,
      loads: ready.loads,
      failures,
      releasedReads: this.#reads.release(this.#readableIndex),
      expiredReads,
      changeResults,
      snapshotRequest: ready.snapshotRequest,
      configuration: ready.configuration,
      compaction,
      events: ready.events,
    };
  }

  /** True when another `turn()` would do more than the last one did, without any new input. */
  get hasWork(): boolean {
    return this.#raft.hasReady();
  }

  /**
   * Entries up to here are not seen one by one: what was proposed may be among them, and must not
   * be taken for lost, and proposed again, when one of a later term comes.
   */
  #skipTo({ term }: SnapshotPosition): void {
    append(this.#failures, this.#proposals.overtaken());
    this.#appliedTerm = Math.max(this.#appliedTerm, term);
  }

  #askForReads(): void {
    if (!this.#reads.hasQueued || this.#raft.leader === 0) {
      return;
    }
    const context = this.#reads.startRound(this.#tick);
    if (this.#raft.readIndex(context).kind === 'dropped') {
      this.#reads.requeue([context]);
    }
  }

  /** A leader makes voters of learners that have caught up and were meant to (design §4.12). */
  #maybePromote(): void {
    const { confState, context } = this.#raft.configuration;
    const { members } = decodeMembership(context);
    for (const { id, autoPromote } of members) {
      if (autoPromote && confState.learners.includes(id) && this.#changes.count === 0) {
        const deadlineTick = this.#tick + this.#electionTimeoutTicks;
        this.#changes.maybeAdd({ type: 'promote', id }, this.#tick, deadlineTick);
      }
    }
  }

  #handleEvents(events: readonly RaftEvent[]): void {
    for (const event of events) {
      if (event.type === 'reads-dropped') {
        this.#reads.requeue(event.contexts);
      } else if (event.type === 'proposals-rejected') {
        const { context, reason } = event;
        append(this.#changeResults, this.#submission.refused(context, reason, this.#tick));
      }
    }
  }

  /** Takes committed entries out of their envelopes and finds the proposals they answer. */
  #openEntries(committed: readonly Entry[]): ApplyBatch {
    const entries: AppliedEntry[] = [];
    const proposalIds: ProposalId[] = [];
    for (const entry of committed) {
      const { index, term } = entry;
      if (term > this.#appliedTerm) {
        this.#appliedTerm = term;
        this.#proposals.requeueLost(term);
      }
      if (entry.type === 'confChange') {
        const configuration = { index, ...decodeConfiguration(entry.data) };
        const result = this.#changes.applied(configuration);
        if (result !== undefined) {
          this.#changeResults.push(result);
        }
        entries.push({ index, term, command: emptyCommand, membership: entry.data });
        proposalIds.push(0);
        continue;
      }
      if (entry.data.length === 0) {
        entries.push({ index, term, command: emptyCommand });
        proposalIds.push(0);
        continue;
      }
      const envelope = decodeEnvelope(entry.data);
      entries.push({ index, term, command: envelope.command });
      proposalIds.push(this.#proposals.maybeResolve(envelope) ?? 0);
    }
    return { entries, proposalIds };
  }
}

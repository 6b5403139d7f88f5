/**
 * One running member: carries out what `replica.ts` decides, on real ports.
 *
 * The loop: inputs (messages, calls, ticks, finished I/O) change the replica and ask for a turn; at
 * the end of the event loop's turn `#turn()` fetches the effects and starts them: messages leave,
 * one log write starts, committed entries enter the state lane. No effect is awaited there; its end
 * is a new input.
 *
 * Invariant: messages that rest on a log write leave only after it is durable (`ready.ts`), and at
 * most one log write is under way. A storage failure stops the member: what it may have promised is
 * no longer known.
 */
import { type EventLoop, KvError, must, type Prng, type TimerHandle } from '../base/index.ts';
import {
  type Command,
  type CommandResult,
  encodeCommand,
  type RangeOperation,
  StateMachine,
  stateMetaKey,
} from '../kv/index.ts';
import type { Metrics } from '../observability/index.ts';
import type { LogIndex, NodeId, RaftOptions, StorageWrite, Term } from '../raft/index.ts';
import type { Engine, LogStore } from '../storage/index.ts';
import type { Transport } from '../transport/index.ts';
import type {
  CallOptions,
  ClusterMember,
  MaintenanceApi,
  MemberApi,
  MembershipApi,
  MemberStatus,
  RangeAnswer,
} from './api.ts';
import { createRaftConfig } from './bootstrap.ts';
import { initialConfiguration } from './membership.ts';
import { defaultLogCompaction, type LogCompactionLimits } from './log-compaction.ts';
import type { ProposalFailure, ProposalId } from './proposals.ts';
import { RangeReader } from './range-reader.ts';
import type { ReadId } from './reads.ts';
import { type ApplyBatch, Replica, type ReplicaLimits } from './replica.ts';
import { type EventLogger, reportEvent, reportState } from './reporting.ts';
import { StateLane } from './state-lane.ts';

/** How a member behaves; see `docs/configuration.md` for the flags behind it. */
export interface MemberOptions {
  /** Length of a tick, milliseconds; also the heartbeat interval. */
  readonly tickMs: number;
  readonly raft: RaftOptions;
  readonly limits: Omit<ReplicaLimits, 'readRetryTicks' | 'logCompaction'>;
  /** When the log is compacted, and how much of it stays. Default {@link defaultLogCompaction}. */
  readonly logCompaction?: LogCompactionLimits | undefined;
  /** A call's deadline when it brings none, and the longest it may ask for, milliseconds. */
  readonly requestTimeoutMs: number;
  /** Encoded bytes of one command. */
  readonly requestBytesMax: number;
  /** Bytes of current records kept in memory. */
  readonly cacheBytesMax: number;
}

/** What a member is made of. */
export interface MemberConfig {
  readonly clusterId: number;
  readonly id: NodeId;
  readonly members: readonly ClusterMember[];
  readonly log: LogStore;
  readonly engine: Engine;
  readonly transport: Transport;
  readonly eventLoop: EventLoop;
  readonly prng: Prng;
  readonly metrics: Metrics;
  readonly logger: EventLogger;
  readonly options: MemberOptions;
  /** Called once when the member cannot go on; it serves nothing from then on. */
  readonly onFatal: (error: unknown) => void;
}

interface PendingProposal {
  readonly resolve: (result: CommandResult) => void;
  readonly reject: (error: KvError) => void;
  readonly startMs: number;
  readonly leader: NodeId;
}

interface PendingRead {
  readonly resolve: () => void;
  readonly reject: (error: KvError) => void;
  readonly startMs: number;
}

/** Limit: calls under way up to which latency matters more than sharing a turn. */
const promptCallsMax = 8;

/** Milliseconds between attempts of a log write that found the disk full. */
const diskFullRetryMs = 1000;

/** See the module comment. */
export class Member implements MemberApi, MembershipApi, MaintenanceApi {
  readonly clusterId: number;
  readonly memberId: NodeId;
  readonly #config: MemberConfig;
  readonly #replica: Replica;
  readonly #stateMachine: StateMachine;
  readonly #lane: StateLane;
  readonly #reader: RangeReader;
  readonly #proposals = new Map<ProposalId, PendingProposal>();
  readonly #reads = new Map<ReadId, PendingRead>();
  /** Where clients reach the other members, as they have told since the start. */
  readonly #clientUrls = new Map<NodeId, readonly string[]>();
  readonly #waiters = new Set<() => void>();
  /** Committed entries that wait for their results, oldest first: up to where, and since when. */
  readonly #applying: { readonly lastIndex: LogIndex; readonly startMs: number }[] = [];
  #ticker: TimerHandle | undefined;
  #isTurnDue = false;
  #writing: Promise<void> | undefined;
  #isDiskFull = false;
  #phase: 'created' | 'running' | 'draining' | 'stopped' = 'created';
  #sizeBytes = 0;
  #fatal: unknown;

  private constructor(config: MemberConfig, stateMeta: Uint8Array | undefined) {
    const { id, log, engine, options, prng } = config;
    this.#config = config;
    this.clusterId = config.clusterId;
    this.memberId = id;
    this.#stateMachine = new StateMachine({
      cacheBytesMax: options.cacheBytesMax,
      meta: stateMeta,
    });
    const raft = createRaftConfig({
      id,
      configuration: initialConfiguration(
        config.members.map(({ id: memberId, name, peerUrls }) => ({
          id: memberId,
          name,
          peerUrls,
          autoPromote: false,
        })),
      ),
      log,
      lastApplied: this.#stateMachine.lastApplied,
      options: options.raft,
      prng,
    });
    const readRetryTicks = Math.max(1, Math.floor(options.raft.electionTimeoutTicks / 2));
    const { limits, logCompaction = defaultLogCompaction } = options;
    this.#replica = new Replica({
      raft,
      limits: { ...limits, readRetryTicks, logCompaction },
      prng,
    });
    this.#lane = new StateLane(engine, this.#stateMachine, {
      onApplied: (batch, results) => {
        this.#onApplied(batch, results);
      },
      onReadable: (index) => {
        this.#replica.readable(index);
        this.#scheduleTurn();
      },
      onFatal: (error) => {
        this.#fail(error);
      },
      endOfTurn: (callback) => {
        config.eventLoop.endOfTurn(callback);
      },
    });
    this.#reader = new RangeReader(this.#stateMachine, this.#lane);
  }

  /**
   * Builds a member from its stores; it takes part once `start()` is called.
   *
   * @throws {KvError} DATA_CORRUPT — log and state contradict each other.
   */
  static async open(config: MemberConfig): Promise<Member> {
    const [meta] = await config.engine.getMany([stateMetaKey]);
    return new Member(config, meta);
  }

  get term(): Term {
    return this.#replica.term;
  }

  get revision(): number {
    return this.#lane.readableRevision;
  }

  /** The leader's id, or 0. */
  get leader(): NodeId {
    return this.#replica.leader;
  }

  get isLeader(): boolean {
    return this.#replica.isLeader;
  }

  /** Joins the cluster: listens, dials, ticks. */
  async start(): Promise<void> {
    const { transport, eventLoop, options } = this.#config;
    await transport.start({
      onMessages: (messages) => {
        this.#replica.step(messages.filter((message) => message.type !== 'StateHash'));
        this.#scheduleTurn();
      },
      onUnreachable: (peer) => {
        this.#replica.reportUnreachable(peer);
        this.#scheduleTurn();
      },
      onDown: (peer) => {
        this.#replica.reportDown(peer);
        this.#scheduleTurn();
      },
      onAnnounced: (peer, clientUrls) => {
        this.#clientUrls.set(peer, clientUrls);
      },
      admit: async (from) =>
        this.#config.members.some(({ id }) => id === from) ? 'ok' : 'unknown-member',
      onRefused: (peer, reason) => {
        this.#config.logger.error({ event: 'refused-by-peer', peer, reason });
      },
      onSnapshotRequested: async () => Promise.reject(new KvError('NOT_IMPLEMENTED')),
      describe: () => ({
        clusterId: this.clusterId,
        members: this.members(),
        removedIds: [],
        appliedIndex: this.#stateMachine.lastApplied.index,
      }),
    });
    this.#phase = 'running';
    this.#replica.reportStarted();
    this.#ticker = eventLoop.every(options.tickMs, () => {
      this.#replica.tick();
      this.#reportState();
      this.#scheduleTurn();
    });
    this.#lane.compact();
    this.#scheduleTurn();
    await this.#refreshSize();
  }

  async propose(command: Command, options: CallOptions = {}): Promise<CommandResult> {
    const { metrics, eventLoop } = this.#config;
    metrics.proposalsTotal.inc();
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      return this.#rejectProposal(refusal);
    }
    const bytes = encodeCommand(command);
    if (bytes.length > this.#config.options.requestBytesMax) {
      return this.#rejectProposal(new KvError('REQUEST_TOO_LARGE'));
    }
    const id = this.#replica.maybePropose(bytes, this.#deadlineTick(options));
    if (id === undefined) {
      return this.#rejectProposal(new KvError('TOO_MANY_REQUESTS'));
    }
    this.#scheduleTurn();
    return new Promise<CommandResult>((resolve, reject) => {
      const { leader } = this.#replica;
      this.#proposals.set(id, { resolve, reject, startMs: eventLoop.nowMs(), leader });
      onAbort(options.signal, () => {
        const failure = this.#replica.cancelProposal(id);
        if (failure !== undefined) {
          this.#failProposal(failure);
        }
      });
    });
  }

  async range(
    range: RangeOperation,
    options: CallOptions & { readonly isSerializable?: boolean | undefined } = {},
  ): Promise<RangeAnswer> {
    if (options.isSerializable === true) {
      return this.#readRange(range);
    }
    return this.confirmRead(options).then(() => this.#readRange(range));
  }

  async confirmRead(options: CallOptions = {}): Promise<void> {
    if (this.#phase === 'stopped' || this.#fatal !== undefined) {
      return Promise.reject(new KvError('STOPPED'));
    }
    const id = this.#replica.maybeRead(this.#deadlineTick(options));
    if (id === undefined) {
      return Promise.reject(new KvError('TOO_MANY_REQUESTS'));
    }
    this.#scheduleTurn();
    return new Promise<void>((resolve, reject) => {
      this.#reads.set(id, { resolve, reject, startMs: this.#config.eventLoop.nowMs() });
      onAbort(options.signal, () => {
        if (this.#reads.delete(id)) {
          this.#replica.cancelRead(id);
          reject(new KvError('CANCELLED'));
        }
      });
    });
  }

  async compactionDone(options: CallOptions = {}): Promise<void> {
    await this.#bounded(this.#lane.compactionDone(), options);
  }

  status(): MemberStatus {
    const raft = this.#replica.status();
    const errors: string[] = [];
    if (raft.leader === 0) {
      errors.push('etcdserver: no leader');
    }
    if (this.#isDiskFull) {
      errors.push('no space left on the disk that holds the log: writes wait');
    }
    return {
      clusterId: this.clusterId,
      memberId: this.memberId,
      name: this.#self().name,
      role: raft.role,
      term: raft.term,
      leader: raft.leader,
      commitIndex: raft.commitIndex,
      appliedIndex: this.#stateMachine.lastApplied.index,
      revision: this.#stateMachine.revision,
      compactRevision: this.#stateMachine.compactRevision,
      sizeBytes: this.#sizeBytes,
      isLearner: false,
      errors,
    };
  }

  members(): readonly ClusterMember[] {
    return this.#config.members.map((member) => ({
      ...member,
      clientUrls: this.#clientUrls.get(member.id) ?? member.clientUrls,
    }));
  }

  async moveLeader(target: NodeId, options: CallOptions = {}): Promise<void> {
    const refusal = this.#replica.transferLeader(target);
    if (refusal !== undefined && this.#replica.leader !== target) {
      throw new KvError('BAD_TRANSFEREE', { details: { refusal } });
    }
    this.#scheduleTurn();
    await this.#bounded(
      this.#until(() => this.#replica.leader === target),
      options,
    );
  }

  async addMember(): Promise<never> {
    return notThereYet();
  }

  async removeMember(): Promise<never> {
    return notThereYet();
  }

  async updateMember(): Promise<never> {
    return notThereYet();
  }

  async promoteMember(): Promise<never> {
    return notThereYet();
  }

  async demoteMember(): Promise<never> {
    return notThereYet();
  }

  async replaceMember(): Promise<never> {
    return notThereYet();
  }

  async openSnapshot(): Promise<never> {
    return notThereYet();
  }

  async hashKv(): Promise<never> {
    return notThereYet();
  }

  alarms(): readonly [] {
    return [];
  }

  async setAlarm(): Promise<never> {
    return notThereYet();
  }

  async defragment(): Promise<never> {
    return notThereYet();
  }

  /**
   * Leaves in good order: refuses new work, hands leadership over, waits for what is under way,
   * closes the stores. Each wait is bounded; what is left then fails with STOPPED and its true
   * outcome.
   */
  async stop(): Promise<void> {
    if (this.#phase === 'draining' || this.#phase === 'stopped') {
      return;
    }
    const { eventLoop, options, transport, log, engine } = this.#config;
    const electionMs = options.tickMs * options.raft.electionTimeoutTicks;
    this.#phase = 'draining';
    if (this.#fatal === undefined) {
      await this.#handOver(electionMs);
      const isDrained = (): boolean => this.#proposals.size === 0 && this.#reads.size === 0;
      await atMost(eventLoop, options.requestTimeoutMs, this.#until(isDrained));
    }
    this.#phase = 'stopped';
    this.#ticker?.cancel();
    this.#endPending();
    await transport.stop();
    await this.#writing;
    await this.#lane.close();
    await log.close();
    await engine.close();
  }

  #self(): ClusterMember {
    return must(
      this.#config.members.find((member) => member.id === this.memberId),
      'this member in its own cluster',
    );
  }

  #refusal(): KvError | undefined {
    if (this.#phase !== 'running' || this.#fatal !== undefined) {
      return new KvError('STOPPED');
    }
    return this.#isDiskFull ? new KvError('DISK_FULL') : undefined;
  }

  async #rejectProposal(error: KvError): Promise<never> {
    this.#config.metrics.proposalsFailed.inc({ outcome: error.outcome });
    return Promise.reject(error);
  }

  async #readRange(range: RangeOperation): Promise<RangeAnswer> {
    return this.#reader.maybeReadCached(range) ?? this.#reader.read(range);
  }

  #deadlineTick(options: CallOptions): number {
    const { requestTimeoutMs, tickMs } = this.#config.options;
    const deadlineMs = Math.min(options.deadlineMs ?? requestTimeoutMs, requestTimeoutMs);
    return this.#replica.tickCount + Math.max(1, Math.ceil(deadlineMs / tickMs));
  }

  /** Under load a turn waits for all input that is due, as one batch; else it starts now. */
  #scheduleTurn(): void {
    if (this.#isTurnDue) {
      return;
    }
    this.#isTurnDue = true;
    const { eventLoop } = this.#config;
    const turn = (): void => {
      this.#turn();
    };
    if (this.#proposals.size + this.#reads.size > promptCallsMax) {
      eventLoop.endOfTurn(turn);
    } else {
      eventLoop.afterCallback(turn);
    }
  }

  #turn(): void {
    this.#isTurnDue = false;
    if (this.#phase === 'stopped' || this.#fatal !== undefined) {
      return;
    }
    try {
      this.#carryOut();
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.#waiters.size > 0) {
      for (const check of [...this.#waiters]) {
        check();
      }
    }
    if (this.#replica.hasWork) {
      this.#scheduleTurn();
    }
  }

  #carryOut(): void {
    const effects = this.#replica.turn();
    if (effects.messages.length > 0) {
      this.#config.transport.send(effects.messages);
    }
    if (effects.write !== undefined) {
      this.#writing = this.#write(effects.write);
    }
    if (effects.apply !== undefined) {
      const lastIndex = must(effects.apply.entries.at(-1), 'a committed entry').index;
      this.#applying.push({ lastIndex, startMs: this.#config.eventLoop.nowMs() });
      this.#lane.push(effects.apply);
    }
    for (const load of effects.loads) {
      this.#config.log.read(load.lo, load.hi, load.bytesMax).then(
        (entries) => {
          this.#replica.entriesLoaded(load.id, entries);
          this.#scheduleTurn();
        },
        (error: unknown) => {
          this.#fail(error);
        },
      );
    }
    this.#answerReads(effects.releasedReads, effects.expiredReads);
    for (const failure of effects.failures) {
      this.#failProposal(failure);
    }
    for (const event of effects.events) {
      reportEvent(event, this.#config.logger, this.#config.metrics);
    }
  }

  /**
   * Makes one write durable, then sends what rested on it. A full disk is waited out; nothing is
   * lost by it.
   */
  async #write(write: StorageWrite): Promise<void> {
    const { log, transport, metrics, eventLoop } = this.#config;
    const { hardState, entries, mustSync } = write;
    const startMs = eventLoop.nowMs();
    for (;;) {
      try {
        await log.append({ hardState, entries, mustSync });
        break;
      } catch (error) {
        if (!(error instanceof KvError) || error.code !== 'DISK_FULL') {
          this.#fail(error);
          return;
        }
        this.#noteDiskFull();
        await delay(eventLoop, diskFullRetryMs);
        if (this.#phase === 'stopped') {
          return;
        }
      }
    }
    if (this.#isDiskFull) {
      this.#isDiskFull = false;
      this.#config.logger.info({ event: 'disk-has-room' });
    }
    if (mustSync) {
      metrics.fsyncSeconds.observe((eventLoop.nowMs() - startMs) / 1000);
    }
    if (write.messages.length > 0) {
      transport.send(write.messages);
    }
    this.#replica.writeDone(write.ticket);
    this.#turn();
  }

  /** Refuses new writes and lets another member lead, until there is room again. */
  #noteDiskFull(): void {
    if (this.#isDiskFull) {
      return;
    }
    this.#isDiskFull = true;
    this.#config.logger.error({
      event: 'disk-full',
      remedy: 'free space on the disk of the data directory; writes go on by themselves',
    });
    const successor = this.#successor();
    if (successor !== undefined) {
      this.#replica.transferLeader(successor);
      this.#scheduleTurn();
    }
  }

  #onApplied(batch: ApplyBatch, results: readonly (CommandResult | undefined)[]): void {
    const { metrics, eventLoop } = this.#config;
    const nowMs = eventLoop.nowMs();
    for (let i = 0; i < batch.proposalIds.length; i++) {
      const id = batch.proposalIds[i] as ProposalId;
      const result = results[i];
      if (result?.kind === 'ok' && result.result.type === 'compact') {
        this.#lane.compact();
      }
      const pending = id === 0 ? undefined : this.#proposals.get(id);
      if (pending !== undefined) {
        this.#proposals.delete(id);
        metrics.commitSeconds.observe((nowMs - pending.startMs) / 1000);
        pending.resolve(must(result, 'the result of a proposed command'));
      }
    }
    const { index } = must(batch.entries.at(-1), 'an applied entry');
    metrics.applyBatchEntries.observe(batch.entries.length);
    for (let oldest = this.#applying[0]; oldest !== undefined && oldest.lastIndex <= index; ) {
      metrics.applySeconds.observe((nowMs - oldest.startMs) / 1000);
      this.#applying.shift();
      oldest = this.#applying[0];
    }
    this.#replica.applyDone(index);
    this.#scheduleTurn();
  }

  #answerReads(released: readonly ReadId[], expired: readonly ReadId[]): void {
    const nowMs = this.#config.eventLoop.nowMs();
    for (const id of released) {
      const read = this.#reads.get(id);
      if (read !== undefined) {
        this.#reads.delete(id);
        this.#config.metrics.readIndexSeconds.observe((nowMs - read.startMs) / 1000);
        read.resolve();
      }
    }
    for (const id of expired) {
      const read = this.#reads.get(id);
      this.#reads.delete(id);
      read?.reject(new KvError('TIMEOUT'));
    }
  }

  #failProposal(failure: ProposalFailure): void {
    const pending = this.#proposals.get(failure.id);
    if (pending === undefined) {
      return;
    }
    this.#proposals.delete(failure.id);
    this.#config.metrics.proposalsFailed.inc({ outcome: failure.outcome });
    const { outcome, reason } = failure;
    const leaderFailed = pending.leader !== this.#replica.leader || pending.leader === 0;
    switch (reason) {
      case 'timeout':
        pending.reject(
          new KvError(leaderFailed ? 'TIMEOUT_LEADER_FAILURE' : 'TIMEOUT', { outcome }),
        );
        break;
      case 'cancelled':
        pending.reject(new KvError('CANCELLED', { outcome }));
        break;
      case 'stopped':
        pending.reject(new KvError('STOPPED', { outcome }));
        break;
    }
  }

  /** The other voter that is furthest among those within reach, when this member leads. */
  #successor(): NodeId | undefined {
    const { progress } = this.#replica.status();
    const reachable = this.#reachablePeers();
    let best: { readonly id: NodeId; readonly matchIndex: number } | undefined;
    for (const [id, { matchIndex }] of progress) {
      const isBetter = best === undefined || matchIndex > best.matchIndex;
      if (isBetter && reachable.has(id)) {
        best = { id, matchIndex };
      }
    }
    return this.#replica.isLeader ? best?.id : undefined;
  }

  #reachablePeers(): ReadonlySet<NodeId> {
    const links = this.#config.transport.links();
    return new Set(links.filter((link) => link.isConnected).map((link) => link.peer.id));
  }

  async #handOver(electionMs: number): Promise<void> {
    const successor = this.#successor();
    if (successor === undefined || this.#replica.transferLeader(successor) !== undefined) {
      return;
    }
    this.#scheduleTurn();
    // A successor that goes away itself, as when the whole cluster stops, is not waited for.
    const isOver = (): boolean =>
      this.#replica.isLeader ? !this.#reachablePeers().has(successor) : this.#replica.leader !== 0;
    await atMost(this.#config.eventLoop, 2 * electionMs, this.#until(isOver));
  }

  #endPending(): void {
    const { failures } = this.#replica.close();
    for (const failure of failures) {
      this.#failProposal(failure);
    }
    for (const read of this.#reads.values()) {
      read.reject(new KvError('STOPPED'));
    }
    this.#reads.clear();
  }

  /** Resolves at the first turn after which `condition` holds. */
  async #until(condition: () => boolean): Promise<void> {
    if (condition()) {
      return Promise.resolve();
    }
    return new Promise<void>((resolve) => {
      const check = (): void => {
        if (condition()) {
          this.#waiters.delete(check);
          resolve();
        }
      };
      this.#waiters.add(check);
    });
  }

  async #bounded(work: Promise<void>, options: CallOptions): Promise<void> {
    const { eventLoop, options: own } = this.#config;
    const deadlineMs = Math.min(options.deadlineMs ?? own.requestTimeoutMs, own.requestTimeoutMs);
    let timer: TimerHandle | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = eventLoop.after(deadlineMs, () => {
        reject(new KvError('TIMEOUT'));
      });
    });
    try {
      await Promise.race([work, deadline]);
    } finally {
      timer?.cancel();
    }
  }

  #fail(error: unknown): void {
    if (this.#fatal !== undefined || this.#phase === 'stopped') {
      return;
    }
    this.#fatal = error;
    this.#ticker?.cancel();
    this.#endPending();
    this.#config.onFatal(error);
  }

  #reportState(): void {
    const { metrics, transport } = this.#config;
    reportState(this.#replica, this.#stateMachine, transport.links(), metrics);
    if (this.#replica.tickCount % sizeRefreshTicks === 0) {
      this.#refreshSize().catch((error: unknown) => {
        this.#fail(error);
      });
    }
  }

  async #refreshSize(): Promise<void> {
    this.#sizeBytes = this.#config.log.sizeBytes() + (await this.#config.engine.sizeBytes());
    this.#config.metrics.storeBytes.set(this.#sizeBytes);
  }
}

/** Ticks between looks at the stores' sizes. */
const sizeRefreshTicks = 50;

/** Calls back when `signal` fires, at once if it has. */
function onAbort(signal: AbortSignal | undefined, callback: () => void): void {
  if (signal === undefined) {
    return;
  }
  if (signal.aborted) {
    callback();
  } else {
    signal.addEventListener('abort', callback, { once: true });
  }
}

/**
 * Waits for `work`, but no longer than `limitMs`; leaves no timer behind that keeps a process up.
 */
async function atMost(eventLoop: EventLoop, limitMs: number, work: Promise<void>): Promise<void> {
  let timer: TimerHandle | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = eventLoop.after(limitMs, resolve);
  });
  await Promise.race([work, limit]);
  timer?.cancel();
}

async function delay(eventLoop: EventLoop, delayMs: number): Promise<void> {
  return new Promise<void>((resolve) => {
    eventLoop.after(delayMs, resolve);
  });
}

async function notThereYet(): Promise<never> {
  return Promise.reject(new KvError('NOT_IMPLEMENTED'));
}

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
import { KvError, must, type TimerHandle } from '../base/index.ts';
import {
  type ApplyOutput,
  type Command,
  type CommandResult,
  encodeCommand,
  type MetaChange,
  type RangeOperation,
} from '../kv/index.ts';
import {
  type Configuration,
  decodeConfiguration,
  type LogIndex,
  type NodeId,
  type Term,
} from '../raft/index.ts';
import type { TransportHandler } from '../transport/index.ts';
import { Administration } from './administration.ts';
import { AdmissionGate, refusedError } from './admission.ts';
import type {
  CallOptions,
  ClusterMember,
  MemberApi,
  MemberStatus,
  RangeAnswer,
  RangeOptions,
} from './api.ts';
import { Applying } from './applying.ts';
import { Calls } from './calls.ts';
import type { ApplyBatch } from './effects.ts';
import { createInbox } from './inbox.ts';
import { Integrity } from './integrity.ts';
import { Leases } from './leases.ts';
import { LogKeeper } from './log-keeper.ts';
import { LogWriter } from './log-writer.ts';
import type { MemberConfig } from './member-config.ts';
import { MemberList } from './member-list.ts';
import { MemberState } from './member-state.ts';
import { memberStatus } from './member-status.ts';
import type { MembershipChange } from './membership.ts';
import { type OpenedReplica, openReplica } from './opening.ts';
import { Outbox } from './outbox.ts';
import type { Replica } from './replica.ts';
import { removalReporter, reportEffects, reportSizes, reportState } from './reporting.ts';
import { SelfReport } from './self-report.ts';
import { Snapshots } from './snapshots.ts';
import { isEngineDamage, type StateLaneHandler } from './state-lane.ts';
import { isNearQuota } from './storage-quota.ts';
import { StateReplacement } from './state-replacement.ts';
import { StateTransfer } from './state-transfer.ts';
import { Succession } from './succession.ts';
import { Turns } from './turns.ts';
import type { WatchAllowance, WatchStream } from './watch-api.ts';
import { Watchdog } from './watchdog.ts';
import { Watches } from './watches.ts';
import { bounded, Conditions, onAbort } from './waiting.ts';

/** Ticks between looks at the stores' sizes. */
const sizeRefreshTicks = 50;
/** Ticks between looks at whether the log is worth compacting. */
const compactionCheckTicks = 10;
/**
 * Ticks of a deadline from which on it is rounded down: who waits in vain is answered, and hears
 * whether its write may have happened, before its own clock ends the call without an answer.
 */
const roundedDownTicks = 10;

/** See the module comment. */
export class Member implements MemberApi {
  readonly clusterId: number;
  readonly memberId: NodeId;
  readonly #config: MemberConfig;
  readonly #replica: Replica;
  readonly #state: MemberState;
  readonly #calls: Calls;
  readonly #members: MemberList;
  readonly #snapshots: Snapshots;
  readonly #transfer: StateTransfer;
  readonly #keeper: LogKeeper;
  readonly #integrity: Integrity;
  readonly #watchdog: Watchdog;
  readonly #succession: Succession;
  readonly #selfReport: SelfReport;
  readonly #watches: Watches;
  readonly administration: Administration;
  readonly leases: Leases;
  readonly #conditions: Conditions;
  readonly #turns: Turns;
  readonly #replacement: StateReplacement;
  readonly #writer: LogWriter;
  readonly #applying: Applying;
  #ticker: TimerHandle | undefined;
  #phase: 'created' | 'running' | 'draining' | 'stopped' = 'created';
  #sizeBytes = 0;
  readonly #gate: AdmissionGate;
  readonly #outbox: Outbox;
  #fatal: unknown;

  private constructor(
    config: MemberConfig,
    state: MemberState,
    { replica, isBlank, joining }: OpenedReplica,
  ) {
    const { clusterId, id, prng, eventLoop, metrics } = config;
    this.#config = config;
    this.clusterId = clusterId;
    this.memberId = id;
    this.#state = state;
    this.#replica = replica;
    const nowMs = (): number => eventLoop.nowMs();
    this.#calls = new Calls(metrics, nowMs);
    this.#conditions = new Conditions(eventLoop);
    this.#turns = this.#createTurns();
    this.#watches = new Watches({ state, eventLoop, metrics, tickMs: config.options.tickMs });
    this.#applying = new Applying({
      ...{ calls: this.#calls, metrics, nowMs },
      leader: () => replica.leader,
    });
    this.#members = new MemberList(replica.configuration, joining);
    this.#snapshots = new Snapshots({
      clusterId,
      ...config.snapshots,
      term: () => replica.term,
      onReadFailed: (error) => {
        this.#maybeQuarantine(error);
      },
    });
    const { transport, logger, log } = config;
    this.#gate = new AdmissionGate(isBlank, this.#members, config);
    this.#outbox = new Outbox(transport, eventLoop);
    this.#transfer = this.#createTransfer();
    this.#succession = new Succession({
      ...{ replica, transport, conditions: this.#conditions, logger, metrics },
      onOrdered: () => {
        this.#turns.schedule();
      },
    });
    this.#writer = this.#createWriter();
    this.#keeper = new LogKeeper({
      ...{ log, replica, state, snapshots: this.#snapshots, logger },
      onFatal: (error) => {
        this.#stateFailed(error);
      },
    });
    this.#replacement = this.#createReplacement();
    this.#integrity = this.#createIntegrity();
    const { tickMs, raft, quotaBytes } = config.options;
    this.#watchdog = new Watchdog({ tickMs, electionMs: tickMs * raft.electionTimeoutTicks });
    this.administration = new Administration({
      members: this.#members,
      state,
      snapshots: this.#snapshots,
      prng,
      change: async (change, options) => this.#change(change, options),
      propose: async (command, options) => this.propose(command, options),
      checkState: () => {
        this.#checkState();
      },
    });
    const { name, clientUrls } = config;
    this.#selfReport = new SelfReport({
      ...{ id, name, clientUrls, quotaBytes, members: this.#members, state, logger },
      propose: async (command) => this.propose(command),
    });
    this.leases = this.#createLeases();
    this.#readState();
  }

  /**
   * Builds a member from its stores; it takes part once `start()` is called.
   *
   * @throws {KvError} DATA_CORRUPT — log and state contradict each other.
   */
  static async open(config: MemberConfig): Promise<Member> {
    const { state: store, options, eventLoop } = config;
    const made: { member?: Member } = {};
    const current = (): Member => must(made.member, 'the member that the lane works for');
    const handler: StateLaneHandler = {
      onApplied: (batch, output) => {
        current().#onApplied(batch, output);
      },
      onReadable: (index) => {
        current().#replica.readable(index);
        current().#turns.schedule();
      },
      onFatal: (error) => {
        current().#stateFailed(error);
      },
      onDamaged: (error) => {
        current().#maybeQuarantine(error);
      },
      onRemoved: removalReporter(config),
      hasListeners: () => made.member !== undefined && made.member.#watches.hasStreams,
      eventLoop,
    };
    const { cacheBytesMax } = options;
    const state = await MemberState.open(store, { cacheBytesMax, handler });
    const opened = await openReplica(config, state);
    const member = new Member(config, state, opened);
    made.member = member;
    if (opened.damage !== undefined) {
      member.#integrity.enter(opened.damage);
    }
    return member;
  }

  get term(): Term {
    return this.#replica.term;
  }

  get revision(): number {
    return this.#state.machine.revision;
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
    await transport.start(this.#createInbox());
    this.#setPeers();
    this.#phase = 'running';
    if (this.#gate.isOpen) {
      this.#replica.reportStarted();
    }
    this.#ticker = eventLoop.every(options.tickMs, () => {
      this.#tick();
    });
    this.#state.lane.compact();
    this.#turns.schedule();
    await this.#refreshSize();
  }

  async propose(command: Command, options: CallOptions = {}): Promise<CommandResult> {
    this.#config.metrics.proposalsTotal.inc();
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      return this.#calls.rejectProposal(refusal);
    }
    const bytes = encodeCommand(command);
    if (bytes.length > this.#config.options.requestBytesMax) {
      return this.#calls.rejectProposal(new KvError('REQUEST_TOO_LARGE'));
    }
    const id = this.#replica.maybePropose(bytes, this.#deadlineTick(options));
    if (id === undefined) {
      return this.#calls.rejectProposal(new KvError('TOO_MANY_REQUESTS'));
    }
    this.#turns.schedule();
    const result = this.#calls.addProposal(id, this.#replica.leader);
    onAbort(options.signal, () => {
      const failure = this.#replica.cancelProposal(id);
      if (failure !== undefined) {
        this.#calls.failProposal(failure, this.#replica.leader);
      }
    });
    return result;
  }

  async range(range: RangeOperation, options: RangeOptions = {}): Promise<RangeAnswer> {
    const refusal = this.#integrity.refusal;
    if (refusal !== undefined) {
      return Promise.reject(refusal);
    }
    if (options.isSerializable === true) {
      await this.#state.lane.upToDate();
      // It may have been found damaged meanwhile.
      this.#checkState();
    } else {
      await this.confirmRead(options);
    }
    return this.#state.readRange(range, options.charge);
  }

  async confirmRead(options: CallOptions = {}): Promise<void> {
    if (this.#phase === 'stopped' || this.#fatal !== undefined) {
      return Promise.reject(new KvError('STOPPED'));
    }
    const refusal = this.#integrity.quarantineRefusal;
    if (refusal !== undefined) {
      return Promise.reject(refusal);
    }
    const id = this.#replica.maybeRead(this.#deadlineTick(options));
    if (id === undefined) {
      return Promise.reject(new KvError('TOO_MANY_REQUESTS'));
    }
    this.#state.lane.wanted();
    this.#turns.schedule();
    const confirmed = this.#calls.addRead(id);
    onAbort(options.signal, () => {
      if (this.#calls.hasRead(id)) {
        this.#replica.cancelRead(id);
        this.#calls.failReads([id], 'CANCELLED');
      }
    });
    await confirmed;
    // The state may have been found damaged meanwhile.
    this.#checkState();
  }

  openWatchStream(allowance?: WatchAllowance): WatchStream {
    this.#checkState();
    if (this.#phase !== 'running') {
      throw new KvError('STOPPED');
    }
    this.#state.lane.wanted();
    return this.#watches.openStream(allowance);
  }

  async compactionDone(options: CallOptions = {}): Promise<void> {
    await bounded(
      this.#config.eventLoop,
      this.#deadlineMs(options),
      this.#state.read(async ({ lane }) => lane.compactionDone()),
    );
  }

  status(): MemberStatus {
    const { clusterId, memberId } = this;
    return memberStatus({
      ...{ clusterId, memberId, name: this.#config.name, sizeBytes: this.#sizeBytes },
      ...{ raft: this.#replica.status(), machine: this.#state.machine },
      isLearner: this.#members.isLearner(memberId),
      quarantineReason: this.#integrity.reason,
      isDiskFull: this.#writer.isDiskFull,
    });
  }

  members(): readonly ClusterMember[] {
    return this.#members.all();
  }

  async moveLeader(target: NodeId, options: CallOptions = {}): Promise<void> {
    await this.#succession.moveTo(target, this.#deadlineMs(options));
  }

  /**
   * Leaves in good order: refuses new work, hands leadership over, waits for what is under way,
   * closes the stores. Each wait is bounded; what is left then fails with STOPPED and its true
   * outcome. `abrupt`: neither hands over nor waits, as after a crash.
   */
  async stop(manner: 'orderly' | 'abrupt' = 'orderly'): Promise<void> {
    if (this.#phase === 'draining' || this.#phase === 'stopped') {
      return;
    }
    const { options, transport, log } = this.#config;
    const electionMs = options.tickMs * options.raft.electionTimeoutTicks;
    this.#phase = 'draining';
    if (this.#fatal === undefined && manner === 'orderly') {
      await this.#succession.handOver(electionMs);
      const isDrained = (): boolean => this.#calls.count === 0;
      await this.#conditions.within(options.requestTimeoutMs, isDrained);
    }
    this.#phase = 'stopped';
    this.#ticker?.cancel();
    this.#endPending();
    await transport.stop();
    await this.#transfer.stop();
    await this.#keeper.stop();
    await this.#writer.stop();
    await log.close();
    await this.#state.close();
  }

  #createIntegrity(): Integrity {
    const { id, logger, metrics } = this.#config;
    const replica = this.#replica;
    const state = this.#state;
    return new Integrity({
      ...{ id, replica, state, transfer: this.#transfer, logger, metrics },
      peers: () => this.#members.reachable.flatMap((each) => (each.id === id ? [] : [each.id])),
      install: async (fetched) => this.#replacement.rebuild(fetched),
      onEntered: () => {
        this.#applying.drop('overtaken');
        this.#watches.end(must(this.#integrity.quarantineRefusal, 'a reason'));
      },
      yieldLeadership: () => {
        this.#succession.yieldTo('its state is damaged');
      },
      raiseAlarm: () => {
        this.#selfReport.setAlarm('corrupt', true);
      },
    });
  }

  #createLeases(): Leases {
    const { prng, eventLoop } = this.#config;
    return new Leases({
      ...{ state: this.#state, prng, eventLoop },
      timeMs: () => this.#replica.clusterTimeMs,
      propose: async (command) => this.propose(command),
      confirmRead: async (options) => this.confirmRead(options),
    });
  }

  #createReplacement(): StateReplacement {
    const { log } = this.#config;
    return new StateReplacement({
      ...{ log, replica: this.#replica, state: this.#state, keeper: this.#keeper },
      onAccepted: () => {
        this.#turns.schedule();
      },
      onReplaced: (index) => {
        this.#stateReplaced(index);
      },
    });
  }

  #createTransfer(): StateTransfer {
    const { transport, eventLoop, logger, state: store } = this.#config;
    return new StateTransfer({
      ...{ transport, snapshots: this.#snapshots, store, eventLoop, logger },
      isReplacing: () => this.#replacement.isUnderWay,
      onFailed: (error) => {
        this.#stateFailed(error);
      },
    });
  }

  #createWriter(): LogWriter {
    const { log, eventLoop, metrics, logger } = this.#config;
    const replica = this.#replica;
    return new LogWriter({
      ...{ log, eventLoop, metrics, logger },
      install: async (write) => this.#replacement.install(write),
      onDone: (write) => {
        this.#outbox.send(write.messages);
        replica.writeDone(write.ticket);
        this.#turns.takeNow();
      },
      onDiskFull: () => {
        this.#succession.yieldTo('its disk is full');
      },
      onFatal: (error) => {
        this.#fail(error);
      },
    });
  }

  #createTurns(): Turns {
    return new Turns({
      ...{ eventLoop: this.#config.eventLoop, calls: this.#calls },
      take: () => {
        this.#turn();
      },
    });
  }

  #createInbox(): TransportHandler {
    const { clusterId } = this;
    return createInbox({
      ...{ config: this.#config, clusterId, replica: this.#replica, state: this.#state },
      ...{ integrity: this.#integrity, gate: this.#gate, outbox: this.#outbox },
      ...{ members: this.#members, snapshots: this.#snapshots },
      onNews: () => {
        this.#turns.schedule();
      },
      onFatal: (error) => {
        this.#fail(error);
      },
    });
  }

  #setPeers(): void {
    const { transport, peerOf } = this.#config;
    const others = this.#members.reachable.filter(({ id }) => id !== this.memberId);
    transport.setPeers(others.map(peerOf));
  }

  #tick(): void {
    if (this.#gate.tick()) {
      this.#replica.reportStarted();
    }
    this.#replica.noteTime(this.#config.eventLoop.nowMs());
    this.#replica.tick(this.#gate.isOpen);
    this.#snapshots.tick();
    this.#watches.tick();
    if (this.leader !== 0) {
      this.#selfReport.maybePublish();
    }
    this.#watch();
    const reports = this.#integrity.tick();
    if (reports.length > 0) {
      this.#outbox.send(reports);
    }
    if (this.#replica.tickCount % compactionCheckTicks === 0 && !this.#replacement.isUnderWay) {
      this.#keeper.maybeCompact();
    }
    this.#reportState();
    this.#turns.schedule();
  }

  async #change(change: MembershipChange, options: CallOptions = {}): Promise<void> {
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      return Promise.reject(refusal);
    }
    const id = this.#replica.maybeChangeMembership(change, this.#deadlineTick(options));
    if (id === undefined) {
      return Promise.reject(new KvError('TOO_MANY_REQUESTS'));
    }
    this.#turns.schedule();
    return this.#calls.addChange(id);
  }

  #readState(): void {
    this.#noteState();
    for (const [name, value] of this.#state.openedAttributes) {
      this.#members.setRecord(name, value);
    }
    const { openedConfiguration } = this.#state;
    if (openedConfiguration !== undefined) {
      this.#setApplied(openedConfiguration);
    }
  }

  /** @throws {KvError} UNHEALTHY — the state is damaged. */
  #checkState(): void {
    const refusal = this.#integrity.quarantineRefusal;
    if (refusal !== undefined) {
      throw refusal;
    }
  }

  #refusal(): KvError | undefined {
    if (this.#phase !== 'running' || this.#fatal !== undefined) {
      return new KvError('STOPPED');
    }
    if (this.#writer.isDiskFull) {
      return new KvError('DISK_FULL');
    }
    // An alarm must not stop the command that lifts it: the state machine refuses what it must.
    return this.#integrity.reason === undefined ? undefined : this.#integrity.refusal;
  }

  #deadlineTick(options: CallOptions): number {
    const { tickMs } = this.#config.options;
    const ticks = this.#deadlineMs(options) / tickMs;
    const whole = ticks < roundedDownTicks ? Math.ceil(ticks) : Math.floor(ticks);
    return this.#replica.tickCount + Math.max(1, whole);
  }

  #deadlineMs({ deadlineMs = Number.POSITIVE_INFINITY }: CallOptions): number {
    return Math.min(deadlineMs, this.#config.options.requestTimeoutMs);
  }

  #turn(): void {
    if (this.#phase === 'stopped' || this.#fatal !== undefined) {
      return;
    }
    try {
      this.#carryOut();
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#conditions.check();
    if (this.#replica.hasWork) {
      this.#turns.schedule();
    }
  }

  #carryOut(): void {
    this.#replica.noteTime(this.#config.eventLoop.nowMs());
    const effects = this.#replica.turn();
    if (effects.messages.length > 0) {
      this.#replica.unsent(this.#outbox.send(effects.messages));
    }
    if (effects.write !== undefined) {
      this.#writer.write(effects.write);
    }
    if (effects.apply !== undefined) {
      this.#applying.begin(effects.apply);
      this.#state.lane.push(effects.apply);
    }
    for (const load of effects.loads) {
      this.#config.log.read(load.lo, load.hi, load.bytesMax).then(
        (entries) => {
          this.#replica.entriesLoaded(load.id, entries);
          this.#turns.schedule();
        },
        (error: unknown) => {
          this.#fail(error);
        },
      );
    }
    if (effects.configuration !== undefined) {
      this.#members.setConfiguration(effects.configuration);
      this.#setPeers();
    }
    if (effects.snapshotRequest !== undefined && this.#integrity.reason === undefined) {
      this.#transfer.maybeFetch(effects.snapshotRequest, (fetched) =>
        this.#replacement.offer(fetched),
      );
    }
    this.#calls.resolveReads(effects.releasedReads);
    this.#calls.failReads(effects.expiredReads, 'TIMEOUT');
    for (const failure of effects.failures) {
      this.#calls.failProposal(failure, this.#replica.leader);
    }
    for (const result of effects.changeResults) {
      this.#calls.endChange(result);
    }
    reportEffects(effects, this.#config.logger, this.#config.metrics);
  }

  /** Notices that this member is slow, and lets another one lead. */
  #watch(): void {
    const stall = this.#watchdog.tick(this.#config.eventLoop.nowMs(), this.#writer.startMs);
    if (stall !== undefined && this.isLeader) {
      this.#succession.yieldTo(`its ${stall} stalls`);
    }
  }

  /** What the engine holds cannot be read: other members have it too, if there are any. */
  #stateFailed(error: unknown): void {
    if (!this.#maybeQuarantine(error)) {
      this.#fail(error);
    }
  }

  /** Takes a damaged state out of service if there are others to rebuild it from. */
  #maybeQuarantine(error: unknown): boolean {
    if (!isEngineDamage(error) || this.#members.all().length < 2) {
      return false;
    }
    this.#integrity.enter(error.message);
    this.#turns.schedule();
    return true;
  }

  #stateReplaced(index: LogIndex): void {
    this.#applying.drop('overtaken');
    this.#readState();
    this.#setPeers();
    this.#watches.replaced();
    this.#integrity.replaced();
    this.#state.lane.compact();
    this.#config.logger.info({ event: 'snapshot-installed', index });
    this.#turns.schedule();
  }

  #onApplied(batch: ApplyBatch, output: ApplyOutput): void {
    const { results, changes } = output;
    if (results.some((each) => each?.kind === 'ok' && each.result.type === 'compact')) {
      this.#state.lane.compact();
    }
    const index = this.#applying.applied(batch, results);
    this.#watches.applied(output);
    for (const change of changes) {
      this.#noteChange(change);
    }
    this.#noteState();
    this.#replica.applyDone(index);
    this.#turns.schedule();
  }

  #noteState(): void {
    this.#replica.noteTime(this.#config.eventLoop.nowMs());
    this.#replica.noteState(this.#state.machine);
  }

  #noteChange(change: MetaChange): void {
    if (change.type === 'record') {
      this.#members.setRecord(change.name, change.value);
      this.#setPeers();
    } else if (change.type === 'membership') {
      this.#setApplied({ index: change.index, ...decodeConfiguration(change.membership) });
      if (this.#members.isRemoved(this.memberId)) {
        this.#leave();
      }
    }
  }

  /**
   * Whoever is removed is told so when it dials. One that has dialled after it left the
   * configuration, and before its removal was applied here, was admitted: it has to dial again.
   */
  #setApplied(configuration: Configuration): void {
    for (const id of this.#members.setApplied(configuration)) {
      this.#config.transport.hangUp(id);
    }
  }

  /** This member has applied its own removal: it stops, once its callers have heard of it. */
  #leave(): void {
    const { eventLoop, options, name, logger } = this.#config;
    logger.warn({ event: 'member-removed' });
    eventLoop.after(options.tickMs * options.raft.electionTimeoutTicks, () => {
      this.#fail(refusedError('removed', name, this.memberId));
    });
  }

  #endPending(): void {
    const { failures, changeResults } = this.#replica.close();
    for (const failure of failures) {
      this.#calls.failProposal(failure, this.#replica.leader);
    }
    for (const result of changeResults) {
      this.#calls.endChange(result);
    }
    this.#applying.drop('stopped');
    this.#watches.end(new KvError('STOPPED'));
    this.#calls.endReads();
    this.#conditions.end();
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
    const [replica, integrity] = [this.#replica, this.#integrity];
    reportState({ replica, integrity, state: this.#state, links: transport.links() }, metrics);
    if (this.#replica.tickCount % sizeRefreshTicks === 0) {
      this.#refreshSize().catch((error: unknown) => {
        this.#fail(error);
      });
    }
  }

  async #refreshSize(): Promise<void> {
    const { metrics, options, log } = this.#config;
    const stateBytes = await this.#state.engine.sizeBytes();
    this.#replica.noteSpace(isNearQuota(stateBytes, options.quotaBytes));
    if (this.leader !== 0) {
      this.#selfReport.checkQuota(stateBytes);
    }
    const sizes = { logBytes: log.sizeBytes(), stateBytes, quotaBytes: options.quotaBytes };
    this.#sizeBytes = reportSizes(sizes, metrics);
  }
}

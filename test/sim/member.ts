/**
 * One simulated member: the production `Raft`, `Replica` and `StateMachine` under a driver without
 * promises, which carries out their effects in the order that `src/raft/ready.ts` demands, as
 * `src/replica/driver.ts` does for real.
 *
 * `SimMember` is the place: its disk survives crashes. `Run` is the process that lives there from a
 * start to the next crash; whatever was under way then never comes back to a later run.
 */
import { assert, KvError, must, type Prng } from '../../src/base/index.ts';
import {
  type AppliedEntry,
  type Command,
  type CommandResult,
  decodeMembershipRecord,
  encodeCommandBehind,
  eventsAhead,
  firstLevel,
  membershipMetaKey,
  type MetaChange,
  type RangeOperation,
  rangeQuery,
  type Reading,
  readSnapshotHead,
  snapshotHeadKeys,
  StateMachine,
  type StoredRecord,
  type ApplyOutput,
} from '../../src/kv/index.ts';
import {
  type Configuration,
  decodeConfiguration,
  defaultRaftOptions,
  type HardState,
  type LoadRequest,
  type Message,
  type NodeId,
  type RaftStatus,
  type SnapshotPosition,
  type StorageWrite,
} from '../../src/raft/index.ts';
import { describeEvent, describeMessage, describeStatus } from '../../src/raft/describe.ts';
import { createRaftConfig } from '../../src/replica/bootstrap.ts';
import type { ApplyBatch } from '../../src/replica/effects.ts';
import type { MembershipChange } from '../../src/replica/membership.ts';
import type { ChangeId, ChangeResult } from '../../src/replica/membership-changes.ts';
import { envelopeBytes, type ProposalId } from '../../src/replica/proposals.ts';
import type { ReadId } from '../../src/replica/reads.ts';
import { Replica } from '../../src/replica/replica.ts';
import type { VirtualClock } from './clock.ts';
import { SimDisk, type SimEngine } from './disk.ts';
import {
  Gate,
  type GuardedRead,
  type GuardedWatch,
  type ProposeAnswer,
  type RangeAnswer,
} from './gate.ts';
import { runOver, SimLane } from './lane.ts';
import type { SimParameters } from './parameters.ts';
import type { Trace } from './trace.ts';

/** Results of entries that a member has just applied. */
export interface AppliedBatch {
  readonly entries: readonly AppliedEntry[];
  readonly results: readonly (CommandResult | undefined)[];
  readonly revision: number;
  readonly compactRevision: number;
  /** As the state machine hands them out. */
  readonly events: readonly StoredRecord[];
  readonly changes: readonly MetaChange[];
}

/** Who looks on; see `observer.ts`. */
export interface MemberWatcher {
  started(member: SimMember, status: RaftStatus): void;
  stepped(member: SimMember, before: RaftStatus, after: RaftStatus): void;
  sent(member: SimMember, message: Message): void;
  writing(member: SimMember, write: StorageWrite): void;
  applied(member: SimMember, batch: AppliedBatch): void;
  installed(member: SimMember, index: number): void;
  read(member: SimMember, read: GuardedRead): void;
  watched(member: SimMember, watch: GuardedWatch): void;
  crashed(member: SimMember): void;
}

/** A fetched snapshot, and the term of the member that made it. */
export interface SimSnapshot {
  readonly engine: SimEngine;
  readonly senderTerm: number;
}

/** What members share. */
export interface MemberHost {
  readonly clock: VirtualClock;
  readonly trace: Trace;
  readonly parameters: SimParameters;
  readonly observers: MemberWatcher;
  send(message: Message): void;
  /** Feature levels that the members read which this one is connected with, itself included. */
  levelsHeardBy(member: SimMember): ReadonlyMap<NodeId, number>;
  /** Pulls a snapshot of at least `minIndex` from `from`; the answer may never come. */
  fetchSnapshot(
    to: SimMember,
    request: { readonly from: NodeId; readonly minIndex: number },
    done: (fetched: SimSnapshot | undefined) => void,
  ): void;
  /** A trigger set by a fault has been reached: the member loses power here. */
  crash(member: SimMember): void;
}

/** Points in the life of a write at which a crash tells most. */
export type CrashPoint =
  | 'now'
  | 'sent'
  | 'write-begun'
  | 'write-durable'
  | 'acknowledged'
  | 'applied'
  | 'engine-written'
  | 'activated';

/** Turns without anything from outside; more means that the member is busy with nothing. */
const turnsMax = 10_000;
/**
 * Microseconds that a batch nobody waits for may gather others. Less than a member's own time: here
 * somebody always reads.
 */
const gatherUs = 8000;
/** How long a checkpoint may wait for more, while what it is to follow is in the engine already. */
const lagUs = 200_000;
/** Ticks between looks at whether the log is to be compacted. */
const compactionTicks = 7;

/** See the module comment. */
export class SimMember {
  readonly id: NodeId;
  readonly disk = new SimDisk();
  readonly host: MemberHost;
  readonly #prng: Prng;
  readonly #initial: Configuration;
  #run: Run | undefined;
  #clockRate = 1000;
  /** What the machine's clock showed, and the true time then, when its rate changed last. */
  #clockShownUs = 0;
  #clockSetUs = 0;
  crashPoint: CrashPoint | undefined;
  /** Newest feature level that its build reads. */
  newestLevel = firstLevel;
  /** Will not be started again: it has been removed from the cluster. */
  isRetired = false;
  /** The last picture of the current run; of no run when it is down. */
  status: RaftStatus | undefined;
  runs = 0;

  constructor(id: NodeId, host: MemberHost, prng: Prng, initial: Configuration) {
    this.id = id;
    this.host = host;
    this.#prng = prng;
    this.#initial = initial;
  }

  /** Of its clock, in thousandths of the true rate. */
  get clockRate(): number {
    return this.#clockRate;
  }

  set clockRate(rate: number) {
    this.#clockShownUs = this.clockUs;
    this.#clockSetUs = this.host.clock.nowUs;
    this.#clockRate = rate;
  }

  /** The clock of its machine, which goes on while the process is stopped or dead. */
  get clockUs(): number {
    return (
      this.#clockShownUs + ((this.host.clock.nowUs - this.#clockSetUs) * this.#clockRate) / 1000
    );
  }

  get isUp(): boolean {
    return this.#run !== undefined;
  }

  get isPaused(): boolean {
    return this.#run?.isPaused === true;
  }

  /** The process, which must be up. */
  get run(): Run {
    return must(this.#run, `a running member ${this.id}`);
  }

  get prng(): Prng {
    return this.#prng;
  }

  note(text: () => string): void {
    const { trace, clock } = this.host;
    if (trace.isOn) {
      trace.add(clock.nowUs, `n${this.id} ${text()}`);
    }
  }

  start(): void {
    assert(this.#run === undefined, 'a member is started once at a time');
    this.#finishInstall();
    this.runs++;
    this.note(() => `start ${this.runs}`);
    try {
      this.#run = new Run(this, this.#initial);
    } catch (error) {
      this.noteIfOutdated(error);
      return;
    }
    this.#run.begin();
  }

  crash(): void {
    const run = this.#run;
    if (run === undefined) {
      return;
    }
    this.#run = undefined;
    this.status = undefined;
    this.crashPoint = undefined;
    const inEngine = run.end();
    if (inEngine !== undefined && this.#prng.nextInt(0, 2) === 0) {
      this.disk.engine.write(inEngine);
    }
    const lost = this.disk.crash(this.#prng);
    this.note(() => `crash: lost ${lost.logWrites} log writes, ${lost.stateBatches} state batches`);
    this.host.observers.crashed(this);
    run.abandonCalls();
  }

  /** Stops the process without ending it, as SIGSTOP does. */
  pause(): void {
    this.#run?.pause();
  }

  resume(): void {
    this.#run?.resume();
  }

  /** Does nothing when it is down. */
  deliver(message: Message): void {
    this.#run?.deliver(message);
  }

  /**
   * A process ends when it meets a feature level that its build does not read.
   *
   * @throws whatever else has gone wrong
   */
  noteIfOutdated(error: unknown): void {
    if (!(error instanceof KvError) || error.code !== 'VERSION_MISMATCH') {
      throw error;
    }
    this.note(() => 'ends: its build is too old');
  }

  /** Crashes here if a fault wants that; true when it has. */
  reach(point: CrashPoint): boolean {
    if (this.crashPoint !== point) {
      return false;
    }
    this.note(() => `reached ${point}`);
    this.host.crash(this);
    return true;
  }

  /**
   * A crash between the switch of the state and the reset of the log is made good: the state is of
   * a snapshot that the log does not know.
   */
  #finishInstall(): void {
    const { log, installed } = this.disk;
    if (installed === undefined || installed.index <= log.snapshotIndex) {
      return;
    }
    if (log.termAt(installed.index) !== installed.term) {
      const { currentTerm, votedFor } = log.hardState;
      const isLater = installed.term > currentTerm;
      log.reset(installed, {
        currentTerm: Math.max(currentTerm, installed.term),
        votedFor: isLater ? 0 : votedFor,
        commitIndex: installed.index,
      });
    }
  }
}

/** See the module comment. */
export class Run {
  readonly #member: SimMember;
  readonly #host: MemberHost;
  readonly replica: Replica;
  /** For clients with accounts. */
  readonly gate: Gate;
  stateMachine: StateMachine;
  #lane: SimLane;
  #isOver = false;
  /** What has come while the process was stopped; undefined while it runs. */
  #backlog: (() => void)[] | undefined;
  #isTickDue = false;
  #isTurnDue = false;
  #isTurning = false;
  #isFetching = false;
  #staged: { readonly engine: SimEngine; readonly position: SnapshotPosition } | undefined;
  #ticks = 0;
  #loads = 0;
  readonly #proposals = new Map<ProposalId, (answer: ProposeAnswer) => void>();
  readonly #reads = new Map<ReadId, (failure: string | undefined) => void>();
  readonly #changes = new Map<ChangeId, (result: ChangeResult | undefined) => void>();

  constructor(member: SimMember, initial: Configuration) {
    const { host, disk, prng } = member;
    this.#member = member;
    this.#host = host;
    const { raft: drawn, member: limits, retention } = host.parameters;
    const { unappliedBytesMax = defaultRaftOptions.unappliedBytesMax } = drawn;
    const options = { ...drawn, unappliedBytesMax };
    this.stateMachine = this.#createStateMachine();
    const record = disk.engine.get(membershipMetaKey);
    const raft = createRaftConfig({
      id: member.id,
      configuration: record === undefined ? initial : configurationOf(record),
      hardState: disk.log.hardState,
      log: disk.log.summary(),
      lastApplied: this.stateMachine.lastApplied,
      options,
      prng,
    });
    this.replica = new Replica({
      raft,
      limits: {
        proposalsMax: limits.proposalsMax,
        proposalBytesMax: limits.proposalBytesMax,
        readsMax: limits.readsMax,
        readRetryTicks: Math.max(1, Math.floor(options.electionTimeoutTicks / 2)),
        logCompaction: {
          entriesMax: limits.logEntriesMax,
          bytesMax: limits.logBytesMax,
          marginEntries: limits.logMarginEntries,
        },
      },
      retention,
      prng,
    });
    this.#lane = this.#createLane();
    this.gate = new Gate(this, {
      prng,
      readUs: host.parameters.disk.readUs,
      onChecked: (read) => {
        host.observers.read(member, read);
      },
    });
  }

  begin(): void {
    const status = this.replica.status();
    this.#member.status = status;
    this.#noteState();
    this.#member.note(() => describeStatus(status));
    this.#host.observers.started(this.#member, status);
    this.replica.reportStarted();
    this.#scheduleTick();
    this.#scheduleTurn();
  }

  get isPaused(): boolean {
    return this.#backlog !== undefined;
  }

  get readableIndex(): number {
    return this.#lane.readableIndex;
  }

  get readableRevision(): number {
    return this.#lane.readableRevision;
  }

  /** Nothing is under way but time. */
  get isIdle(): boolean {
    return !this.replica.hasWork && this.#lane.isIdle && this.#loads === 0;
  }

  /** Power is lost; returns the engine's batch that may or may not have got through. */
  end(): SimLane['writingBatch'] {
    this.#isOver = true;
    const batch = this.#lane.writingBatch;
    this.#lane.close();
    return batch;
  }

  /** Connections break: callers do not know what became of their calls. */
  abandonCalls(): void {
    const failed = { kind: 'failed', outcome: 'unknown', reason: 'connection lost' } as const;
    for (const done of this.#proposals.values()) {
      done(failed);
    }
    for (const confirm of this.#reads.values()) {
      confirm(failed.reason);
    }
    for (const done of this.#changes.values()) {
      done(undefined);
    }
  }

  pause(): void {
    this.#backlog ??= [];
  }

  resume(): void {
    const backlog = this.#backlog ?? [];
    this.#backlog = undefined;
    for (const act of backlog) {
      if (!this.#isOver) {
        act();
      }
    }
    if (this.#isTickDue && !this.#isOver) {
      this.#isTickDue = false;
      this.#tick();
    }
  }

  deliver(message: Message): void {
    this.input(() => {
      this.#member.note(() => `<- ${describeMessage(message)}`);
      this.replica.step([message]);
    });
  }

  reportUnreachable(peer: NodeId): void {
    this.input(() => {
      this.replica.reportUnreachable(peer);
    });
  }

  reportDown(peer: NodeId): void {
    this.input(() => {
      this.#member.note(() => `told that ${peer} is down`);
      this.replica.reportDown(peer);
    });
  }

  transferLeader(target: NodeId): void {
    this.input(() => {
      this.#member.note(() => `told to transfer to ${target}`);
      this.replica.transferLeader(target);
    });
  }

  propose(command: Command, timeoutUs: number, done: (answer: ProposeAnswer) => void): void {
    this.input(() => {
      const data = encodeCommandBehind(envelopeBytes, command);
      const id = this.replica.maybePropose(data, this.#deadline(timeoutUs));
      if (id === undefined) {
        done({ kind: 'failed', outcome: 'rejected', reason: 'too many requests' });
      } else {
        this.#proposals.set(id, done);
      }
    });
  }

  read(range: RangeOperation, timeoutUs: number, done: (answer: RangeAnswer) => void): void {
    this.confirmRead(timeoutUs, (failure) => {
      done(failure === undefined ? this.readRange(range) : { kind: 'failed', reason: failure });
    });
  }

  /** Calls back once a linearizable read may be served, or with the reason why it may not. */
  confirmRead(timeoutUs: number, done: (failure: string | undefined) => void): void {
    this.input(() => {
      const id = this.replica.maybeRead(this.#deadline(timeoutUs));
      if (id === undefined) {
        done('too many requests');
      } else {
        this.#reads.set(id, done);
      }
    });
  }

  /** A read that may be stale. */
  readSerializable(range: RangeOperation, done: (answer: RangeAnswer) => void): void {
    this.input(() => {
      done(this.readRange(range));
    });
  }

  changeMembership(
    change: MembershipChange,
    timeoutUs: number,
    done: (result: ChangeResult | undefined) => void,
  ): void {
    this.input(() => {
      const id = this.replica.maybeChangeMembership(change, this.#deadline(timeoutUs));
      if (id === undefined) {
        done(undefined);
      } else {
        this.#changes.set(id, done);
      }
    });
  }

  /**
   * Runs a reading over what the engine of this state shows now: while a snapshot takes its place,
   * that is not the engine on disk any more.
   */
  runReading<T>(reading: Reading<T>): T {
    return this.#lane.read(reading);
  }

  /** Reads what the engine shows now. */
  readRange(range: RangeOperation): RangeAnswer {
    const revision = this.#lane.readableRevision;
    const compactRevision = Math.min(this.stateMachine.compactRevision, revision);
    const point = { revision, compactRevision };
    const cached = this.stateMachine.cachedPoint(range, point);
    const outcome = cached ?? this.#lane.read(rangeQuery(range, point));
    return { kind: 'read', revision, outcome };
  }

  #deadline(timeoutUs: number): number {
    const { tickUs } = this.#host.parameters.member;
    return this.replica.tickCount + Math.max(1, Math.ceil(timeoutUs / tickUs));
  }

  #createStateMachine(): StateMachine {
    const cacheBytesMax = this.#host.parameters.member.stateCacheBytesMax;
    const levels = { oldest: firstLevel, newest: this.#member.newestLevel };
    const { engine } = this.#member.disk;
    const machine = runOver(engine, StateMachine.open({ cacheBytesMax, levels }));
    engine.write(runOver(engine, eventsAhead(machine.revision)));
    return machine;
  }

  #createLane(): SimLane {
    const { engineUs } = this.#host.parameters.disk;
    const maybeWait = (maxUs: number, run: () => void): boolean => {
      if (this.#member.prng.nextInt(0, 2) === 0) {
        return false;
      }
      this.after(this.#member.prng.nextInt(0, maxUs), () => {
        if (this.#lane === lane) {
          run();
        }
      });
      return true;
    };
    const lane: SimLane = new SimLane(this.#member.disk.engine, this.stateMachine, {
      afterEngine: (run) => {
        this.after(this.#member.prng.nextInt(0, engineUs + 1), () => {
          if (this.#lane === lane) {
            run();
          }
        });
      },
      maybeGather: (run) => maybeWait(gatherUs, run),
      maybeLag: (run) => maybeWait(lagUs, run),
      onApplied: (batch, results, output) => {
        this.#onApplied(batch, results, output);
      },
      onReadable: (index) => {
        this.replica.readable(index);
        this.#scheduleTurn();
      },
      onEngineWritten: () => {
        const { engine } = this.#member.disk;
        if (engine.unflushedBatches >= this.#host.parameters.disk.flushBatches) {
          engine.flush();
        }
        this.#member.reach('engine-written');
      },
    });
    return lane;
  }

  /** Runs `act` in this process after a while, unless it has ended; later if it is paused. */
  after(delayUs: number, act: () => void): void {
    this.#host.clock.after(delayUs, () => {
      this.input(act);
    });
  }

  /** Something comes from outside: it is handled, looked at, and a turn follows. */
  input(act: () => void): void {
    if (this.#isOver) {
      return;
    }
    if (this.#backlog !== undefined) {
      this.#backlog.push(() => {
        this.input(act);
      });
      return;
    }
    this.#noteTime();
    this.#attempt(act);
    this.#observe();
    this.#scheduleTurn();
  }

  #attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#member.noteIfOutdated(error);
      this.#host.crash(this.#member);
    }
  }

  #observe(): void {
    const member = this.#member;
    const before = member.status;
    if (this.#isOver || before === undefined) {
      return;
    }
    const after = this.replica.status();
    member.status = after;
    this.#host.observers.stepped(member, before, after);
  }

  #scheduleTick(): void {
    const { clock, parameters } = this.#host;
    const periodUs = Math.round((parameters.member.tickUs * 1000) / this.#member.clockRate);
    clock.after(periodUs, () => {
      if (this.#isOver) {
        return;
      }
      this.#scheduleTick();
      if (this.#backlog === undefined) {
        this.#tick();
      } else {
        // However many come while the process is stopped, it sees one.
        this.#isTickDue = true;
      }
    });
  }

  #tick(): void {
    this.input(() => {
      this.replica.tick();
      if (this.#host.parameters.mixesLevels === true) {
        this.replica.noteLevels(this.#host.levelsHeardBy(this.#member));
      }
      if (++this.#ticks % compactionTicks === 0) {
        this.#maybeCompactLog();
      }
    });
  }

  #maybeCompactLog(): void {
    const { log, engine } = this.#member.disk;
    const { logEntriesMax, logBytesMax } = this.#host.parameters.member;
    const isLong = this.#lane.readableIndex - log.snapshotIndex >= logEntriesMax;
    if ((!isLong && log.bytes <= logBytesMax) || this.#staged !== undefined) {
      return;
    }
    engine.flush();
    const index = this.replica.maybeCompact({
      durableIndex: this.#lane.readableIndex,
      retainIndex: Number.MAX_SAFE_INTEGER,
      logBytes: log.bytes,
    });
    if (index !== undefined) {
      this.#member.note(() => `compacts its log up to ${index}`);
      this.replica.compacted(index);
      log.compact(index);
    }
  }

  #scheduleTurn(): void {
    if (this.#isTurnDue || this.#isOver) {
      return;
    }
    this.#isTurnDue = true;
    if (this.#isTurning) {
      return;
    }
    const { turnDelayUs } = this.#host.parameters.member;
    if (turnDelayUs === 0) {
      this.#turn();
    } else {
      this.#host.clock.after(turnDelayUs, () => {
        if (this.#backlog === undefined) {
          this.#turn();
        } else {
          this.#backlog.push(() => {
            this.#turn();
          });
        }
      });
    }
  }

  #turn(): void {
    this.#isTurning = true;
    let turns = 0;
    while (!this.#isOver && (this.#isTurnDue || this.replica.hasWork)) {
      this.#isTurnDue = false;
      this.#attempt(() => {
        this.#carryOut();
      });
      this.#observe();
      assert(++turns < turnsMax, `member ${this.#member.id} is busy with nothing`);
    }
    this.#isTurning = false;
  }

  #noteTime(): void {
    this.replica.noteTime(this.#member.clockUs / 1000);
  }

  #carryOut(): void {
    this.#noteTime();
    const effects = this.replica.turn();
    // The log counts as it is from here on; what was committed is seen before anybody hears of it.
    this.#observe();
    if (this.#member.host.trace.isOn) {
      for (const event of effects.events) {
        this.#member.note(() => describeEvent(event));
      }
    }
    this.#send(effects.messages);
    if (effects.messages.length > 0 && this.#member.reach('sent')) {
      return;
    }
    if (effects.write !== undefined) {
      this.#write(effects.write);
      if (this.#member.reach('write-begun')) {
        return;
      }
    }
    if (effects.apply !== undefined) {
      this.#lane.push(effects.apply);
      if (this.#isOver) {
        return;
      }
    }
    for (const load of effects.loads) {
      this.#load(load);
    }
    if (effects.snapshotRequest !== undefined) {
      this.#fetchSnapshot(effects.snapshotRequest);
    }
    for (const id of effects.releasedReads) {
      this.#answerRead(id, undefined);
    }
    for (const id of effects.expiredReads) {
      this.#answerRead(id, 'timeout');
    }
    for (const { id, outcome, reason } of effects.failures) {
      this.#answerProposal(id, { kind: 'failed', outcome, reason });
    }
    for (const result of effects.changeResults) {
      this.#changes.get(result.id)?.(result);
      this.#changes.delete(result.id);
    }
  }

  #send(messages: readonly Message[]): void {
    for (const message of messages) {
      this.#member.note(() => `-> ${describeMessage(message)}`);
      this.#host.observers.sent(this.#member, message);
      this.#host.send(message);
    }
  }

  #write(write: StorageWrite): void {
    const { disk, prng } = this.#member;
    const { syncMinUs, syncMaxUs } = this.#host.parameters.disk;
    this.#host.observers.writing(this.#member, write);
    if (write.install !== undefined) {
      this.#install(write, write.install);
      return;
    }
    disk.log.write(write);
    const { nowUs } = this.#host.clock;
    const usualUs = write.mustSync ? disk.slowness * prng.nextInt(syncMinUs, syncMaxUs + 1) : 1;
    const durableUs = write.mustSync ? Math.max(nowUs + usualUs, disk.stalledUntilUs) : nowUs + 1;
    this.#host.clock.after(durableUs - nowUs, () => {
      if (this.#isOver) {
        return;
      }
      // The disk goes on while the process is stopped.
      if (write.mustSync) {
        disk.log.sync();
      }
      this.input(() => {
        this.#acknowledge(write);
      });
    });
  }

  #acknowledge(write: StorageWrite): void {
    this.#member.note(() => `write ${write.ticket.sequence} is durable`);
    if (this.#member.reach('write-durable')) {
      return;
    }
    this.#send(write.messages);
    if (write.messages.length > 0 && this.#member.reach('acknowledged')) {
      return;
    }
    this.replica.writeDone(write.ticket);
  }

  /** Switches to the staged state, then empties the log: two durable steps, in this order. */
  #install(write: StorageWrite, position: SnapshotPosition): void {
    const { disk, prng } = this.#member;
    const { syncMinUs, syncMaxUs } = this.#host.parameters.disk;
    const delayUs = (): number => prng.nextInt(syncMinUs, syncMaxUs + 1);
    const staged = must(this.#staged, 'the staged state of an install');
    assert(staged.position.index === position.index, 'what is installed is what was staged');
    const hardState: HardState = must(write.hardState, 'the hard state of an install');
    this.after(delayUs(), () => {
      for (const id of this.#lane.close()) {
        this.#answerProposal(id, {
          kind: 'failed',
          outcome: 'unknown',
          reason: 'a snapshot took the place of its entry',
        });
      }
      disk.activate(staged.engine, position);
      this.#staged = undefined;
      this.#member.note(() => `switches to a snapshot of ${position.index}/${position.term}`);
      if (this.#member.reach('activated')) {
        return;
      }
      this.after(delayUs(), () => {
        disk.log.reset(position, hardState);
        this.stateMachine = this.#createStateMachine();
        this.#noteState();
        this.#lane = this.#createLane();
        this.#host.observers.installed(this.#member, position.index);
        this.replica.installed(position);
        this.#acknowledge(write);
      });
    });
  }

  #load(load: LoadRequest): void {
    this.#loads++;
    // A read under way still succeeds when the log is compacted meanwhile.
    const entries = this.#member.disk.log.read(load.lo, load.hi, load.bytesMax);
    this.after(this.#member.prng.nextInt(0, this.#host.parameters.disk.readUs + 1), () => {
      this.#loads--;
      this.replica.entriesLoaded(load.id, entries);
    });
  }

  #fetchSnapshot(request: { readonly from: NodeId; readonly minIndex: number }): void {
    if (this.#isFetching || this.#staged !== undefined) {
      return;
    }
    this.#isFetching = true;
    this.#member.note(() => `fetches a snapshot from ${request.from}, at ${request.minIndex}`);
    this.#host.fetchSnapshot(this.#member, request, (fetched) => {
      this.input(() => {
        this.#isFetching = false;
        if (fetched === undefined) {
          return;
        }
        const { engine, senderTerm } = fetched;
        const head = must(readSnapshotHead(snapshotHeadKeys.map((key) => engine.get(key))), 'head');
        const { appliedIndex: index, appliedTerm: term, membership } = head;
        const position = { index, term, configuration: snapshotConfiguration(membership) };
        this.#staged = { engine, position };
        if (!this.replica.installSnapshot(position, senderTerm)) {
          this.#staged = undefined;
        }
      });
    });
  }

  #onApplied(
    batch: ApplyBatch,
    results: readonly (CommandResult | undefined)[],
    output: ApplyOutput,
  ): void {
    const { entries, proposalIds } = batch;
    this.#host.observers.applied(this.#member, { ...output, entries });
    for (const [i, id] of proposalIds.entries()) {
      const result = results[i];
      if (result?.kind === 'ok' && result.result.type === 'compact') {
        this.#lane.compact();
      }
      if (id !== 0 && result !== undefined) {
        const { index } = must(entries[i], 'the entry of a result');
        this.#answerProposal(id, { kind: 'applied', index, result });
      }
    }
    if (this.#member.reach('applied')) {
      return;
    }
    this.#noteState();
    this.replica.applyDone(must(entries.at(-1), 'an applied entry').index);
    this.#scheduleTurn();
  }

  #noteState(): void {
    this.#noteTime();
    this.replica.noteState(this.stateMachine);
  }

  #answerProposal(id: ProposalId, answer: ProposeAnswer): void {
    const done = this.#proposals.get(id);
    this.#proposals.delete(id);
    done?.(answer);
  }

  #answerRead(id: ReadId, failure: string | undefined): void {
    const confirm = this.#reads.get(id);
    this.#reads.delete(id);
    confirm?.(failure);
  }
}

function configurationOf(record: Uint8Array): Configuration {
  const { index, membership } = decodeMembershipRecord(record);
  return { index, ...decodeConfiguration(membership) };
}

function snapshotConfiguration(
  record: { readonly index: number; readonly membership: Uint8Array } | undefined,
): Configuration {
  const { index, membership } = must(record, 'the configuration of a snapshot');
  return { index, ...decodeConfiguration(membership) };
}

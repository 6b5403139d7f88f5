/**
 * One running member: carries out what `replica.ts` decides, on real ports.
 *
 * The loop: inputs (messages, calls, ticks, finished I/O) change the replica and ask for a turn; at
 * the end of the event loop's turn `#turn()` fetches the effects and starts them: messages leave,
 * one log write starts, committed entries enter the state lane. No effect is awaited there; its end
 * is a new input. Here are the loop, and the life of a member around it; what stands in parts of
 * its own is put together in `parts.ts`.
 *
 * Invariant: messages that rest on a log write leave only after it is durable (`ready.ts`), and at
 * most one log write is under way. A storage failure stops the member: what it may have promised is
 * no longer known. So does an input that it cannot take, wherever that comes from (`guard.ts`).
 */
import { KvError, must, type TimerHandle } from '../base/index.ts';
import { featureLevels } from '../kv/index.ts';
import type { Entry, LoadRequest, NodeId, Term } from '../raft/index.ts';
import type { TransportHandler } from '../transport/index.ts';
import type { Administration } from './administration.ts';
import type { AuthApi } from './auth-api.ts';
import type { CallOptions, ClusterMember, MemberApi, MemberStatus } from './api.ts';
import type { Effects } from './effects.ts';
import { type Guard, guardedBy, guardedLoop } from './guard.ts';
import { createInbox } from './inbox.ts';
import type { Intake } from './intake.ts';
import type { Leases } from './leases.ts';
import type { MemberConfig } from './member-config.ts';
import { memberStatus } from './member-status.ts';
import { MemberParts } from './parts.ts';
import { reportEffects } from './reporting.ts';
import { bounded } from './waiting.ts';
import type { WatchAllowance, WatchStream } from './watch-api.ts';

/** See the module comment. */
export class Member implements MemberApi {
  readonly clusterId: number;
  readonly memberId: NodeId;
  readonly administration: Administration;
  readonly leases: Leases;
  readonly auth: AuthApi;
  readonly propose: Intake['propose'];
  readonly submit: Intake['submit'];
  readonly range: Intake['range'];
  readonly hasAnswered: Intake['hasAnswered'];
  readonly confirmRead: Intake['confirmRead'];
  readonly #config: MemberConfig;
  readonly #parts: MemberParts;
  readonly #guard: Guard;
  #ticker: TimerHandle | undefined;
  #phase: 'created' | 'running' | 'draining' | 'stopped' = 'created';
  #fatal: unknown;

  private constructor(parts: MemberParts, guard: Guard) {
    const { config, administration, leases, auth, intake } = parts;
    this.clusterId = config.clusterId;
    this.memberId = config.id;
    this.administration = administration;
    this.leases = leases;
    this.auth = auth;
    // Straight in: a method of this class would cost each call a promise more.
    this.propose = intake.propose.bind(intake);
    this.submit = intake.submit.bind(intake);
    this.range = intake.range.bind(intake);
    this.hasAnswered = intake.hasAnswered.bind(intake);
    this.confirmRead = intake.confirmRead.bind(intake);
    this.#config = config;
    this.#parts = parts;
    this.#guard = guard;
  }

  /**
   * Builds a member from its stores; it takes part once `start()` is called.
   *
   * @throws {KvError} DATA_CORRUPT — log and state contradict each other.
   */
  static async open(config: MemberConfig): Promise<Member> {
    const made: { member?: Member } = {};
    const member = (): Member => must(made.member, 'the member that its parts work for');
    const fail = (error: unknown): void => {
      member().#fail(error);
    };
    const guard = guardedBy(fail);
    const eventLoop = guardedLoop(config.eventLoop, guard);
    const parts = await MemberParts.open(
      { ...config, eventLoop },
      {
        take: () => {
          member().#turn();
        },
        fail,
      },
    );
    made.member = new Member(parts, guard);
    return made.member;
  }

  get term(): Term {
    return this.#parts.replica.term;
  }

  get revision(): number {
    return this.#parts.state.machine.revision;
  }

  /** The leader's id, or 0. */
  get leader(): NodeId {
    return this.#parts.replica.leader;
  }

  get isLeader(): boolean {
    return this.#parts.replica.isLeader;
  }

  /** Joins the cluster: listens, dials, ticks. */
  async start(): Promise<void> {
    const { transport, eventLoop, options } = this.#config;
    const { gate, replica, news, intake, state, turns, upkeep } = this.#parts;
    await transport.start(this.#createInbox());
    news.dialMembers();
    this.#phase = 'running';
    intake.open();
    if (gate.isOpen) {
      replica.reportStarted();
    }
    this.#ticker = eventLoop.every(options.tickMs, () => {
      this.#tick();
    });
    state.lane.compact();
    turns.schedule();
    await upkeep.refreshSizes();
  }

  openWatchStream(allowance?: WatchAllowance): WatchStream {
    const { intake, state, watches } = this.#parts;
    intake.checkServing();
    state.lane.wanted();
    return watches.openStream(allowance);
  }

  async compactionDone(options: CallOptions = {}): Promise<void> {
    const { intake, state } = this.#parts;
    const done = state.read(async ({ lane }) => lane.compactionDone());
    await bounded(this.#config.eventLoop, intake.deadlineMs(options), done);
  }

  status(): MemberStatus {
    const { clusterId, memberId } = this;
    const { replica, state, members, integrity, writer, upkeep } = this.#parts;
    return memberStatus({
      ...{ clusterId, memberId, name: this.#config.name, sizeBytes: upkeep.sizeBytes },
      ...{ raft: replica.status(), machine: state.machine },
      isLearner: members.isLearner(memberId),
      newestLevel: (this.#config.levels ?? featureLevels).newest,
      quarantineReason: integrity.reason,
      isDiskFull: writer.isDiskFull,
    });
  }

  members(): readonly ClusterMember[] {
    return this.#parts.members.all();
  }

  async moveLeader(target: NodeId, options: CallOptions = {}): Promise<void> {
    const { intake, succession } = this.#parts;
    await succession.moveTo(target, intake.deadlineMs(options));
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
    const { intake, succession, conditions, calls, transfer, keeper, writer, state } = this.#parts;
    this.#phase = 'draining';
    intake.drain();
    if (this.#fatal === undefined && manner === 'orderly') {
      await succession.handOver(options.tickMs * options.raft.electionTimeoutTicks);
      await conditions.within(options.requestTimeoutMs, () => calls.count === 0);
    }
    this.#phase = 'stopped';
    this.#ticker?.cancel();
    this.#endPending();
    await transport.stop();
    await transfer.stop();
    await keeper.stop();
    await writer.stop();
    try {
      await log.close();
    } finally {
      await state.close();
    }
  }

  #createInbox(): TransportHandler {
    const { config, replica, state, integrity, gate, outbox, members, snapshots, turns } =
      this.#parts;
    return createInbox({
      ...{ config, clusterId: this.clusterId, replica, state, integrity, gate, outbox },
      ...{ members, snapshots, guard: this.#guard },
      onNews: () => {
        turns.schedule();
      },
      onFatal: (error) => {
        this.#fail(error);
      },
    });
  }

  #tick(): void {
    const { gate, replica, upkeep, turns } = this.#parts;
    if (gate.tick()) {
      replica.reportStarted();
    }
    replica.noteTime(this.#config.eventLoop.nowMs());
    replica.tick(gate.isOpen);
    upkeep.tick();
    turns.schedule();
  }

  #turn(): void {
    if (this.#phase === 'stopped' || this.#fatal !== undefined) {
      return;
    }
    const { replica, conditions, turns } = this.#parts;
    replica.noteTime(this.#config.eventLoop.nowMs());
    this.#carryOut(replica.turn());
    conditions.check();
    if (replica.hasWork) {
      turns.schedule();
    }
  }

  #carryOut(effects: Effects): void {
    const { replica, outbox, writer, applying, state, intake } = this.#parts;
    if (effects.messages.length > 0) {
      replica.unsent(outbox.send(effects.messages));
    }
    if (effects.write !== undefined) {
      writer.write(effects.write);
    }
    if (effects.apply !== undefined) {
      applying.begin(effects.apply);
      state.lane.push(effects.apply);
    }
    for (const load of effects.loads) {
      this.#load(load);
    }
    this.#followMembers(effects);
    intake.answer(effects);
    reportEffects(effects, this.#config.logger, this.#config.metrics);
  }

  /** Reads entries that memory no longer holds. */
  #load({ id, lo, hi, bytesMax }: LoadRequest): void {
    const { replica, turns } = this.#parts;
    const fail = (error: unknown): void => {
      this.#fail(error);
    };
    const take = (entries: readonly Entry[]): void => {
      replica.entriesLoaded(id, entries);
      turns.schedule();
    };
    this.#config.log.read(lo, hi, bytesMax).then(this.#guard(take), fail);
  }

  /** What a turn says of other members: who they are, and that one has a state to be fetched. */
  #followMembers({ configuration, snapshotRequest }: Effects): void {
    const { members, news, integrity, transfer, replacement } = this.#parts;
    if (configuration !== undefined) {
      members.setConfiguration(configuration);
      news.dialMembers();
    }
    // A damaged state asks for another one by itself.
    if (snapshotRequest !== undefined && integrity.reason === undefined) {
      transfer.maybeFetch(snapshotRequest, (fetched) => replacement.offer(fetched));
    }
  }

  /** Tells all who wait for something here that it does not come, or that nobody knows. */
  #endPending(): void {
    const { intake, applying, watches, conditions } = this.#parts;
    intake.end();
    applying.drop('stopped');
    watches.end(new KvError('STOPPED'));
    conditions.end();
  }

  /** The member cannot go on. One that has failed before, or has stopped, has no more to end. */
  #fail(error: unknown): void {
    if (this.#fatal !== undefined || this.#phase === 'stopped') {
      return;
    }
    this.#fatal = error;
    this.#ticker?.cancel();
    this.#endPending();
    this.#config.onFatal(error);
  }
}

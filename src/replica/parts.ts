/**
 * How a member is put together: each part gets what it works with, and whom it tells. The only
 * place that knows all of them; what they do when is `driver.ts`'s.
 */
import { must } from '../base/index.ts';
import { Administration } from './administration.ts';
import { AdmissionGate, refusedError } from './admission.ts';
import { Applying } from './applying.ts';
import { Auth } from './auth.ts';
import { Calls } from './calls.ts';
import { Intake } from './intake.ts';
import { Integrity } from './integrity.ts';
import { Leases } from './leases.ts';
import { LogKeeper } from './log-keeper.ts';
import { LogWriter } from './log-writer.ts';
import type { MemberConfig } from './member-config.ts';
import { MemberList } from './member-list.ts';
import { MemberState } from './member-state.ts';
import { type OpenedReplica, openReplica } from './opening.ts';
import { Outbox } from './outbox.ts';
import type { Replica } from './replica.ts';
import { removalReporter } from './reporting.ts';
import { SelfReport } from './self-report.ts';
import { Snapshots } from './snapshots.ts';
import { isEngineDamage, type StateLaneHandler } from './state-lane.ts';
import { StateNews } from './state-news.ts';
import { StateReplacement } from './state-replacement.ts';
import { StateTransfer } from './state-transfer.ts';
import { Succession } from './succession.ts';
import { Turns } from './turns.ts';
import { Upkeep } from './upkeep.ts';
import { Conditions } from './waiting.ts';
import { defaultWatchBytesMax, Watches } from './watches.ts';

/** What the parts ask of their driver. */
export interface PartsDriver {
  /** Takes a turn. */
  readonly take: () => void;
  /** The member cannot go on. */
  readonly fail: (error: unknown) => void;
}

/** See the module comment. */
export class MemberParts {
  readonly config: MemberConfig;
  readonly state: MemberState;
  readonly replica: Replica;
  readonly turns: Turns;
  readonly calls: Calls;
  readonly conditions: Conditions;
  readonly members: MemberList;
  readonly gate: AdmissionGate;
  readonly outbox: Outbox;
  readonly writer: LogWriter;
  readonly keeper: LogKeeper;
  readonly applying: Applying;
  readonly watches: Watches;
  readonly snapshots: Snapshots;
  readonly transfer: StateTransfer;
  readonly replacement: StateReplacement;
  readonly integrity: Integrity;
  readonly news: StateNews;
  readonly intake: Intake;
  readonly succession: Succession;
  readonly upkeep: Upkeep;
  readonly administration: Administration;
  readonly leases: Leases;
  readonly auth: Auth;
  readonly #driver: PartsDriver;
  readonly #selfReport: SelfReport;
  readonly #schedule = (): void => {
    this.turns.schedule();
  };

  private constructor(
    config: MemberConfig,
    state: MemberState,
    { replica, isBlank, joining }: OpenedReplica,
    driver: PartsDriver,
  ) {
    const { transport, eventLoop, metrics, logger, log, options } = config;
    const nowMs = (): number => eventLoop.nowMs();
    this.config = config;
    this.state = state;
    this.replica = replica;
    this.#driver = driver;
    this.calls = new Calls(metrics, nowMs);
    this.turns = new Turns({ eventLoop, calls: this.calls, take: driver.take });
    this.conditions = new Conditions(eventLoop);
    this.members = new MemberList(replica.configuration, joining);
    this.gate = new AdmissionGate(isBlank, this.members, config);
    this.outbox = new Outbox(transport, eventLoop);
    this.auth = new Auth({
      table: () => state.machine.auth,
      timeMs: () => replica.clusterTimeMs,
    });
    this.watches = new Watches({
      ...{ state, eventLoop, metrics, tickMs: options.tickMs, auth: this.auth },
      bytesMax: options.watchBytesMax ?? defaultWatchBytesMax,
    });
    const leader = (): number => replica.leader;
    this.applying = new Applying({ calls: this.calls, metrics, nowMs, leader });
    this.snapshots = this.#createSnapshots();
    this.succession = new Succession({
      ...{ replica, transport, conditions: this.conditions, logger, metrics },
      onOrdered: this.#schedule,
    });
    this.writer = this.#createWriter();
    this.keeper = new LogKeeper({
      ...{ log, replica, state, snapshots: this.snapshots, logger },
      onFatal: this.#stateFailed,
    });
    this.transfer = this.#createTransfer();
    this.replacement = new StateReplacement({
      ...{ log, replica, state, keeper: this.keeper, onAccepted: this.#schedule },
      onReplaced: (index) => {
        this.news.replaced(index);
      },
    });
    this.integrity = this.#createIntegrity();
    this.intake = new Intake({
      ...{ config, replica, calls: this.calls, state, integrity: this.integrity },
      ...{ auth: this.auth, writer: this.writer, onAsked: this.#schedule },
      conditions: this.conditions,
    });
    this.#selfReport = this.#createSelfReport();
    this.news = this.#createNews();
    this.upkeep = new Upkeep({
      ...{ config, replica, state, selfReport: this.#selfReport },
      ...{ snapshots: this.snapshots, watches: this.watches, writer: this.writer },
      ...{ succession: this.succession, integrity: this.integrity, outbox: this.outbox },
      ...{ keeper: this.keeper, replacement: this.replacement, onFatal: driver.fail },
    });
    this.administration = this.#createAdministration();
    this.leases = this.#createLeases();
    this.news.opened();
  }

  /** Opens the state, finds the replica in the stores, and puts the parts around them. */
  static async open(config: MemberConfig, driver: PartsDriver): Promise<MemberParts> {
    const made: { parts?: MemberParts } = {};
    const parts = (): MemberParts => must(made.parts, 'the member that the lane works for');
    const handler: StateLaneHandler = {
      onApplied: (batch, output) => {
        parts().news.applied(batch, output);
      },
      onReadable: (index) => {
        parts().news.readable(index);
      },
      onFatal: (error) => {
        parts().#stateFailed(error);
      },
      onDamaged: (error) => {
        parts().#maybeQuarantine(error);
      },
      onRemoved: removalReporter(config),
      hasListeners: () => made.parts?.watches.hasStreams === true,
      hasReaders: () => (made.parts?.replica.pendingReads ?? 0) > 0,
      eventLoop: config.eventLoop,
    };
    const { cacheBytesMax } = config.options;
    const { levels } = config;
    const state = await MemberState.open(config.state, { cacheBytesMax, levels, handler });
    const opened = await openReplica(config, state);
    made.parts = new MemberParts(config, state, opened, driver);
    if (opened.damage !== undefined) {
      made.parts.integrity.enter(opened.damage);
    }
    return made.parts;
  }

  /** What the engine holds cannot be read: other members have it too, if there are any. */
  readonly #stateFailed = (error: unknown): void => {
    if (!this.#maybeQuarantine(error)) {
      this.#driver.fail(error);
    }
  };

  /** Takes a damaged state out of service if there are others to rebuild it from. */
  #maybeQuarantine(error: unknown): boolean {
    if (!isEngineDamage(error) || this.members.all().length < 2) {
      return false;
    }
    this.integrity.enter(error.message);
    this.#schedule();
    return true;
  }

  #createSnapshots(): Snapshots {
    const { clusterId, snapshots } = this.config;
    return new Snapshots({
      clusterId,
      ...snapshots,
      term: () => this.replica.term,
      onReadFailed: (error) => {
        this.#maybeQuarantine(error);
      },
    });
  }

  #createWriter(): LogWriter {
    const { log, eventLoop, metrics, logger } = this.config;
    return new LogWriter({
      ...{ log, eventLoop, metrics, logger, onFatal: this.#driver.fail },
      install: async (write) => this.replacement.install(write),
      onDone: (write) => {
        this.outbox.send(write.messages);
        this.replica.writeDone(write.ticket);
        this.turns.takeNow();
      },
      onDiskFull: () => {
        this.succession.yieldTo('its disk is full');
      },
    });
  }

  #createTransfer(): StateTransfer {
    const { transport, eventLoop, logger, state: store } = this.config;
    return new StateTransfer({
      ...{ transport, snapshots: this.snapshots, store, eventLoop, logger },
      isReplacing: () => this.replacement.isUnderWay,
      onFailed: this.#stateFailed,
    });
  }

  #createIntegrity(): Integrity {
    const { id, logger, metrics } = this.config;
    const { replica, state, transfer } = this;
    return new Integrity({
      ...{ id, replica, state, transfer, logger, metrics },
      peers: () => this.members.reachable.flatMap((each) => (each.id === id ? [] : [each.id])),
      install: async (fetched) => this.replacement.rebuild(fetched),
      onEntered: () => {
        this.applying.drop('overtaken');
        this.watches.end(must(this.integrity.quarantineRefusal, 'a reason'));
      },
      yieldLeadership: () => {
        this.succession.yieldTo('its state is damaged');
      },
      raiseAlarm: () => {
        this.#selfReport.setAlarm('corrupt', true);
      },
    });
  }

  #createNews(): StateNews {
    const { config, replica, state, members, applying, watches, integrity } = this;
    const { eventLoop, options, name, id, logger } = config;
    return new StateNews({
      ...{ config, replica, state, members, applying, watches, integrity },
      onNews: this.#schedule,
      // It stops, once its callers have heard of it.
      onRemoved: () => {
        logger.warn({ event: 'member-removed' });
        eventLoop.after(options.tickMs * options.raft.electionTimeoutTicks, () => {
          this.#driver.fail(refusedError('removed', name, id));
        });
      },
    });
  }

  #createSelfReport(): SelfReport {
    const { id, name, clientUrls, options, logger } = this.config;
    const { quotaBytes } = options;
    return new SelfReport({
      ...{ id, name, clientUrls, quotaBytes, members: this.members, state: this.state, logger },
      propose: async (command) => this.intake.propose(command),
    });
  }

  #createAdministration(): Administration {
    const { members, state, snapshots, intake } = this;
    return new Administration({
      ...{ members, state, snapshots, prng: this.config.prng },
      change: async (change, options) => intake.change(change, options),
      propose: async (command, options) => intake.propose(command, options),
      checkState: () => {
        intake.checkState();
      },
    });
  }

  #createLeases(): Leases {
    const { prng, eventLoop } = this.config;
    const { state, replica, intake } = this;
    return new Leases({
      ...{ state, prng, eventLoop },
      timeMs: () => replica.clusterTimeMs,
      propose: async (command) => intake.propose(command),
      confirmRead: async (options) => intake.confirmRead(options),
    });
  }
}

/**
 * What a member does by the clock, beside what its Raft does: tells the others and operators of
 * itself, keeps its log short, looks whether it stalls, whether its state is sound, how much it
 * stores.
 */
import { featureLevels } from '../kv/index.ts';
import type { NodeId } from '../raft/index.ts';
import type { Engine, LogStore } from '../storage/index.ts';
import type { PeerLink, Transport } from '../transport/index.ts';
import type { Integrity } from './integrity.ts';
import type { LogKeeper } from './log-keeper.ts';
import type { LogWriter } from './log-writer.ts';
import type { MemberConfig } from './member-config.ts';
import type { MemberState } from './member-state.ts';
import type { Outbox } from './outbox.ts';
import type { Replica } from './replica.ts';
import { reportSizes, reportState } from './reporting.ts';
import type { SelfReport } from './self-report.ts';
import type { Snapshots } from './snapshots.ts';
import type { StateReplacement } from './state-replacement.ts';
import { isNearQuota } from './storage-quota.ts';
import type { Succession } from './succession.ts';
import { Watchdog } from './watchdog.ts';
import type { Watches } from './watches.ts';

/** What it looks after. */
export interface UpkeepOptions {
  readonly config: Pick<MemberConfig, 'id' | 'levels' | 'eventLoop' | 'metrics' | 'options'> & {
    readonly transport: Pick<Transport, 'links'>;
    readonly log: Pick<LogStore, 'sizeBytes'>;
  };
  readonly replica: Replica;
  readonly state: Pick<MemberState, 'engine' | 'machine' | 'alarms'>;
  readonly snapshots: Pick<Snapshots, 'tick'>;
  readonly watches: Pick<Watches, 'tick'>;
  readonly selfReport: Pick<SelfReport, 'maybePublish' | 'checkQuota'>;
  readonly writer: Pick<LogWriter, 'startMs'>;
  readonly succession: Pick<Succession, 'yieldTo'>;
  readonly integrity: Pick<Integrity, 'tick' | 'reason'>;
  readonly outbox: Pick<Outbox, 'send'>;
  readonly keeper: Pick<LogKeeper, 'maybeCompact'>;
  readonly replacement: Pick<StateReplacement, 'isUnderWay'>;
  /** The member cannot go on. */
  readonly onFatal: (error: unknown) => void;
}

/** Ticks between looks at the stores' sizes. */
const sizeRefreshTicks = 50;
/** Ticks between looks at whether the log is worth compacting. */
const compactionCheckTicks = 10;

/** See the module comment. */
export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #watchdog: Watchdog;
  #sizeBytes = 0;
  /** The stores are being asked: a disk that hangs is not to be asked once more every few ticks. */
  #isMeasuring = false;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    const { tickMs, raft } = options.config.options;
    this.#watchdog = new Watchdog({ tickMs, electionMs: tickMs * raft.electionTimeoutTicks });
  }

  /** Approximate bytes on disk, when they were looked at last. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** A tick of the member; its Raft has had it. */
  tick(): void {
    const { replica, snapshots, watches, selfReport } = this.#options;
    snapshots.tick();
    watches.tick();
    if (replica.leader !== 0) {
      selfReport.maybePublish();
    }
    this.#lookForStalls();
    this.#compareStates();
    this.#keepLogShort();
    const links = this.#options.config.transport.links();
    this.#noteLevels(links);
    this.#report(links);
  }

  /** Looks how much is stored, and tells those who have to know. */
  async refreshSizes(): Promise<void> {
    const { config, replica, state, selfReport } = this.#options;
    const { quotaBytes } = config.options;
    const stateBytes = await this.#measure(state.engine);
    replica.noteSpace(isNearQuota(stateBytes, quotaBytes));
    if (replica.leader !== 0) {
      selfReport.checkQuota(stateBytes);
    }
    const sizes = { logBytes: config.log.sizeBytes(), stateBytes, quotaBytes };
    this.#sizeBytes = reportSizes(sizes, config.metrics);
  }

  async #measure(engine: Pick<Engine, 'sizeBytes'>): Promise<number> {
    this.#isMeasuring = true;
    try {
      return await engine.sizeBytes();
    } finally {
      this.#isMeasuring = false;
    }
  }

  /** Notices that this member is slow, and lets another one lead. */
  #lookForStalls(): void {
    const { config, replica, writer, succession } = this.#options;
    const stall = this.#watchdog.tick(config.eventLoop.nowMs(), writer.startMs);
    if (stall !== undefined && replica.isLeader) {
      succession.yieldTo(`its ${stall} stalls`);
    }
  }

  #compareStates(): void {
    const { integrity, outbox } = this.#options;
    const reports = integrity.tick();
    if (reports.length > 0) {
      outbox.send(reports);
    }
  }

  #keepLogShort(): void {
    const { replica, replacement, keeper } = this.#options;
    // A state that takes the place of this one needs the log as it was when it was fetched.
    if (replica.tickCount % compactionCheckTicks === 0 && !replacement.isUnderWay) {
      keeper.maybeCompact();
    }
  }

  /** Tells a leader what everybody reads, for as long as the feature level can rise. */
  #noteLevels(links: readonly PeerLink[]): void {
    const { config, replica, state } = this.#options;
    const { newest } = config.levels ?? featureLevels;
    const newestById = new Map<NodeId, number>();
    if (replica.isLeader && state.machine.level < newest) {
      newestById.set(config.id, newest);
      for (const { peer, newestLevel } of links) {
        if (newestLevel !== undefined) {
          newestById.set(peer.id, newestLevel);
        }
      }
    }
    replica.noteLevels(newestById);
  }

  #report(links: readonly PeerLink[]): void {
    const { config, replica, state, integrity, onFatal } = this.#options;
    const { metrics, levels = featureLevels } = config;
    reportState({ replica, integrity, state, links, levels }, metrics);
    if (replica.tickCount % sizeRefreshTicks === 0 && !this.#isMeasuring) {
      this.refreshSizes().catch(onFatal);
    }
  }
}

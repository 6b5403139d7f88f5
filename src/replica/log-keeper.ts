/**
 * Keeps a member's log short: drops its beginning once the state that holds it is surely on disk
 * (Raft thesis §5.2). How far is decided in `log-compaction.ts`. A disk without room for so much as
 * a note of where the log begins is waited out, since nothing is lost by it: what Raft was told to
 * be gone is tried again, and no more than that, since it is what would make room.
 */
import { KvError } from '../base/index.ts';
import type { LogIndex } from '../raft/index.ts';
import type { Engine, LogStore } from '../storage/index.ts';
import type { Replica } from './replica.ts';
import type { EventLogger } from './reporting.ts';
import type { Snapshots } from './snapshots.ts';
import type { StateLane } from './state-lane.ts';

/** What the keeper works with. */
export interface LogKeeperOptions {
  readonly log: Pick<LogStore, 'compact' | 'sizeBytes'>;
  readonly replica: Pick<Replica, 'maybeCompact' | 'compacted'>;
  /** As it is now: a state may take the place of another. */
  readonly state: {
    readonly lane: Pick<StateLane, 'readableIndex' | 'appliedIndex' | 'checkpoint'>;
    readonly engine: Pick<Engine, 'flush'>;
  };
  readonly snapshots: Pick<Snapshots, 'retainIndex'>;
  readonly logger: EventLogger;
  readonly onFatal: (error: unknown) => void;
}

/** See the module comment. */
export class LogKeeper {
  readonly #options: LogKeeperOptions;
  #compacting: Promise<void> | undefined;
  #isStopped = false;
  /** Raft knows the log to be gone up to here, but the disk had no room for it. */
  #owedIndex: LogIndex | undefined;

  constructor(options: LogKeeperOptions) {
    this.#options = options;
  }

  /** Begins a compaction, if it is worth it and none is under way. */
  maybeCompact(): void {
    if (this.#compacting !== undefined || this.#isStopped) {
      return;
    }
    const { lane } = this.#options.state;
    const index = lane.readableIndex;
    const owed = this.#owedIndex;
    if (owed === undefined && this.#target(index) === undefined) {
      if (this.#target(lane.appliedIndex) !== undefined) {
        // The next call finds it in the engine, and may compact.
        lane.checkpoint();
      }
      return;
    }
    this.#compacting = (owed === undefined ? this.#compact(index) : this.#dropTo(owed))
      .catch(this.#options.onFatal)
      .finally(() => {
        this.#compacting = undefined;
      });
  }

  /** Resolves once no compaction is under way. */
  async idle(): Promise<void> {
    await this.#compacting;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.idle();
  }

  #target(durableIndex: LogIndex): LogIndex | undefined {
    const { replica, snapshots, log } = this.#options;
    const { retainIndex } = snapshots;
    return replica.maybeCompact({ durableIndex, retainIndex, logBytes: log.sizeBytes() });
  }

  async #compact(durableIndex: LogIndex): Promise<void> {
    const { state, replica } = this.#options;
    await state.engine.flush();
    const index = this.#target(durableIndex);
    if (index !== undefined && !this.#isStopped) {
      // Raft first, so that it asks for nothing any more that is about to go.
      replica.compacted(index);
      await this.#dropTo(index);
    }
  }

  async #dropTo(index: LogIndex): Promise<void> {
    const { log, logger } = this.#options;
    try {
      await log.compact(index);
    } catch (error) {
      if (!(error instanceof KvError) || error.code !== 'DISK_FULL') {
        throw error;
      }
      if (this.#owedIndex === undefined) {
        logger.warn({ event: 'log-compaction-delayed', reason: error.message });
      }
      this.#owedIndex = index;
      return;
    }
    this.#owedIndex = undefined;
    logger.info({ event: 'log-compacted', index });
  }
}

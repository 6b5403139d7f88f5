/**
 * Keeps a member's log short: drops its beginning once the state that holds it is surely on disk
 * (Raft thesis §5.2). How far is decided in `log-compaction.ts`.
 */
import type { LogIndex } from '../raft/index.ts';
import type { LogStore } from '../storage/index.ts';
import type { MemberState } from './member-state.ts';
import type { Replica } from './replica.ts';
import type { EventLogger } from './reporting.ts';
import type { Snapshots } from './snapshots.ts';

/** What the keeper works with. */
export interface LogKeeperOptions {
  readonly log: LogStore;
  readonly replica: Replica;
  readonly state: MemberState;
  readonly snapshots: Snapshots;
  readonly logger: EventLogger;
  readonly onFatal: (error: unknown) => void;
}

/** See the module comment. */
export class LogKeeper {
  readonly #options: LogKeeperOptions;
  #compacting: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: LogKeeperOptions) {
    this.#options = options;
  }

  /** Begins a compaction, if it is worth it and none is under way. */
  maybeCompact(): void {
    const index = this.#options.state.lane.readableIndex;
    const isBusy = this.#compacting !== undefined || this.#isStopped;
    if (isBusy || this.#target(index) === undefined) {
      return;
    }
    this.#compacting = this.#compact(index)
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
    const { state, replica, log, logger } = this.#options;
    await state.engine.flush();
    const index = this.#target(durableIndex);
    if (index !== undefined && !this.#isStopped) {
      // Raft first, so that it asks for nothing any more that is about to go.
      replica.compacted(index);
      await log.compact(index);
      logger.info({ event: 'log-compacted', index });
    }
  }
}

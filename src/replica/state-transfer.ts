/**
 * Fetches a snapshot of another member, staged beside the state in use, and gives it to whoever
 * wants it: because Raft asks for one (Raft thesis §5.3), or because the state is damaged.
 *
 * Both ask again and again, and not always the same member, so nothing here need remember a failure
 * for longer than a pause. Limit: one snapshot is fetched, or waits to be installed, at a time: to
 * stage one discards what was staged before.
 */
import { type EventLoop, KvError } from '../base/index.ts';
import type { SnapshotRequest } from '../raft/index.ts';
import type { StateStore } from '../storage/index.ts';
import type { Transport } from '../transport/index.ts';
import type { EventLogger } from './reporting.ts';
import type { FetchedSnapshot, Snapshots } from './snapshots.ts';

/** What a transfer works with. */
export interface StateTransferOptions {
  readonly transport: Pick<Transport, 'fetchSnapshot'>;
  readonly snapshots: Pick<Snapshots, 'fetch' | 'formatVersionMax'>;
  readonly store: StateStore;
  readonly eventLoop: Pick<EventLoop, 'nowMs'>;
  readonly logger: EventLogger;
  /** Whether another state is about to take the place of this one. */
  readonly isReplacing: () => boolean;
  /** Whoever wanted the snapshot could not take it, and nobody knows how far it came. */
  readonly onFailed: (error: unknown) => void;
}

/** Takes a fetched snapshot; false when it is of no use any more. */
export type SnapshotTaker = (fetched: FetchedSnapshot) => boolean | Promise<boolean>;

/** Milliseconds between attempts to fetch a snapshot. */
const retryMs = 1000;
/**
 * The same while the disk has no room for it. Longer, since each of them has another member send
 * much that is thrown away, and room is made by people.
 */
const roomRetryMs = 30_000;

/** See the module comment. */
export class StateTransfer {
  readonly #options: StateTransferOptions;
  readonly #stopping = new AbortController();
  #fetching: Promise<void> | undefined;
  #nextFetchMs = 0;

  constructor(options: StateTransferOptions) {
    this.#options = options;
  }

  /**
   * Fetches a snapshot for `take`, unless one is on its way, waits to be installed, or was tried
   * just now: then it returns false.
   */
  maybeFetch(request: SnapshotRequest, take: SnapshotTaker): boolean {
    const { eventLoop, isReplacing } = this.#options;
    const isBusy = this.#fetching !== undefined || isReplacing();
    if (isBusy || eventLoop.nowMs() < this.#nextFetchMs || this.#stopping.signal.aborted) {
      return false;
    }
    this.#fetching = this.#fetch(request, take).then((pauseMs) => {
      this.#fetching = undefined;
      this.#nextFetchMs = eventLoop.nowMs() + pauseMs;
    });
    return true;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#fetching;
  }

  /** Never rejects; resolves to the milliseconds before the next attempt. */
  async #fetch(request: SnapshotRequest, take: SnapshotTaker): Promise<number> {
    const { logger, onFailed } = this.#options;
    const { from } = request;
    let fetched: FetchedSnapshot | undefined;
    try {
      fetched = await this.#stage(request);
      if (this.#stopping.signal.aborted || !(await take(fetched))) {
        await fetched.staged.discard();
      }
      return retryMs;
    } catch (error) {
      // It is asked for again as long as it is needed, and the log says why it was in vain.
      logger.warn({ event: 'snapshot-fetch-failed', peer: from, reason: String(error) });
      const isForRoom = error instanceof KvError && error.code === 'DISK_FULL';
      if (fetched !== undefined && !isForRoom) {
        onFailed(error);
      }
      return isForRoom ? roomRetryMs : retryMs;
    }
  }

  async #stage({ from, minIndex }: SnapshotRequest): Promise<FetchedSnapshot> {
    const { transport, logger, store, snapshots, eventLoop } = this.#options;
    const startMs = eventLoop.nowMs();
    logger.info({ event: 'snapshot-fetching', peer: from, minIndex });
    const { signal } = this.#stopping;
    const fetched = await snapshots.fetch(
      store,
      transport.fetchSnapshot(from, {
        ...{ minIndex, signal },
        formatVersionMax: snapshots.formatVersionMax,
      }),
    );
    const { position, bytes } = fetched;
    const { index, term } = position;
    const seconds = (eventLoop.nowMs() - startMs) / 1000;
    logger.info({ event: 'snapshot-fetched', peer: from, index, term, bytes, seconds });
    return fetched;
  }
}

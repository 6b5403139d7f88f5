/**
 * Catching up by a snapshot: fetches one when Raft asks for it, and keeps it until Raft orders the
 * switch (Raft thesis §5.3).
 *
 * Raft asks again with every offer of the leader, and not always for the same member's, so nothing
 * here need remember a failure for longer than a pause. Limit: one snapshot is fetched, or waits to
 * be installed, at a time.
 */
import { assert, type EventLoop, must } from '../base/index.ts';
import type { SnapshotPosition, SnapshotRequest } from '../raft/index.ts';
import type { StateStore } from '../storage/index.ts';
import type { Transport } from '../transport/index.ts';
import type { EventLogger } from './reporting.ts';
import type { FetchedSnapshot, Snapshots } from './snapshots.ts';

/** What a transfer works with. */
export interface StateTransferOptions {
  readonly transport: Transport;
  readonly snapshots: Snapshots;
  readonly store: StateStore;
  readonly eventLoop: EventLoop;
  readonly logger: EventLogger;
  /** Offers a fetched snapshot to Raft; false when it is of no use any more. */
  readonly accept: (fetched: FetchedSnapshot) => boolean;
}

/** Milliseconds between attempts to fetch a snapshot. */
const retryMs = 1000;

/** See the module comment. */
export class StateTransfer {
  readonly #options: StateTransferOptions;
  readonly #stopping = new AbortController();
  #fetching: Promise<void> | undefined;
  #nextFetchMs = 0;
  /** Accepted by Raft, until the write that installs it. */
  #fetched: FetchedSnapshot | undefined;

  constructor(options: StateTransferOptions) {
    this.#options = options;
  }

  /** A snapshot waits to be installed. */
  get isInstalling(): boolean {
    return this.#fetched !== undefined;
  }

  /** Fetches the snapshot that Raft asks for, unless one is on its way or was tried just now. */
  maybeFetch(request: SnapshotRequest): void {
    const { eventLoop } = this.#options;
    const isBusy = this.#fetching !== undefined || this.#fetched !== undefined;
    if (isBusy || eventLoop.nowMs() < this.#nextFetchMs || this.#stopping.signal.aborted) {
      return;
    }
    this.#fetching = this.#fetch(request).finally(() => {
      this.#fetching = undefined;
      this.#nextFetchMs = eventLoop.nowMs() + retryMs;
    });
  }

  /** The accepted snapshot, to be installed now. */
  take(position: SnapshotPosition): FetchedSnapshot {
    const fetched = must(this.#fetched, 'the snapshot that is to be installed');
    assert(fetched.position === position, 'the snapshot that Raft has accepted is installed');
    return fetched;
  }

  /** Another way has fetched it, and Raft has accepted it. */
  keep(fetched: FetchedSnapshot): void {
    assert(this.#fetched === undefined, 'one snapshot is installed at a time');
    this.#fetched = fetched;
  }

  /** It has been installed. */
  installed(): void {
    this.#fetched = undefined;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#fetching;
  }

  async #fetch({ from, minIndex }: SnapshotRequest): Promise<void> {
    const { transport, logger, store, snapshots, eventLoop, accept } = this.#options;
    const startMs = eventLoop.nowMs();
    logger.info({ event: 'snapshot-fetching', peer: from, minIndex });
    try {
      const { signal } = this.#stopping;
      const chunks = transport.fetchSnapshot(from, { minIndex, signal });
      const fetched = await snapshots.fetch(store, chunks);
      const { index, term } = fetched.position;
      const seconds = (eventLoop.nowMs() - startMs) / 1000;
      const { bytes } = fetched;
      logger.info({ event: 'snapshot-fetched', peer: from, index, term, bytes, seconds });
      if (!signal.aborted && accept(fetched)) {
        this.#fetched = fetched;
      } else {
        await fetched.staged.discard();
      }
    } catch (error) {
      // Raft asks again as long as it is needed, and the log says why it was in vain.
      logger.warn({ event: 'snapshot-fetch-failed', peer: from, reason: String(error) });
    }
  }
}

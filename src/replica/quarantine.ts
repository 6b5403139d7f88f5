/**
 * A member whose state is damaged: it stops serving, says why, and rebuilds its state from another
 * member (design G7). Its log is sound, so it goes on voting and storing entries; it only applies
 * nothing until it has a state again.
 */
import type { EventLoop } from '../base/index.ts';
import type { NodeId } from '../raft/index.ts';
import type { StateStore } from '../storage/index.ts';
import type { Transport } from '../transport/index.ts';
import type { EventLogger } from './reporting.ts';
import type { FetchedSnapshot, Snapshots } from './snapshots.ts';

/** What a quarantine works with. */
export interface QuarantineOptions {
  readonly transport: Transport;
  readonly snapshots: Snapshots;
  readonly store: StateStore;
  readonly eventLoop: EventLoop;
  readonly logger: EventLogger;
  /** Whom to ask for a state, most promising first, and what it must hold at least. */
  readonly sources: () => { readonly peers: readonly NodeId[]; readonly minIndex: number };
  /** Puts the state in the place of the damaged one; false when it does not fit the log (yet). */
  readonly install: (fetched: FetchedSnapshot) => Promise<boolean>;
}

/** Milliseconds between attempts. */
const retryMs = 1000;

/** See the module comment. */
export class Quarantine {
  readonly #options: QuarantineOptions;
  readonly #stopping = new AbortController();
  #reason: string | undefined;
  #attempts = 0;
  #nextMs = 0;
  #rebuilding: Promise<void> | undefined;

  constructor(options: QuarantineOptions) {
    this.#options = options;
  }

  /** Why this member serves nothing; undefined when its state is sound. */
  get reason(): string | undefined {
    return this.#reason;
  }

  enter(reason: string): void {
    if (this.#reason === undefined) {
      this.#reason = reason;
      this.#attempts = 0;
      this.#options.logger.error({
        event: 'quarantined',
        reason,
        remedy: 'none needed while other members serve: the state is fetched from them',
      });
    }
  }

  /** The state has been replaced. */
  leave(): void {
    if (this.#reason !== undefined) {
      this.#options.logger.info({ event: 'quarantine-left', reason: this.#reason });
      this.#reason = undefined;
    }
  }

  /** Tries to rebuild, now and then. */
  tick(): void {
    const nowMs = this.#options.eventLoop.nowMs();
    const isDue = this.#reason !== undefined && nowMs >= this.#nextMs;
    if (isDue && this.#rebuilding === undefined && !this.#stopping.signal.aborted) {
      this.#nextMs = nowMs + retryMs;
      this.#rebuilding = this.#rebuild().finally(() => {
        this.#rebuilding = undefined;
      });
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#rebuilding;
  }

  async #rebuild(): Promise<void> {
    const { transport, snapshots, store, logger, sources, install } = this.#options;
    const { peers, minIndex } = sources();
    const from = peers[this.#attempts++ % Math.max(1, peers.length)];
    if (from === undefined) {
      logger.warn({ event: 'rebuild-failed', reason: 'no other member is known to fetch from' });
      return;
    }
    logger.info({ event: 'rebuilding', peer: from, minIndex });
    try {
      const { signal } = this.#stopping;
      const chunks = transport.fetchSnapshot(from, { minIndex, signal });
      const fetched = await snapshots.fetch(store, chunks);
      if (signal.aborted || !(await install(fetched))) {
        await fetched.staged.discard();
      }
    } catch (error) {
      // The next attempt asks another member; status and log say that this one is not in order.
      logger.warn({ event: 'rebuild-failed', peer: from, reason: String(error) });
    }
  }
}

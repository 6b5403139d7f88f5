/**
 * A member whose state is damaged: it stops serving, says why, and rebuilds its state from another
 * member (design G7). Its log is sound, so it goes on voting and storing entries; it only applies
 * nothing until it has a state again.
 */
import type { NodeId } from '../raft/index.ts';
import type { EventLogger } from './reporting.ts';
import type { SnapshotTaker, StateTransfer } from './state-transfer.ts';

/** What a quarantine works with. */
export interface QuarantineOptions {
  readonly transfer: Pick<StateTransfer, 'maybeFetch'>;
  readonly logger: EventLogger;
  /** Whom to ask for a state, most promising first, and what it must hold at least. */
  readonly sources: () => { readonly peers: readonly NodeId[]; readonly minIndex: number };
  /** Puts the state in the place of the damaged one; false when it does not fit the log (yet). */
  readonly install: SnapshotTaker;
}

/** See the module comment. */
export class Quarantine {
  readonly #options: QuarantineOptions;
  #reason: string | undefined;
  #attempts = 0;
  #isAlone = false;

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
      this.#isAlone = false;
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

  /** Tries to rebuild, now and then, from one member after the other. */
  tick(): void {
    if (this.#reason === undefined) {
      return;
    }
    const { transfer, sources, install } = this.#options;
    const { peers, minIndex } = sources();
    const from = peers[this.#attempts % Math.max(1, peers.length)];
    if (from === undefined) {
      this.#noteAlone();
    } else if (transfer.maybeFetch({ from, minIndex }, install)) {
      this.#attempts++;
    }
  }

  /** Told once: somebody may be added, or come to be known. */
  #noteAlone(): void {
    if (!this.#isAlone) {
      this.#isAlone = true;
      const reason = 'no other member is known to fetch from';
      this.#options.logger.warn({ event: 'rebuild-failed', reason });
    }
  }
}

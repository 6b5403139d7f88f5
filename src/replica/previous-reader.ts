/**
 * Reads what keys were before, for all watches of a member that want that: a few at a time. What
 * is found counts for the stream once it is there (`watch-room.ts`), so the next reading knows how
 * much room is left; what is being read meanwhile is bounded by their number.
 *
 * What was found of late is kept for others that are to be told the same (`recently-found.ts`).
 */
import type { Reading } from '../kv/index.ts';
import { RecentlyFound } from './recently-found.ts';
import { type NextNotice, noticeOf, type Waiting } from './watch-notices.ts';

/** Limit: readings under way; each may bring what `noticeOf` bounds. */
const readingsMax = 16;
/** Limit: bytes of what keys were before that are kept for others. */
const knownBytesMax = 16 * 1024 * 1024;

/** See the module comment. */
export class PreviousReader {
  readonly #read: (reading: Reading<NextNotice>) => Promise<NextNotice>;
  readonly #known = new RecentlyFound(knownBytesMax);
  #readings = 0;
  /** In the order in which they get their turn. */
  readonly #turns = new Set<() => void>();

  constructor(read: (reading: Reading<NextNotice>) => Promise<NextNotice>) {
    this.#read = read;
  }

  /** What is told next; `bytesMax` says, when it is read, how long what keys were before may be. */
  async complete(waiting: Waiting, bytesMax: () => number): Promise<NextNotice> {
    await this.#begin();
    try {
      return await this.#read(noticeOf(waiting, bytesMax(), this.#known));
    } finally {
      this.#end();
    }
  }

  async #begin(): Promise<void> {
    if (this.#readings < readingsMax) {
      this.#readings++;
      return;
    }
    await new Promise<void>((resolve) => {
      this.#turns.add(resolve);
    });
  }

  /** Passes the turn on, if somebody waits for it. */
  #end(): void {
    for (const proceed of this.#turns) {
      this.#turns.delete(proceed);
      proceed();
      return;
    }
    this.#readings--;
  }
}

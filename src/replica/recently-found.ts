/**
 * Events with what keys were before, by what was offered, for other watches that are told the same:
 * the last that were found, in a bounded number of bytes. Not for as long as the events wait, which
 * for a reader that takes nothing is for ever.
 */
import type { HistoryEvent } from '../kv/index.ts';
import type { WatchEvent } from './watch-api.ts';
import type { KnownEvents } from './watch-notices.ts';

/** See the module comment. */
export class RecentlyFound implements KnownEvents {
  readonly #bytesMax: number;
  readonly #found = new Map<readonly HistoryEvent[], Found>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get(part: readonly HistoryEvent[]): Found | undefined {
    return this.#found.get(part);
  }

  /** Keeps it, unless it is too long, and forgets the oldest that there is no more room for. */
  add(part: readonly HistoryEvent[], found: Found): void {
    const bytes = sizeOf(part, found);
    if (bytes > this.#bytesMax) {
      return;
    }
    this.#found.set(part, found);
    this.#bytes += bytes;
    for (const [oldest, each] of this.#found) {
      if (this.#bytes <= this.#bytesMax) {
        return;
      }
      this.#found.delete(oldest);
      this.#bytes -= sizeOf(oldest, each);
    }
  }
}

interface Found {
  readonly told: readonly WatchEvent[];
  readonly bytes: number;
}

/** The events are kept with it. */
function sizeOf(part: readonly HistoryEvent[], { bytes }: Found): number {
  let all = bytes;
  for (const event of part) {
    all += event.bytes;
  }
  return all;
}

/**
 * Entries that are needed again and that memory no longer holds: what has been asked for of the
 * host, and what its answer is good for.
 *
 * Committed entries are asked for one load at a time, and handed out when they are there; a peer's
 * are passed to the leadership that wanted them, if it still lasts.
 */
import { assert } from '../base/index.ts';
import type { Core } from './core.ts';
import type { Leadership } from './leader.ts';
import type { LoadRequest } from './ready.ts';
import type { Entry, LogIndex, NodeId, Term } from './types.ts';

/** Loads under way: for applying, or for a peer of a leadership. */
type PendingLoad =
  | { readonly purpose: 'apply'; readonly lo: LogIndex }
  | { readonly purpose: 'peer'; readonly lo: LogIndex; readonly peer: NodeId; readonly term: Term };

/** See the module comment. */
export class Loads {
  readonly #core: Core;
  readonly #pending = new Map<number, PendingLoad>();
  #requests: LoadRequest[] = [];
  #id = 0;
  #isApplyLoading = false;
  #loadedToApply: readonly Entry[] = [];

  constructor(core: Core) {
    this.#core = core;
  }

  /** Whether entries can be handed out for applying, or asked for. */
  get mayApply(): boolean {
    return this.#core.log.nextToApply !== undefined && !this.#isApplyLoading;
  }

  /** What the host is to load; told once. */
  takeRequests(): readonly LoadRequest[] {
    const requests = this.#requests;
    this.#requests = [];
    return requests;
  }

  /** Asks for what a leadership needs for its peers. */
  collectFrom(leadership: Leadership | undefined): void {
    const { term, options } = this.#core;
    for (const { peer, lo, hi } of leadership?.takeLoads() ?? []) {
      this.#ask({ purpose: 'peer', lo, peer, term }, hi, options.appendBytesMax);
    }
  }

  /** The host's answer; entries that have been replaced meanwhile are ignored. */
  loaded(id: number, entries: readonly Entry[], leadership: Leadership | undefined): void {
    const load = this.#pending.get(id);
    if (load === undefined) {
      return;
    }
    this.#pending.delete(id);
    const { log, term } = this.#core;
    const isCurrent =
      entries[0]?.index === load.lo &&
      entries.every((entry) => log.matches(entry.index, entry.term));
    if (load.purpose === 'apply') {
      assert(isCurrent, 'entries to apply are committed, so storage has them as they are');
      this.#isApplyLoading = false;
      this.#loadedToApply = entries;
    } else if (load.term === term && leadership !== undefined) {
      leadership.sendLoaded(load.peer, isCurrent ? entries : []);
    }
  }

  /** What is to be applied has changed as a whole: answers on their way are for nothing. */
  forgetApply(): void {
    this.#isApplyLoading = false;
    this.#loadedToApply = [];
    for (const [id, load] of this.#pending) {
      if (load.purpose === 'apply') {
        this.#pending.delete(id);
      }
    }
  }

  /** The next committed entries to apply, as far as they are in memory. */
  takeCommitted(): readonly Entry[] {
    const { log } = this.#core;
    const lo = log.nextToApply;
    if (lo === undefined || this.#isApplyLoading) {
      return [];
    }
    const hi = log.applicableIndex + 1;
    const slice =
      this.#loadedToApply[0]?.index === lo
        ? measured(this.#loadedToApply)
        : log.slice(lo, hi, log.applyingRoom);
    if (slice.kind === 'not-cached') {
      this.#isApplyLoading = true;
      const load: PendingLoad = { purpose: 'apply', lo };
      this.#ask(load, Math.min(hi, log.cacheFirst), log.applyingRoom);
      return [];
    }
    this.#loadedToApply = [];
    log.markApplying(slice.entries, slice.bytes);
    return slice.entries;
  }

  #ask(load: PendingLoad, hi: LogIndex, bytesMax: number): void {
    const id = ++this.#id;
    this.#pending.set(id, load);
    this.#requests.push({ id, lo: load.lo, hi, bytesMax });
  }
}

function measured(entries: readonly Entry[]): {
  readonly kind: 'entries';
  readonly entries: readonly Entry[];
  readonly bytes: number;
} {
  let bytes = 0;
  for (const entry of entries) {
    bytes += entry.data.length;
  }
  return { kind: 'entries', entries, bytes };
}

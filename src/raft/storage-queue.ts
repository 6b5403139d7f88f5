/**
 * What is to be made durable, one write at a time, and what its completion proves.
 *
 * Invariant: at most one write is out. A truncation that happens meanwhile is remembered, so that a
 * late acknowledgement never vouches for an entry that has been replaced, even by one of the same
 * index and term.
 */
import { assert } from '../base/index.ts';
import type { Core } from './core.ts';
import type { Message } from './message.ts';
import type { StorageWrite, WriteTicket } from './ready.ts';
import type { HardState, LogIndex, SnapshotPosition } from './types.ts';

interface PendingWrite {
  readonly ticket: WriteTicket;
  readonly hardState: HardState;
  /** Last entry of the write that is still in the log as written. */
  intactIndex: LogIndex;
}

/** See the module comment. */
export class StorageQueue {
  readonly #core: Core;
  #handedOut: HardState;
  #pending: PendingWrite | undefined;
  #sequence = 0;
  #isCommitDue = false;
  /** A snapshot that takes the place of the log with the next write. */
  #install: SnapshotPosition | undefined;

  constructor(core: Core, hardState: HardState) {
    this.#core = core;
    this.#handedOut = hardState;
  }

  /** A write is out, or there is one to hand out, or messages wait for none. */
  get hasWork(): boolean {
    return this.#pending === undefined && (this.#needsWrite || this.#core.afterSync.length > 0);
  }

  /** The commit index alone is worth a write now and then, never one of its own per commit. */
  noteTick(): void {
    this.#isCommitDue = true;
  }

  /** The log was cut: entries from `index` on are not those of the pending write any more. */
  noteTruncation(index: LogIndex): void {
    if (this.#pending !== undefined) {
      this.#pending.intactIndex = Math.min(this.#pending.intactIndex, index - 1);
    }
  }

  /** A snapshot has taken the place of the log: whatever was written before does not count. */
  noteInstall(position: SnapshotPosition): void {
    this.noteTruncation(1);
    this.#install = position;
  }

  /** The next write, or the messages that turn out to need none. Nothing while a write is out. */
  take(): { readonly write?: StorageWrite; readonly messages: readonly Message[] } {
    if (this.#pending !== undefined) {
      return { messages: [] };
    }
    const { log, term } = this.#core;
    const install = this.#install;
    // What follows the snapshot is written once the snapshot is in place, and until then nobody is
    // told that it is.
    const mustWait = install !== undefined && log.lastIndex > install.index;
    const messages = mustWait ? [] : this.#core.afterSync;
    this.#core.afterSync = mustWait ? this.#core.afterSync : [];
    if (!this.#needsWrite) {
      return { messages };
    }
    const hardState = this.#hardStateWith(install);
    this.#install = undefined;
    const entries = install === undefined ? log.entriesFrom(log.stableIndex + 1) : [];
    const last = entries.at(-1);
    const ticket: WriteTicket = {
      sequence: ++this.#sequence,
      term,
      lastIndex: last?.index ?? 0,
      lastTerm: last?.term ?? 0,
    };
    const isInstall = install !== undefined;
    const mustSync = isInstall || entries.length > 0 || this.#isVoteNews(hardState);
    const isNews =
      isInstall ||
      hardState.commitIndex !== this.#handedOut.commitIndex ||
      this.#isVoteNews(hardState);
    this.#pending = { ticket, hardState, intactIndex: ticket.lastIndex };
    this.#handedOut = hardState;
    this.#isCommitDue = false;
    return {
      write: { ticket, ...(isNews ? { hardState } : {}), entries, mustSync, install, messages },
      messages: [],
    };
  }

  /**
   * The write is durable: its hard state, and those of its entries that are still in the log.
   *
   * @throws {InvariantViolation} when no such write is out.
   */
  done(ticket: WriteTicket): void {
    const pending = this.#pending;
    assert(pending?.ticket.sequence === ticket.sequence, 'the write that is out is acknowledged');
    this.#pending = undefined;
    this.#core.durableTerm = pending.hardState.currentTerm;
    if (pending.intactIndex > 0) {
      this.#core.log.stableTo(pending.intactIndex);
    }
  }

  /** Whether this node's vote for itself in the present term is on its disk. */
  get isOwnVoteDurable(): boolean {
    const { currentTerm, votedFor } = this.#handedOut;
    const isDurable = this.#pending === undefined;
    return isDurable && currentTerm === this.#core.term && votedFor === this.#core.id;
  }

  get #hardState(): HardState {
    const { term, votedFor, log } = this.#core;
    return { currentTerm: term, votedFor, commitIndex: log.commitIndex };
  }

  /** As it is to be stored together with a snapshot, if there is one. */
  #hardStateWith(install: SnapshotPosition | undefined): HardState {
    const hardState = this.#hardState;
    // Entries that have overtaken the snapshot follow in the next write, and so does word that they
    // are committed: a disk whose commit index is beyond its log is taken for a damaged one.
    return install === undefined ? hardState : { ...hardState, commitIndex: install.index };
  }

  get #needsWrite(): boolean {
    const { log } = this.#core;
    const hardState = this.#hardState;
    const isCommitNews = hardState.commitIndex !== this.#handedOut.commitIndex;
    return (
      this.#install !== undefined ||
      log.stableIndex < log.lastIndex ||
      this.#isVoteNews(hardState) ||
      (this.#isCommitDue && isCommitNews)
    );
  }

  #isVoteNews(hardState: HardState): boolean {
    return (
      hardState.currentTerm !== this.#handedOut.currentTerm ||
      hardState.votedFor !== this.#handedOut.votedFor
    );
  }
}

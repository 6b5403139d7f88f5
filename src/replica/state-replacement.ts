/**
 * Puts a fetched state in the place of the one that this member has: because Raft orders it, the
 * log no longer reaching back to where this member is, or because its own state is damaged.
 *
 * Invariants: one state is put in place at a time, and nothing shortens the log meanwhile
 * (`isUnderWay`). State and log change over together, and a start finishes what a crash cuts short.
 * Whatever kept the old state from being applied to ends with it.
 */
import { assert, must } from '../base/index.ts';
import type { LogIndex, SnapshotPosition, StorageWrite } from '../raft/index.ts';
import type { LogStore } from '../storage/index.ts';
import type { LogKeeper } from './log-keeper.ts';
import type { MemberState } from './member-state.ts';
import type { Replica } from './replica.ts';
import type { FetchedSnapshot } from './snapshots.ts';

/** What it works with. */
export interface StateReplacementOptions {
  readonly log: Pick<LogStore, 'reset'>;
  readonly state: Pick<MemberState, 'install'>;
  readonly replica: Pick<
    Replica,
    'installSnapshot' | 'installed' | 'canResumeAt' | 'resumeApplying'
  >;
  readonly keeper: Pick<LogKeeper, 'idle'>;
  /** Raft has taken an offer, and orders its installation in one of the next turns. */
  readonly onAccepted: () => void;
  /** Another state is in its place, that of entry `index`. */
  readonly onReplaced: (index: LogIndex) => void;
}

/** See the module comment. */
export class StateReplacement {
  readonly #options: StateReplacementOptions;
  /** Accepted by Raft, until the write that installs it has ended. */
  #accepted: FetchedSnapshot | undefined;
  /** The state that is in its place already, while the log is not. */
  #switchedTo: SnapshotPosition | undefined;
  #isRebuilding = false;

  constructor(options: StateReplacementOptions) {
    this.#options = options;
  }

  /** Another state waits to take the place of this one, or is taking it. */
  get isUnderWay(): boolean {
    return this.#accepted !== undefined || this.#isRebuilding;
  }

  /** Offers a fetched state to Raft; false when it is of no use to it (any more). */
  offer(fetched: FetchedSnapshot): boolean {
    assert(!this.isUnderWay, 'one state is put in place at a time');
    const { replica, onAccepted } = this.#options;
    const { position, senderTerm } = fetched;
    if (!replica.installSnapshot(position, senderTerm)) {
      return false;
    }
    this.#accepted = fetched;
    onAccepted();
    return true;
  }

  /** Carries out Raft's order; to be called again if it has failed for lack of room. */
  async install(write: StorageWrite): Promise<void> {
    const { log, state, replica, keeper, onReplaced } = this.#options;
    const position = must(write.install, 'the position of an install');
    const accepted = must(this.#accepted, 'the snapshot that is to be installed');
    assert(accepted.position === position, 'the snapshot that Raft has accepted is installed');
    if (this.#switchedTo !== position) {
      await keeper.idle();
      await state.install(accepted.staged, position);
      this.#switchedTo = position;
    }
    await log.reset(position, must(write.hardState, 'the hard state of an install'));
    this.#accepted = undefined;
    this.#switchedTo = undefined;
    replica.installed(position);
    onReplaced(position.index);
  }

  /** Replaces a damaged state; false when the log does not reach the fetched one yet. */
  async rebuild(fetched: FetchedSnapshot): Promise<boolean> {
    if (this.offer(fetched)) {
      return true;
    }
    const { state, replica, keeper, onReplaced } = this.#options;
    const { staged, position } = fetched;
    this.#isRebuilding = true;
    try {
      await keeper.idle();
      // Looked at last: the log may have been shortened until now.
      if (!replica.canResumeAt(position.index)) {
        return false;
      }
      await state.install(staged, position);
      replica.resumeApplying(position);
      onReplaced(position.index);
      return true;
    } finally {
      this.#isRebuilding = false;
    }
  }
}

/**
 * Puts a fetched state in the place of the one that this member has: because Raft orders it, the
 * log no longer reaching back to where this member is, or because its own state is damaged.
 *
 * Invariant: state and log change over together, and a start finishes what a crash cuts short.
 */
import { must } from '../base/index.ts';
import type { LogIndex, StorageWrite } from '../raft/index.ts';
import type { LogStore } from '../storage/index.ts';
import type { LogKeeper } from './log-keeper.ts';
import type { MemberState } from './member-state.ts';
import type { Replica } from './replica.ts';
import type { FetchedSnapshot } from './snapshots.ts';
import type { StateTransfer } from './state-transfer.ts';

/** What it works with. */
export interface StateReplacementOptions {
  readonly log: Pick<LogStore, 'reset'>;
  readonly state: Pick<MemberState, 'install'>;
  readonly replica: Pick<
    Replica,
    'installSnapshot' | 'canResumeAt' | 'resumeApplying' | 'readable'
  >;
  readonly transfer: Pick<StateTransfer, 'keep' | 'take' | 'installed'>;
  readonly keeper: Pick<LogKeeper, 'idle'>;
  /** Raft has taken an offer, and orders its installation in one of the next turns. */
  readonly onAccepted: () => void;
  /** Another state is in its place, that of entry `index`. */
  readonly onReplaced: (index: LogIndex) => void;
}

/** See the module comment. */
export class StateReplacement {
  readonly #options: StateReplacementOptions;

  constructor(options: StateReplacementOptions) {
    this.#options = options;
  }

  /** Carries out Raft's order. */
  async install(write: StorageWrite): Promise<void> {
    const { log, state, replica, transfer, keeper, onReplaced } = this.#options;
    const position = must(write.install, 'the position of an install');
    const { staged } = transfer.take(position);
    await keeper.idle();
    await state.install(staged, position);
    await log.reset(position, must(write.hardState, 'the hard state of an install'));
    transfer.installed();
    replica.readable(position.index);
    onReplaced(position.index);
  }

  /** Replaces a damaged state; false when the log does not reach the fetched one yet. */
  async rebuild(fetched: FetchedSnapshot): Promise<boolean> {
    const { state, replica, transfer, keeper, onAccepted, onReplaced } = this.#options;
    const { staged, position, senderTerm } = fetched;
    if (replica.installSnapshot(position, senderTerm)) {
      transfer.keep(fetched);
      onAccepted();
      return true;
    }
    if (!replica.canResumeAt(position.index)) {
      return false;
    }
    await keeper.idle();
    await state.install(staged, position);
    replica.resumeApplying(position);
    onReplaced(position.index);
    return true;
  }
}

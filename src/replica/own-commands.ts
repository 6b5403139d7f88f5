/**
 * What a leader puts into its log by itself, and nobody waits for: stamps of the cluster's time,
 * compactions of history, and that the feature level rises. The next of each kind comes once the
 * last one is applied.
 */
import { type Command, encodeCommand, type TimeState } from '../kv/index.ts';
import type { LogIndex, NodeId, Raft, Term } from '../raft/index.ts';
import { AutoCompaction, type CompactableState, type HistoryRetention } from './auto-compaction.ts';
import { ClusterClock } from './cluster-clock.ts';
import { LevelRaise } from './level-raise.ts';
import { encodeEnvelope } from './proposals.ts';

/** Milliseconds of cluster time for which answers under idempotency keys are kept, at least. */
const keepAnswersMs = 600_000;

/** What a member knows once entries have been applied; a state machine fits. */
export interface AppliedState extends CompactableState {
  readonly time: TimeState;
  readonly level: number;
  readonly lastApplied: { readonly index: LogIndex; readonly term: Term };
}

/** What they are made with. */
export interface OwnCommandsOptions {
  readonly raft: Pick<Raft, 'role' | 'term' | 'proposeOwn' | 'configuration'>;
  readonly retention: HistoryRetention | undefined;
  /** Whose commands they are. */
  readonly source: { readonly origin: NodeId; readonly incarnation: number };
}

/** See the module comment. */
export class OwnCommands {
  readonly #raft: OwnCommandsOptions['raft'];
  readonly #source: OwnCommandsOptions['source'];
  readonly #clock = new ClusterClock();
  readonly #autoCompaction: AutoCompaction;
  readonly #levelRaise = new LevelRaise();

  constructor({ raft, retention, source }: OwnCommandsOptions) {
    this.#raft = raft;
    this.#source = source;
    this.#autoCompaction = new AutoCompaction(retention);
  }

  /** The cluster's time, milliseconds, as far as this member knows. */
  get clusterTimeMs(): number {
    return this.#clock.timeMs;
  }

  noteTime(nowMs: number): void {
    this.#clock.noteTime(nowMs);
    this.#autoCompaction.noteTime(nowMs);
  }

  /** See {@link AutoCompaction.noteSpace}. */
  noteSpace(isShort: boolean): void {
    this.#autoCompaction.noteSpace(isShort);
  }

  /** See {@link LevelRaise.noteLevels}. */
  noteLevels(newestById: ReadonlyMap<NodeId, number>): void {
    this.#levelRaise.noteLevels(newestById);
  }

  /** Takes the applied state, once it has changed. */
  applied(state: AppliedState): void {
    this.#clock.applied(state.time, state.lastApplied.term, this.#leadingTerm);
    this.#autoCompaction.applied(state);
    this.#levelRaise.applied(state.level);
  }

  /** The state has been replaced by another one. */
  forgetState(): void {
    this.#autoCompaction.forget();
  }

  /** Puts what is due into the log; returns the revision up to which history goes by it, if any. */
  propose(): number | undefined {
    this.#stampTime();
    this.#raiseLevel();
    return this.#compactHistory();
  }

  get #leadingTerm(): Term {
    return this.#raft.role === 'leader' ? this.#raft.term : 0;
  }

  /** A stamp is made in the moment it goes into the log; one that cannot go there is none. */
  #stampTime(): void {
    const timeMs = this.#clock.dueStamp(this.#leadingTerm);
    if (timeMs === undefined) {
      return;
    }
    if (this.#append({ type: 'advanceTime', timeMs, keepAnswersMs }) !== undefined) {
      this.#clock.stamped(timeMs);
    }
  }

  #raiseLevel(): void {
    const term = this.#leadingTerm;
    const level = this.#levelRaise.due(term, this.#raft.configuration.confState);
    if (level !== undefined && this.#append({ type: 'raiseLevel', level }) !== undefined) {
      this.#levelRaise.proposed(term, level);
    }
  }

  #compactHistory(): number | undefined {
    const term = this.#leadingTerm;
    const revision = this.#autoCompaction.due(term);
    const index = revision === undefined ? undefined : this.#append({ type: 'compact', revision });
    if (revision === undefined || index === undefined) {
      return undefined;
    }
    this.#autoCompaction.proposed({ term, index, revision });
    return revision;
  }

  /** The index that the command has in the log; undefined if it cannot go there. */
  #append(command: Command): LogIndex | undefined {
    const envelope = encodeEnvelope({ ...this.#source, id: 0, command: encodeCommand(command) });
    const result = this.#raft.proposeOwn(envelope);
    return result.kind === 'appended' ? result.firstIndex : undefined;
  }
}

/**
 * Compares the state of this member with that of the others: all that have applied the same entries
 * must have the same rolling hash (design G7).
 *
 * The leader names an index now and then; every member that has applied it tells all others its
 * hash there. Each judges for itself: whose hash a majority of the voters contradicts is damaged;
 * where no hash can have a majority any more, nobody can tell who is right.
 */
import type { Configuration, LogIndex, NodeId } from '../raft/index.ts';

/** A hash of the state after an entry. */
export interface StateHashAt {
  readonly index: LogIndex;
  readonly hash: bigint;
}

/** What the hashes at an index say about this member. */
export type HashVerdict =
  | { readonly kind: 'agree' }
  /** A majority has another state than this member. */
  | { readonly kind: 'diverged'; readonly index: LogIndex }
  /** Members contradict each other, and none of their states has a majority. */
  | { readonly kind: 'no-majority'; readonly index: LogIndex };

/** Limit: indexes compared at a time; older ones are forgotten. */
const indexesMax = 8;

/** See the module comment. */
export class StateHashes {
  readonly #self: NodeId;
  /** By index, oldest first: who has told which hash there. */
  readonly #hashesByIndex = new Map<LogIndex, Map<NodeId, bigint>>();
  #lastStarted: LogIndex = 0;

  constructor(self: NodeId) {
    this.#self = self;
  }

  /**
   * The leader's turn: begins a comparison at `own`, unless nothing has happened since the last.
   */
  maybeStart(own: StateHashAt): StateHashAt | undefined {
    if (own.index <= this.#lastStarted) {
      return undefined;
    }
    this.#lastStarted = own.index;
    this.#note(this.#self, own);
    return own;
  }

  /** Another member has told its hash. */
  heard(from: NodeId, told: StateHashAt): void {
    this.#note(from, told);
  }

  /** Indexes that others speak of and this member has not told its own hash of, ascending. */
  get unanswered(): readonly LogIndex[] {
    return [...this.#hashesByIndex]
      .filter(([, hashes]) => !hashes.has(this.#self))
      .map(([index]) => index)
      .sort((a, b) => a - b);
  }

  /** This member's own hash at an index that others have asked for. */
  answer(own: StateHashAt): void {
    this.#note(this.#self, own);
  }

  /** What all that has been told amounts to. */
  judge({ confState }: Configuration): HashVerdict {
    const { voters } = confState;
    const majority = Math.floor(voters.length / 2) + 1;
    for (const [index, hashes] of this.#hashesByIndex) {
      const own = hashes.get(this.#self);
      if (own === undefined) {
        continue;
      }
      const counts = new Map<bigint, number>();
      let silent = voters.length;
      for (const id of voters) {
        const hash = hashes.get(id);
        if (hash !== undefined) {
          silent--;
          counts.set(hash, (counts.get(hash) ?? 0) + 1);
        }
      }
      const most = Math.max(0, ...counts.values());
      if (most >= majority) {
        if (counts.get(own) !== most) {
          return { kind: 'diverged', index };
        }
      } else if (counts.size > 1 && most + silent < majority) {
        return { kind: 'no-majority', index };
      }
    }
    return { kind: 'agree' };
  }

  /** Forgets everything: the state has been replaced. */
  reset(): void {
    this.#hashesByIndex.clear();
  }

  #note(from: NodeId, { index, hash }: StateHashAt): void {
    const hashes = this.#hashesByIndex.get(index) ?? new Map<NodeId, bigint>();
    hashes.set(from, hash);
    this.#hashesByIndex.set(index, hashes);
    if (this.#hashesByIndex.size > indexesMax) {
      const oldest = Math.min(...this.#hashesByIndex.keys());
      this.#hashesByIndex.delete(oldest);
    }
  }
}

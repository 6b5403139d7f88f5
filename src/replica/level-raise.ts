/**
 * When a leader raises the cluster's feature level: once every member of the configuration,
 * learners and those that are leaving included, is connected and has said that it reads the next
 * one (ADR-018).
 *
 * What members say is of the processes that are there now, and forgotten with the next report: one
 * that is down may come back as an older build. The decision is safe whatever happens to it later:
 * an older build meets the entry before anything of the new level, and stops there.
 */
import type { ConfState, NodeId, Term } from '../raft/index.ts';

/**
 * The level that all members of a configuration read; undefined while one has not said.
 *
 * @internal for tests.
 */
export function levelOfAll(
  { voters, votersOutgoing, learners, learnersNext }: ConfState,
  newestById: ReadonlyMap<NodeId, number>,
): number | undefined {
  let lowest: number | undefined;
  for (const id of [...voters, ...votersOutgoing, ...learners, ...learnersNext]) {
    const newest = newestById.get(id);
    if (newest === undefined) {
      return undefined;
    }
    lowest = Math.min(lowest ?? newest, newest);
  }
  return lowest;
}

/** See the module comment. */
export class LevelRaise {
  /** What members that are connected read, this one included; empty until it is asked for. */
  #newestById: ReadonlyMap<NodeId, number> = new Map();
  #level: number | undefined;
  /** What has gone into the log already, and in which term. */
  #proposed: { readonly term: Term; readonly level: number } | undefined;

  /** Takes the newest level that each connected member reads, this one included. */
  noteLevels(newestById: ReadonlyMap<NodeId, number>): void {
    this.#newestById = newestById;
  }

  /** Takes the level of the applied state. */
  applied(level: number): void {
    this.#level = level;
  }

  /** The level to be raised to, by the leader of `term`; undefined if there is none. */
  due(term: Term, confState: ConfState): number | undefined {
    if (term === 0 || this.#newestById.size === 0 || this.#level === undefined) {
      return undefined;
    }
    const level = levelOfAll(confState, this.#newestById) ?? this.#level;
    const isUnderWay = this.#proposed?.term === term && this.#proposed.level >= level;
    return level > this.#level && !isUnderWay ? level : undefined;
  }

  /** An entry that raises the level stands in the log of the leader of `term`. */
  proposed(term: Term, level: number): void {
    this.#proposed = { term, level };
  }
}

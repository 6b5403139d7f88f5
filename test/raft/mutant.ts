/** A deliberate bug of a node, as `mutants.ts` gathers them. */

/** One bug. */
export interface Mutant {
  /** What the mutated node does wrong. */
  readonly lesson: string;
  /** In `src/raft`. */
  readonly file: string;
  /** Occurs exactly once. */
  readonly find: string;
  readonly replace: string;
  /** Each of these ids, or citations, names at least one test that fails. */
  readonly caughtBy: readonly string[];
  /** The first few random runs of `random.test.ts` find it too. */
  readonly isFoundByChance?: true;
}

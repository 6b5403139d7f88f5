/** A deliberate bug, as `mutants.ts` lists them. */
import type { Patch } from './build.ts';
import type { FailureKind } from './failure.ts';

/** One bug. */
export interface Mutant {
  /** Completes "a member that ...". */
  readonly lesson: string;
  readonly profile: string;
  /** The bug shows within this many seeds, from 1 on. */
  readonly seeds: number;
  readonly patches: readonly Patch[];
  /** What it must be found as; anything, when left out. */
  readonly kind?: FailureKind;
}

const below =
  (folder: string) =>
  (file: string, find: string, replace: string): Patch => ({
    file: `${folder}/${file}`,
    find,
    replace,
  });

/** Patches of a file of `src/raft`. */
export const raft = below('src/raft');
/** Patches of a file of `src/replica`. */
export const replica = below('src/replica');
/** Patches of a file of `src/kv`. */
export const kv = below('src/kv');
/** Patches of what stands for the services in front of a member. */
export const sim = below('test/sim');

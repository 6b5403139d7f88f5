/**
 * Deliberate bugs that are built into real members, and the run of the chaos suite that must find
 * each. Most are the simulator's own (`test/sim/mutants.ts`), by their lesson.
 *
 * Bugs that only a rare order of messages shows are left to the simulator: here machines decide.
 */
import type { Patch } from '../sim/build.ts';
import { mutants as simulated } from '../sim/mutants.ts';

/** One bug. */
export interface BuiltMutant {
  /** Completes "a member that ...". */
  readonly lesson: string;
  readonly patches: readonly Patch[];
  readonly workload: string;
  readonly nemesis: string;
  /** Seconds of faults in one run. */
  readonly seconds: number;
  /** Runs, with seeds from 1 on, within which it must be found. */
  readonly runs: number;
  /** More for `npm run chaos`. */
  readonly options?: readonly string[];
  /** A check that must have found it, one of these. */
  readonly checks: readonly string[];
}

function patchesOf(lesson: string): readonly Patch[] {
  const found = simulated.find((mutant) => mutant.lesson === lesson);
  if (found === undefined) {
    throw new Error(`the simulator has no mutant that ${lesson}`);
  }
  return found.patches;
}

/** One of the simulator's. */
function known(lesson: string, run: Omit<BuiltMutant, 'lesson' | 'patches'>): BuiltMutant {
  return { lesson, patches: patchesOf(lesson), ...run };
}

export const mutants: readonly BuiltMutant[] = [
  {
    lesson: 'goes on leading without a majority, and answers reads without asking one',
    patches: [
      ...patchesOf('answers reads without asking a majority'),
      {
        file: 'src/raft/leader.ts',
        find: 'if (options.checkQuorum && !this.peers.hasActiveQuorum) {',
        replace: 'if (options.electionTimeoutTicks < 0 && !this.peers.hasActiveQuorum) {',
      },
    ],
    ...{ workload: 'register', nemesis: 'isolate-leader', seconds: 6, runs: 3 },
    checks: ['no split brain', 'strict serializability', 'linearizability of single keys'],
  },
  known('serves a read before its state has come so far', {
    ...{ workload: 'register', nemesis: 'client-resets', seconds: 3, runs: 3 },
    checks: ['no split brain', 'strict serializability', 'linearizability of single keys'],
  }),
  {
    // No bug in the code: what lease reads rest on is taken away.
    lesson: 'answers reads by a lease though clocks differ many times more than that allows',
    patches: [],
    ...{ workload: 'register', nemesis: 'wild-clocks', seconds: 12, runs: 5 },
    options: ['--read-mode', 'lease'],
    checks: ['no split brain', 'strict serializability', 'linearizability of single keys'],
  },
  known('promises to help elect nobody else and does so when it takes its leader for gone', {
    ...{ workload: 'register', nemesis: 'refused-leader', seconds: 6, runs: 3 },
    options: ['--read-mode', 'lease'],
    checks: ['no split brain', 'strict serializability', 'linearizability of single keys'],
  }),
  known('ends a lease that was renewed at its old deadline', {
    ...{ workload: 'lease', nemesis: 'client-resets', seconds: 3, runs: 3 },
    checks: ['leases'],
  }),
  known('leaves the keys of a lease that ends', {
    ...{ workload: 'lease', nemesis: 'client-resets', seconds: 3, runs: 3 },
    checks: ['leases'],
  }),
  known('tells a watch twice what came while it caught up', {
    ...{ workload: 'watch', nemesis: 'client-resets', seconds: 3, runs: 3 },
    checks: ['watches'],
  }),
  known('forgets at a restart how far it has applied', {
    ...{ workload: 'append', nemesis: 'kill-all', seconds: 3, runs: 3 },
    checks: ['convergence', 'strict serializability', 'lists', 'durability'],
  }),
  {
    lesson: 'never syncs its log',
    patches: [
      {
        file: 'src/storage/node-file-system.ts',
        find: 'fdatasync(this.#descriptor, done);',
        replace: 'setImmediate(done, null);',
      },
    ],
    ...{ workload: 'append', nemesis: 'power-cut', seconds: 24, runs: 3 },
    checks: ['durability', 'lists', 'strict serializability', 'no split brain', 'convergence'],
  },
  {
    lesson: 'carries out every attempt of a request with an idempotency key',
    patches: [
      {
        file: 'src/kv/answers.ts',
        find: 'if (bytes === undefined) {',
        replace: "if (bytes === undefined || id.type === 'key') {",
      },
    ],
    ...{ workload: 'counter', nemesis: 'restart-storm', seconds: 6, runs: 5 },
    checks: ['exactly once', 'strict serializability'],
  },
  {
    lesson: 'takes half of the members for a majority',
    patches: [
      {
        file: 'src/raft/quorum.ts',
        find: 'return Math.floor(count / 2) + 1;',
        replace: 'return Math.max(1, Math.floor(count / 2));',
      },
    ],
    ...{ workload: 'append', nemesis: 'isolate-leader', seconds: 6, runs: 3 },
    checks: ['no split brain', 'strict serializability', 'durability', 'convergence'],
  },
];

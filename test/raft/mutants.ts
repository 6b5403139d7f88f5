/**
 * Deliberate bugs, each of which the tests must find. Every one names the exact text that it
 * replaces, so that a mutant which no longer fits the source fails loudly instead of passing for
 * caught.
 */
import type { Mutant } from './mutant.ts';
import { durabilityMutants } from './mutants-durability.ts';
import { electionMutants } from './mutants-elections.ts';
import { membershipMutants } from './mutants-membership.ts';
import { readMutants } from './mutants-reads.ts';
import { replicationMutants } from './mutants-replication.ts';
import { snapshotMutants } from './mutants-snapshots.ts';

export const mutants: readonly Mutant[] = [
  ...durabilityMutants,
  ...electionMutants,
  ...replicationMutants,
  ...membershipMutants,
  ...snapshotMutants,
  ...readMutants,
];

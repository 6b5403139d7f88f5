/**
 * Quorum arithmetic, for plain and joint configurations (Raft thesis §3.5, §4.3).
 *
 * A plain configuration is a joint one whose outgoing half is empty; an empty half agrees with
 * everything.
 */
import type { ConfState, NodeId } from './types.ts';

/** How a vote stands. */
export type VoteOutcome = 'won' | 'lost' | 'pending';

/**
 * Number of voters that make a majority of `count`.
 *
 * @public for its test.
 */
export function majorityOf(count: number): number {
  return Math.floor(count / 2) + 1;
}

/**
 * Returns the largest value that a majority of `voters` has reached; an unknown value counts as 0.
 *
 * @remarks
 * Used for match indexes and for read rounds. Infinity for an empty set, so that it does not hold
 * back the other half of a joint configuration.
 */
function majorityValue(
  voters: readonly NodeId[],
  valueOf: (id: NodeId) => number | undefined,
): number {
  if (voters.length === 0) {
    return Number.POSITIVE_INFINITY;
  }
  const values = voters.map((id) => valueOf(id) ?? 0).sort((a, b) => a - b);
  return values[voters.length - majorityOf(voters.length)] as number;
}

/**
 * Returns the largest value that the quorum of a configuration has reached: the lower of its
 * halves'.
 */
export function quorumValue(conf: ConfState, valueOf: (id: NodeId) => number | undefined): number {
  return Math.min(majorityValue(conf.voters, valueOf), majorityValue(conf.votersOutgoing, valueOf));
}

/** Counts votes among one set of voters. */
function majorityVote(
  voters: readonly NodeId[],
  voteOf: (id: NodeId) => boolean | undefined,
): VoteOutcome {
  if (voters.length === 0) {
    return 'won';
  }
  let granted = 0;
  let missing = 0;
  for (const id of voters) {
    const vote = voteOf(id);
    if (vote === undefined) {
      missing++;
    } else if (vote) {
      granted++;
    }
  }
  const majority = majorityOf(voters.length);
  if (granted >= majority) {
    return 'won';
  }
  return granted + missing >= majority ? 'pending' : 'lost';
}

/** Counts votes of a configuration: won only if both halves are, lost as soon as one is. */
export function quorumVote(
  conf: ConfState,
  voteOf: (id: NodeId) => boolean | undefined,
): VoteOutcome {
  const incoming = majorityVote(conf.voters, voteOf);
  const outgoing = majorityVote(conf.votersOutgoing, voteOf);
  if (incoming === outgoing) {
    return incoming;
  }
  return incoming === 'lost' || outgoing === 'lost' ? 'lost' : 'pending';
}

/** Every member of a configuration, ascending and without repetition. */
export function membersOf(conf: ConfState): readonly NodeId[] {
  const ids = new Set([
    ...conf.voters,
    ...conf.votersOutgoing,
    ...conf.learners,
    ...conf.learnersNext,
  ]);
  return [...ids].sort((a, b) => a - b);
}

/** Tells whether `id` votes in a configuration. */
export function isVoter(conf: ConfState, id: NodeId): boolean {
  return conf.voters.includes(id) || conf.votersOutgoing.includes(id);
}

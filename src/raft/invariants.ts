/**
 * What always holds of one node, and of one node before and after an input.
 *
 * Checked in production at every change of role, and after every step of a simulation. What holds
 * between nodes (election safety, log matching, leader completeness: Raft thesis §3.6.3) only a
 * simulation can see.
 */
import { assert } from '../base/index.ts';
import { describeStatus } from './describe.ts';
import type { RaftStatus } from './status.ts';

/** Stops when a node is not what a node can be. */
export function verifyRaft(status: RaftStatus): void {
  const { role, term, leader, id, votedFor } = status;
  const check = (isTrue: boolean, what: string): void => {
    assert(isTrue, () => `${what}: ${describeStatus(status)}`);
  };
  check(status.appliedIndex <= status.applyingIndex, 'applied is at most applying');
  check(status.applyingIndex <= status.commitIndex, 'only committed entries are applied');
  check(status.applyingIndex <= status.stableIndex, 'only durable entries are applied');
  check(status.commitIndex <= status.lastIndex, 'only entries of the log are committed');
  check(status.stableIndex <= status.lastIndex, 'only entries of the log are stable');
  check(status.lastTerm <= term, 'no entry is of a later term');
  check((role === 'leader') === (leader === id), 'exactly a leader is its own leader');
  check(role === 'follower' || role === 'leader' || leader === 0, 'a candidate has no leader');
  check(
    votedFor === id || (role !== 'candidate' && role !== 'leader'),
    'candidates and leaders have their own vote',
  );
  check(role === 'leader' || status.progress.size === 0, 'only a leader tracks progress');
  check(status.snapshotIndex <= status.appliedIndex, 'only applied entries are compacted');
  const { index, confState } = status.configuration;
  const { voters, votersOutgoing, learners, learnersNext } = confState;
  check(index <= status.lastIndex, 'the configuration is that of an entry of the log');
  check(
    ![...voters, ...votersOutgoing].some((each) => learners.includes(each)),
    'nobody both votes and learns',
  );
  check(
    learnersNext.every((each) => votersOutgoing.includes(each)),
    'who is to learn votes in the outgoing half',
  );
  for (const { matchIndex, nextIndex } of status.progress.values()) {
    check(matchIndex < nextIndex, 'match is below next');
    check(nextIndex <= status.lastIndex + 1, 'next is at most one beyond the log');
  }
}

/**
 * Stops when a running node has moved back.
 *
 * @public for simulations.
 */
export function verifyDelta(before: RaftStatus, after: RaftStatus): void {
  const check = (isTrue: boolean, what: string): void => {
    assert(isTrue, () => `${what}: ${describeStatus(before)}; then ${describeStatus(after)}`);
  };
  const isSameTerm = after.term === before.term;
  check(after.term >= before.term, 'terms never shrink');
  check(after.commitIndex >= before.commitIndex, 'the commit index never shrinks');
  check(after.appliedIndex >= before.appliedIndex, 'the applied index never shrinks');
  check(
    !isSameTerm || before.votedFor === 0 || after.votedFor === before.votedFor,
    'a vote given in a term stays (Raft thesis §3.4)',
  );
  check(after.snapshotIndex >= before.snapshotIndex, 'what is compacted stays so');
  check(
    before.configuration.index > before.commitIndex ||
      after.configuration.index >= before.configuration.index,
    'a committed configuration is never taken back (Raft thesis §4.1)',
  );
  const isLeadership = isSameTerm && before.role === 'leader' && after.role === 'leader';
  check(!isLeadership || after.lastIndex >= before.lastIndex, 'a leader only appends');
}

/** Each invariant stops on a picture that breaks it, and on no other. */
import { describe, expect, test } from 'vitest';
import { verifyDelta, verifyRaft } from '../../src/raft/invariants.ts';
import type { ConfState } from '../../src/raft/index.ts';
import type { PeerStatus, RaftStatus } from '../../src/raft/status.ts';
import { Subject } from './subject.ts';

/** A leader of term 3 that has applied 4 of 6 entries. */
const leader: RaftStatus = {
  id: 1,
  role: 'leader',
  term: 3,
  votedFor: 1,
  leader: 1,
  commitIndex: 5,
  applyingIndex: 5,
  appliedIndex: 4,
  stableIndex: 6,
  lastIndex: 6,
  lastTerm: 3,
  snapshotIndex: 0,
  configuration: new Subject().raft.status().configuration,
  electionElapsed: 0,
  randomizedElectionTimeout: 10,
  progress: new Map<number, PeerStatus>(),
  transferTarget: 0,
  uncommittedBytes: 0,
  pendingReads: 0,
  leaseReads: 0,
  cacheBytes: 0,
};

function withPeer(matchIndex: number, nextIndex: number): Partial<RaftStatus> {
  const peer = new Subject();
  peer.lead();
  const [status] = peer.raft.status().progress.values();
  return status === undefined
    ? {}
    : { progress: new Map([[2, { ...status, matchIndex, nextIndex }]]) };
}

function withConf(conf: Partial<ConfState>, index = 0): Partial<RaftStatus> {
  const { confState, context } = leader.configuration;
  return { configuration: { index, confState: { ...confState, ...conf }, context } };
}

describe('verifyRaft', () => {
  test('lets a sound node be', () => {
    expect(() => {
      verifyRaft({ ...leader, ...withPeer(5, 7) });
    }).not.toThrow();
  });

  test.each<[string, Partial<RaftStatus>]>([
    ['applied is at most applying', { appliedIndex: 6 }],
    ['only committed entries are applied', { commitIndex: 4 }],
    ['only durable entries are applied', { stableIndex: 4 }],
    ['only entries of the log are committed', { commitIndex: 7 }],
    ['only entries of the log are stable', { stableIndex: 7 }],
    ['no entry is of a later term', { lastTerm: 4 }],
    ['exactly a leader is its own leader', { leader: 2 }],
    ['exactly a leader is its own leader', { role: 'follower' }],
    ['a candidate has no leader', { role: 'candidate', leader: 2 }],
    ['candidates and leaders have their own vote', { votedFor: 2 }],
    ['only a leader tracks progress', { role: 'follower', leader: 2, ...withPeer(1, 2) }],
    ['only applied entries are compacted', { snapshotIndex: 5 }],
    ['the configuration is that of an entry of the log', withConf({}, 7)],
    ['nobody both votes and learns', withConf({ learners: [2] })],
    ['who is to learn votes in the outgoing half', withConf({ learnersNext: [2] })],
    ['match is below next', withPeer(5, 5)],
    ['next is at most one beyond the log', withPeer(5, 8)],
  ])('stops when this is broken: %s', (what, change) => {
    expect(() => {
      verifyRaft({ ...leader, ...change });
    }).toThrow(what);
  });
});

describe('verifyDelta', () => {
  test.each<[string, Partial<RaftStatus>]>([
    ['nothing happened', {}],
    ['a later term cost the leadership', { term: 4, role: 'follower', leader: 0, votedFor: 0 }],
    ['a later leader cut the tail', { term: 4, role: 'follower', leader: 2, lastIndex: 5 }],
  ])('lets a node be when %s', (_, change) => {
    expect(() => {
      verifyDelta(leader, { ...leader, ...change });
    }).not.toThrow();
  });

  test.each<[string, Partial<RaftStatus>]>([
    ['terms never shrink', { term: 2 }],
    ['the commit index never shrinks', { commitIndex: 4 }],
    ['the applied index never shrinks', { appliedIndex: 3 }],
    ['what is compacted stays so', { snapshotIndex: -1 }],
    ['a committed configuration is never taken back', withConf({}, -1)],
    ['a vote given in a term stays', { votedFor: 0 }],
    ['a leader only appends', { lastIndex: 5 }],
  ])('stops when this is broken: %s', (what, change) => {
    expect(() => {
      verifyDelta(leader, { ...leader, ...change });
    }).toThrow(what);
  });
});

/** The role of a node: who becomes what, and what exists in one role only. */
import { describe, expect, test } from 'vitest';
import type { Core } from '../../src/raft/core.ts';
import { ForwardedReads } from '../../src/raft/forwarded-reads.ts';
import type { ConfState, RaftOptions } from '../../src/raft/index.ts';
import { Roles } from '../../src/raft/roles.ts';
import { coreOf } from './subject.ts';

interface Start {
  readonly conf?: Partial<ConfState>;
  readonly options?: Partial<RaftOptions>;
}

function rolesOf(start: Start = {}): { core: Core; roles: Roles; reads: ForwardedReads } {
  const core = coreOf({ id: 1, ...start });
  const reads = new ForwardedReads(100);
  return { core, reads, roles: new Roles(core, reads) };
}

/** A voice from voter 2 for the campaign under way. */
function grant(core: Core, roles: Roles): void {
  const isPreVote = core.role === 'preCandidate';
  roles.countVote({
    type: isPreVote ? 'PreVoteResponse' : 'RequestVoteResponse',
    ...{ from: 2, to: 1, term: core.term + (isPreVote ? 1 : 0), isGranted: true },
  });
}

describe('Roles', () => {
  test('lead from follower to leader by way of both campaigns, its own vote counted last', () => {
    const { core, roles } = rolesOf();
    const seen = [core.role];

    roles.campaign();
    seen.push(core.role);
    grant(core, roles);
    seen.push(core.role);
    grant(core, roles);
    expect(roles.leadership).toBeUndefined();
    roles.countOwnVote();
    seen.push(core.role);

    expect(seen).toEqual(['follower', 'preCandidate', 'candidate', 'leader']);
    expect(roles.leadership).toBeDefined();
    expect(core).toMatchObject({ term: 2, leader: 1, votedFor: 1 });
  });

  test('a start hurries nobody who may not lead, or campaigns already', () => {
    const learner = rolesOf({ conf: { voters: [2, 3], learners: [1] } });
    const candidate = rolesOf();
    candidate.roles.campaign();

    for (const { core, roles } of [learner, candidate]) {
      roles.reportStarted();
      expect(core.electionElapsed).toBe(0);
    }
  });

  test('a voice for another campaign than the one under way is not counted', () => {
    const { core, roles } = rolesOf();
    roles.campaign();

    const vote = { type: 'RequestVoteResponse', from: 2, to: 1, isGranted: true } as const;
    roles.countVote({ ...vote, term: core.term });

    expect(core.role).toBe('preCandidate');
  });

  test('with the leadership its object goes, and reads that it owed are dropped', () => {
    const { core, roles } = rolesOf({ options: { preVote: false } });
    roles.campaign();
    grant(core, roles);
    roles.countOwnVote();
    roles.leadership?.maybeRead({ from: 1, context: 7 });
    core.events = [];

    roles.becomeFollower(core.term + 1, 3);

    expect(roles.leadership).toBeUndefined();
    expect(core.events.map(({ type }) => type)).toEqual([
      'role-changed',
      'leader-changed',
      'reads-dropped',
    ]);
  });

  test('reads passed on to a leader are dropped when another one is heard', () => {
    const { core, roles, reads } = rolesOf();
    roles.heardLeader(2);
    reads.add(5);
    core.events = [];

    roles.heardLeader(2);
    expect(core.events).toEqual([]);
    roles.becomeFollower(core.term + 1, 3);

    expect(core.events).toContainEqual({
      ...{ type: 'reads-dropped', contexts: [5], reason: 'the leader changed' },
    });
  });

  test('an order to take over skips the pre-vote, and means nothing to a learner', () => {
    const voter = rolesOf();
    const learner = rolesOf({ conf: { voters: [2, 3], learners: [1] } });

    voter.roles.takeOver();
    learner.roles.takeOver();

    expect([voter.core.role, learner.core.role]).toEqual(['candidate', 'follower']);
  });

  test('a leader that hears of another one in its term stops', () => {
    const { roles } = rolesOf({ conf: { voters: [1] }, options: { preVote: false } });
    roles.campaign();
    roles.countOwnVote();

    expect(() => {
      roles.heardLeader(2);
    }).toThrow('two leaders in term 2: 1, 2');
  });
});

import { describe, expect, test } from 'vitest';
import type { Configuration } from '../../src/raft/index.ts';
import {
  decodeMembership,
  encodeMembership,
  initialConfiguration,
  learnersMax,
  type MemberRecord,
  type MembershipChange,
  planChange,
  unknownConfiguration,
} from '../../src/replica/membership.ts';

function recordOf(id: number, url = `http://n${id}`): MemberRecord {
  return { id, name: `n${id}`, peerUrls: [url], autoPromote: false };
}

/** A configuration of members 1 to 3, with these learners and removed members. */
function configurationOf(learners: readonly number[] = [], removedIds: readonly number[] = []) {
  const base = initialConfiguration([1, 2, 3].map((id) => recordOf(id)));
  const members = [1, 2, 3, ...learners].map((id) => recordOf(id));
  return {
    ...base,
    confState: { ...base.confState, learners },
    context: encodeMembership({ members, removedIds }),
  };
}

function refusalOf(configuration: Configuration, change: MembershipChange): string {
  const plan = planChange(configuration, change);
  return plan.kind === 'refused' ? plan.code : plan.kind;
}

describe('A membership', () => {
  test('comes out of a configuration as it went in', () => {
    const membership = {
      members: [recordOf(1)],
      removedIds: [7],
      departing: [recordOf(7)],
      origin: { origin: 1, incarnation: 2, id: 3 },
    };

    expect(decodeMembership(encodeMembership(membership))).toEqual(membership);
  });

  test('of a member that joins is unknown; of another version stops the member', () => {
    expect(decodeMembership(unknownConfiguration().context)).toEqual({
      members: [],
      removedIds: [],
    });
    const future = new TextEncoder().encode('{"version":2,"members":[],"removedIds":[]}');

    expect(() => decodeMembership(future)).toThrow('version 2 is not known');
  });

  test('begins with voters alone, by ascending id', () => {
    const { confState, context, index } = initialConfiguration([recordOf(3), recordOf(1)]);

    expect([index, confState.voters, confState.learners]).toEqual([0, [1, 3], []]);
    expect(decodeMembership(context).members.map(({ id }) => id)).toEqual([1, 3]);
  });
});

describe('planChange', () => {
  test('adds a voter or a learner', () => {
    const member = recordOf(9);

    expect(planChange(configurationOf(), { type: 'add', member, isLearner: false })).toMatchObject({
      voters: [1, 2, 3, 9],
      learners: [],
    });
    expect(
      planChange(configurationOf([8]), { type: 'add', member, isLearner: true }),
    ).toMatchObject({
      voters: [1, 2, 3],
      learners: [8, 9],
    });
  });

  test('adds nobody twice, nor at a used address, nor too many learners', () => {
    const many = Array.from({ length: learnersMax }, (_, i) => 10 + i);
    const add = (member: MemberRecord, isLearner = false): MembershipChange => ({
      type: 'add',
      member,
      isLearner,
    });

    expect(refusalOf(configurationOf(), add(recordOf(3)))).toBe('done');
    expect(refusalOf(configurationOf([], [9]), add(recordOf(9)))).toBe('MEMBER_REMOVED');
    expect(refusalOf(configurationOf(), add(recordOf(9, 'http://n2')))).toBe('PEER_URL_EXISTS');
    expect(refusalOf(configurationOf(many), add(recordOf(9), true))).toBe('TOO_MANY_LEARNERS');
    expect(refusalOf(configurationOf(many), add(recordOf(9)))).toBe('next');
  });

  test('removes a member for good, and remembers whom to speak with meanwhile', () => {
    const plan = planChange(configurationOf([8]), { type: 'remove', id: 2 });

    expect(plan).toMatchObject({
      voters: [1, 3],
      learners: [8],
      membership: { removedIds: [2], departing: [{ id: 2 }] },
    });
    expect(refusalOf(configurationOf([], [2]), { type: 'remove', id: 9 })).toBe('MEMBER_NOT_FOUND');
  });

  test('removes or demotes no last voter', () => {
    const alone = initialConfiguration([recordOf(1)]);

    expect(refusalOf(alone, { type: 'remove', id: 1 })).toBe('NOT_ENOUGH_STARTED');
    expect(refusalOf(alone, { type: 'demote', id: 1 })).toBe('NOT_ENOUGH_STARTED');
  });

  test('changes an address, unless it is that of another member', () => {
    const update = (id: number, url: string): MembershipChange => ({
      type: 'update',
      id,
      peerUrls: [url],
    });

    expect(planChange(configurationOf(), update(2, 'http://x'))).toMatchObject({
      voters: [1, 2, 3],
      membership: { members: [{ id: 1 }, { id: 2, peerUrls: ['http://x'] }, { id: 3 }] },
    });
    expect(refusalOf(configurationOf(), update(2, 'http://n2'))).toBe('done');
    expect(refusalOf(configurationOf(), update(2, 'http://n3'))).toBe('PEER_URL_EXISTS');
    expect(refusalOf(configurationOf(), update(9, 'http://x'))).toBe('MEMBER_NOT_FOUND');
  });

  test('promotes learners only, and demotes voters only', () => {
    expect(planChange(configurationOf([8]), { type: 'promote', id: 8 })).toMatchObject({
      voters: [1, 2, 3, 8],
      learners: [],
    });
    expect(refusalOf(configurationOf(), { type: 'promote', id: 2 })).toBe('NOT_LEARNER');
    expect(refusalOf(configurationOf(), { type: 'promote', id: 9 })).toBe('MEMBER_NOT_FOUND');
    expect(planChange(configurationOf([8]), { type: 'demote', id: 2 })).toMatchObject({
      voters: [1, 3],
      learners: [2, 8],
    });
    expect(refusalOf(configurationOf([8]), { type: 'demote', id: 8 })).toBe('done');
    expect(refusalOf(configurationOf(), { type: 'demote', id: 9 })).toBe('MEMBER_NOT_FOUND');
  });

  test('replaces one member by another in one change, which may share its address', () => {
    const change = { type: 'replace', id: 2, member: recordOf(9, 'http://n2'), isLearner: false };
    const plan = planChange(configurationOf(), change as MembershipChange);

    expect(plan).toMatchObject({
      voters: [1, 3, 9],
      membership: { removedIds: [2], departing: [{ id: 2 }] },
    });
    const done = { ...change, member: recordOf(3) };
    expect(refusalOf(configurationOf(), done as MembershipChange)).toBe('done');
  });
});

import { describe, expect, test } from 'vitest';
import { admit, isBlank, listenersNeeded, refusedError } from '../../src/replica/admission.ts';
import { MemberList } from '../../src/replica/member-list.ts';
import { encodeMembership, initialConfiguration } from '../../src/replica/membership.ts';

const noLog = { snapshotIndex: 0, snapshotTerm: 0, lastIndex: 0, termRuns: [], confEntries: [] };
const noState = { currentTerm: 0, votedFor: 0, commitIndex: 0 };
const peer = { id: 2, incarnation: 1, levels: { oldest: 1, newest: 2 } };

describe('admit', () => {
  test.each([
    ['new', 'ok'],
    ['same', 'ok'],
    ['other', 'lost-data'],
  ] as const)('a peer whose data directory is %s gets %s', async (known, admission) => {
    const members = new MemberList(initialConfiguration([]));

    const answer = await admit(
      peer,
      members,
      { record: async () => Promise.resolve(known) },
      { level: 1 },
    );

    expect(answer).toBe(admission);
  });

  test('a removed member is refused, whatever its data', async () => {
    const members = new MemberList(initialConfiguration([]));
    const context = encodeMembership({ members: [], removedIds: [2] });
    members.setApplied({ ...initialConfiguration([]), context });
    const record = async (): Promise<'same'> => Promise.resolve('same');

    expect(await admit(peer, members, { record }, { level: 1 })).toBe('removed');
  });

  test('a member that is removed while it is being admitted is refused', async () => {
    const members = new MemberList(initialConfiguration([]));
    const context = encodeMembership({ members: [], removedIds: [2] });
    const record = async (): Promise<'same'> => {
      await Promise.resolve();
      members.setApplied({ ...initialConfiguration([]), context });
      return 'same';
    };

    expect(await admit(peer, members, { record }, { level: 1 })).toBe('removed');
  });
});

describe('A member that does not read the feature level', () => {
  test.each([
    [1, { oldest: 1, newest: 1 }, 'ok'],
    [2, { oldest: 1, newest: 1 }, 'level'],
    [2, { oldest: 1, newest: 2 }, 'ok'],
    [2, { oldest: 3, newest: 4 }, 'level'],
  ] as const)('of %i, but %o, is answered with %s', async (level, levels, admission) => {
    const members = new MemberList(initialConfiguration([]));
    const record = async (): Promise<'same'> => Promise.resolve('same');

    expect(await admit({ ...peer, levels }, members, { record }, { level })).toBe(admission);
  });
});

describe('A blank member', () => {
  test('has neither term nor entries nor a snapshot', () => {
    expect(isBlank(noLog, noState)).toBe(true);
    expect(isBlank({ ...noLog, lastIndex: 1 }, noState)).toBe(false);
    expect(isBlank({ ...noLog, snapshotIndex: 1 }, noState)).toBe(false);
    expect(isBlank(noLog, { ...noState, currentTerm: 1 })).toBe(false);
  });

  test('waits for a majority of the others, which meets every quorum it was in', () => {
    expect([1, 2, 3, 4, 5, 7].map(listenersNeeded)).toEqual([0, 1, 2, 2, 3, 4]);
    for (let size = 2; size < 10; size++) {
      const quorumWithoutIt = Math.floor(size / 2);
      expect(listenersNeeded(size) + quorumWithoutIt).toBeGreaterThan(size - 1);
      expect(2 * listenersNeeded(size)).toBeGreaterThan(size - 1);
    }
  });
});

test('who is refused for good is told why and what to do', () => {
  expect(refusedError('removed', 'n1', 2)).toMatchObject({ code: 'MEMBER_REMOVED' });
  const lost = refusedError('lost-data', 'n1', 255);
  expect(lost.code).toBe('DATA_DIR_MISMATCH');
  expect(lost.message).toContain('peer ff');
  expect(lost.message).toContain('member remove');
});

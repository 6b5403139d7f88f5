import { describe, expect, test } from 'vitest';
import { attributesName, encodeAttributes, MemberList } from '../../src/replica/member-list.ts';
import { encodeMembership, initialConfiguration } from '../../src/replica/membership.ts';

const records = [1, 2, 3].map((id) => ({
  ...{ id, name: `n${id}`, autoPromote: false },
  peerUrls: [`http://n${id}`],
}));
const three = initialConfiguration(records);

/** Member 2 is leaving; while `votersOutgoing` is there, the change is not over. */
function leaving(votersOutgoing: readonly number[]): typeof three {
  return {
    index: 4,
    confState: { ...three.confState, voters: [1, 3], votersOutgoing },
    context: encodeMembership({
      members: records.filter(({ id }) => id !== 2),
      removedIds: [2],
      departing: records.filter(({ id }) => id === 2),
    }),
  };
}

describe('MemberList', () => {
  test('tells names and addresses: as published, else as announced or configured', () => {
    const list = new MemberList(three);
    list.setRecord(attributesName(1), encodeAttributes({ name: 'a', clientUrls: ['http://c1'] }));
    list.announce(2, ['http://c2']);

    expect(list.all()).toMatchObject([
      { id: 1, name: 'a', clientUrls: ['http://c1'] },
      { id: 2, name: 'n2', clientUrls: ['http://c2'] },
      { id: 3, name: 'n3', clientUrls: [] },
    ]);
    list.setRecord(attributesName(1), new Uint8Array(0));
    expect(list.get(1)).toMatchObject({ name: 'n1', clientUrls: [] });
  });

  test('who joins knows the members as described to it, until it has a configuration', () => {
    const list = new MemberList(initialConfiguration([]), records);
    expect(list.reachable.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(list.all()).toMatchObject([{ name: 'n1' }, { name: 'n2' }, { name: 'n3' }]);

    list.setConfiguration(leaving([]));

    expect(list.reachable.map(({ id }) => id)).toEqual([1, 3]);
  });

  test('who is spoken with has a name: as published, else as configured, else its id', () => {
    const added = { id: 4, name: '', autoPromote: false, peerUrls: ['http://n4'] };
    const list = new MemberList(initialConfiguration([...records, added]));
    list.setRecord(attributesName(1), encodeAttributes({ name: 'a', clientUrls: [] }));
    expect(list.reachable.map(({ name }) => name)).toEqual(['a', 'n2', 'n3', '4']);

    list.setRecord(attributesName(4), encodeAttributes({ name: 'n4', clientUrls: [] }));

    expect(list.reachable.map(({ name }) => name)).toEqual(['a', 'n2', 'n3', 'n4']);
  });

  test('a stranger is not found', () => {
    expect(() => new MemberList(three).get(9)).toThrow(
      expect.objectContaining({ code: 'MEMBER_NOT_FOUND' }),
    );
  });

  test('who leaves stays within reach until the joint configuration is left', () => {
    const list = new MemberList(three);

    list.setConfiguration(leaving([1, 2, 3]));
    expect(list.reachable.map(({ id }) => id)).toEqual([1, 3, 2]);
    list.setConfiguration(leaving([]));

    expect(list.reachable.map(({ id }) => id)).toEqual([1, 3]);
  });

  test('a member is removed once its removal is applied for good, not before', () => {
    const list = new MemberList(three);
    list.setConfiguration(leaving([1, 2, 3]));
    expect(list.setApplied(leaving([1, 2, 3]))).toEqual([]);
    expect(list.isRemoved(2)).toBe(false);

    expect(list.setApplied(leaving([]))).toEqual([2]);
    expect(list.setApplied(leaving([])), 'that is no news').toEqual([]);

    expect(list.isRemoved(2)).toBe(true);
    expect(list.removedIds).toEqual([2]);
  });
});

import { describe, expect, test } from 'vitest';
import type { Configuration } from '../../src/raft/index.ts';
import { encodeMembership, initialConfiguration } from '../../src/replica/membership.ts';
import { MembershipChanges } from '../../src/replica/membership-changes.ts';

const records = [1, 2, 3].map((id) => ({
  ...{ id, name: `n${id}`, autoPromote: false },
  peerUrls: [`http://n${id}`],
}));
const three = initialConfiguration(records);
const remove2 = { type: 'remove', id: 2 } as const;

function created(): MembershipChanges {
  return new MembershipChanges({ origin: 1, incarnation: 7 }, 5);
}

/** The configuration that change `id` of the member above has made. */
function resultOf(id: number, votersOutgoing: readonly number[] = []): Configuration {
  return {
    index: 4,
    confState: { ...three.confState, voters: [1, 3], votersOutgoing },
    context: encodeMembership({
      members: records.filter((each) => each.id !== 2),
      removedIds: [2],
      origin: { origin: 1, incarnation: 7, id },
    }),
  };
}

describe('MembershipChanges', () => {
  test('a change is worked out when it is due, and again when nothing is heard of it', () => {
    const changes = created();
    const id = changes.maybeAdd(remove2, 10, 100);

    expect(changes.takeDue(three, 10).due).toMatchObject({ id, voters: [1, 3] });
    expect(changes.takeDue(three, 14).due).toBeUndefined();
    expect(changes.takeDue(three, 15).due).toMatchObject({ id });
  });

  test('a refusal that time heals brings it back at the next tick', () => {
    const changes = created();
    const id = changes.maybeAdd(remove2, 10, 100) ?? 0;
    changes.takeDue(three, 10);
    changes.markProposed(id);

    expect(changes.refused(id, 'conf-pending', 11)).toBeUndefined();

    expect(changes.takeDue(three, 12).due).toMatchObject({ id });
  });

  test('a refusal that time does not heal ends it as surely without effect', () => {
    const changes = created();
    const id = changes.maybeAdd(remove2, 10, 100) ?? 0;
    changes.markProposed(id);

    expect(changes.refused(id, 'quorum-at-risk', 11)).toEqual({
      ...{ id, kind: 'failed', code: 'NOT_ENOUGH_STARTED', outcome: 'rejected' },
    });
    expect(changes.count).toBe(0);
  });

  test('the refusal of one attempt says nothing of an earlier one that was not answered', () => {
    const changes = created();
    const [first, second] = [1, 2].map(() => changes.maybeAdd(remove2, 10, 100) ?? 0);
    for (const id of [first ?? 0, second ?? 0]) {
      changes.markProposed(id);
      changes.markProposed(id);
    }

    expect(changes.refused(first ?? 0, 'quorum-at-risk', 11)).toMatchObject({ outcome: 'unknown' });
    expect(changes.refused(second ?? 0, 'conf-pending', 11)).toBeUndefined();
    expect(changes.refused(second ?? 0, 'conf-pending', 12)).toBeUndefined();
    expect(changes.close()).toMatchObject([{ id: second, outcome: 'rejected' }]);
  });

  test('it ends when its configuration is applied, not while that is joint', () => {
    const changes = created();
    const id = changes.maybeAdd(remove2, 10, 100) ?? 0;

    expect(changes.applied(resultOf(id, [1, 2, 3]))).toBeUndefined();
    expect(changes.applied(resultOf(id))).toEqual({ id, kind: 'done' });
    expect(changes.applied(resultOf(id))).toBeUndefined();
  });

  test('the change of another member, or of an earlier run, is not taken for its own', () => {
    const id = 1;
    const other = new MembershipChanges({ origin: 1, incarnation: 8 }, 5);
    other.maybeAdd(remove2, 10, 100);

    expect(other.applied(resultOf(id))).toBeUndefined();
    expect(other.count).toBe(1);
  });

  test('what is refused when it is worked out fails with its code', () => {
    const changes = created();
    const id = changes.maybeAdd({ type: 'remove', id: 9 }, 10, 100);

    expect(changes.takeDue(three, 10).results).toEqual([
      { id, kind: 'failed', code: 'MEMBER_NOT_FOUND', outcome: 'rejected' },
    ]);
  });

  test('proposed again after it took effect, it is found done', () => {
    const changes = created();
    const id = changes.maybeAdd(remove2, 10, 100) ?? 0;
    changes.takeDue(three, 10);
    changes.markProposed(id);

    expect(changes.takeDue(resultOf(99), 20).results).toEqual([{ id, kind: 'done' }]);
  });

  test('its deadline, and the end of the member, tell whether it may have happened', () => {
    const changes = created();
    const proposed = changes.maybeAdd(remove2, 10, 20) ?? 0;
    changes.markProposed(proposed);
    const fresh = changes.maybeAdd(remove2, 10, 30);

    expect(changes.expire(20)).toEqual([
      { id: proposed, kind: 'failed', code: 'TIMEOUT', outcome: 'unknown' },
    ]);
    expect(changes.close()).toEqual([
      { id: fresh, kind: 'failed', code: 'STOPPED', outcome: 'rejected' },
    ]);
  });

  test('no more than sixteen are under way', () => {
    const changes = created();
    for (let i = 0; i < 16; i++) {
      expect(changes.maybeAdd(remove2, 0, 1)).toBe(i + 1);
    }

    expect(changes.maybeAdd(remove2, 0, 1)).toBeUndefined();
  });
});

/** What goes to Raft, and what comes back of it; Raft answers as told. */
import { describe, expect, test } from 'vitest';
import type { ConfChangeProposal } from '../../src/raft/message.ts';
import type { ProposeResult } from '../../src/raft/ready.ts';
import { MembershipChanges } from '../../src/replica/membership-changes.ts';
import { initialConfiguration } from '../../src/replica/membership.ts';
import { decodeEnvelope, ProposalTable } from '../../src/replica/proposals.ts';
import { Submission } from '../../src/replica/submission.ts';
import { withRoom } from './with-room.ts';

const records = [1, 2, 3].map((id) => ({
  ...{ id, name: `n${id}`, autoPromote: false },
  peerUrls: [`http://n${id}`],
}));
const configuration = { ...initialConfiguration(records), index: 4 };
const remove2 = { type: 'remove', id: 2 } as const;

function start() {
  const raft = {
    leader: 3,
    term: 7,
    commitIndex: 4,
    answer: { kind: 'forwarded', to: 3, term: 7 } as ProposeResult,
    batches: [] as { ids: number[]; context: number }[],
    proposed: [] as (ConfChangeProposal & { context: number })[],
    configuration,
    propose: (data: readonly Uint8Array[], context: number) => {
      raft.batches.push({ ids: data.map((each) => decodeEnvelope(each).id), context });
      return raft.answer;
    },
    proposeConfChange: (proposal: ConfChangeProposal, context: number) => {
      raft.proposed.push({ ...proposal, context });
      return raft.answer;
    },
  };
  const proposals = new ProposalTable(1, 9, { countMax: 100, bytesMax: 20_000_000 });
  const changes = new MembershipChanges({ origin: 1, incarnation: 9 }, 5);
  const submission = new Submission({ raft, proposals, changes, firstContext: 1000 });
  const add = (bytes = 1): void => {
    proposals.maybeAdd(withRoom(new Uint8Array(bytes)), 100);
  };
  return { raft, proposals, changes, submission, add };
}

describe('Proposals', () => {
  test('go as one batch, under a context of their own', () => {
    const { raft, submission, add } = start();
    add();
    add();

    submission.submitQueued(1);
    add();
    submission.submitQueued(1);
    submission.submitQueued(1);

    expect(raft.batches).toEqual([
      { ids: [1, 2], context: 1000 },
      { ids: [3], context: 1001 },
    ]);
  });

  test('go in batches of 4 MiB, and one that is larger by itself', () => {
    const { raft, submission, add } = start();
    for (const mebibytes of [1, 2, 2, 5, 1]) {
      add(mebibytes * 1024 * 1024);
    }

    submission.submitQueued(1);

    expect(raft.batches).toEqual([
      { ids: [1, 2], context: 1000 },
      { ids: [3], context: 1001 },
      { ids: [4], context: 1002 },
      { ids: [5], context: 1003 },
    ]);
  });

  test('wait all of them once Raft has no room for a batch', () => {
    const { raft, proposals, submission, add } = start();
    for (const mebibytes of [3, 3]) {
      add(mebibytes * 1024 * 1024);
    }
    raft.answer = { kind: 'dropped', reason: 'log-full' };

    submission.submitQueued(1);

    expect(raft.batches).toEqual([{ ids: [1], context: 1000 }]);
    expect(proposals.takeQueued(Infinity).ids).toEqual([1, 2]);
  });

  test('wait while no leader is known, or Raft has no room for them', () => {
    const { raft, submission, add } = start();
    add();
    raft.leader = 0;
    submission.submitQueued(1);
    expect(raft.batches).toEqual([]);

    raft.leader = 3;
    raft.answer = { kind: 'dropped', reason: 'log-full' };
    submission.submitQueued(1);
    submission.submitQueued(1);
    expect(raft.batches).toHaveLength(1);

    raft.commitIndex++;
    submission.submitQueued(1);
    submission.submitQueued(2);

    expect(raft.batches.map(({ ids }) => ids)).toEqual([[1], [1], [1]]);
  });

  test('are queued again when the leader of their term refuses, once', () => {
    const { raft, submission, add } = start();
    add();
    submission.submitQueued(1);

    submission.refused(1000, 'log-full', 1);
    submission.refused(1000, 'log-full', 1);
    submission.submitQueued(2);
    submission.submitQueued(2);

    expect(raft.batches.map(({ ids }) => ids)).toEqual([[1], [1]]);
  });

  test('wait for the next tick, with what comes meanwhile, once their leader has refused', () => {
    const { raft, submission, add } = start();
    add();
    submission.submitQueued(1);
    submission.refused(1000, 'transferring', 1);
    add();
    submission.submitQueued(1);
    expect(raft.batches).toHaveLength(1);

    submission.submitQueued(2);

    expect(raft.batches.map(({ ids }) => ids)).toEqual([[1], [1, 2]]);
  });

  test.each([
    ['another leader', { leader: 2, term: 8 }],
    ['the same one in a later term', { leader: 3, term: 8 }],
  ])('do not wait for %s', (_, next) => {
    const { raft, submission, add } = start();
    add();
    submission.submitQueued(1);
    submission.refused(1000, 'not-leader', 1);

    Object.assign(raft, next);
    submission.submitQueued(1);

    expect(raft.batches.map(({ ids }) => ids)).toEqual([[1], [1]]);
  });

  test('a refusal that is of no batch of this run changes nothing', () => {
    const { raft, submission, add } = start();
    add();
    submission.submitQueued(1);

    expect(submission.refused(7, 'log-full', 1)).toEqual([]);
    submission.submitQueued(1);

    expect(raft.batches).toHaveLength(1);
  });

  test('batches on their way are remembered up to a limit; the oldest is given up', () => {
    const { raft, proposals, submission, add } = start();
    for (let i = 0; i < 1025; i++) {
      add();
      submission.submitQueued(1);
      if (i > 0) {
        proposals.cancel(i + 1);
      }
    }

    submission.refused(1000, 'log-full', 1);
    submission.submitQueued(2);

    expect(raft.batches).toHaveLength(1025);
  });
});

describe('Changes of membership', () => {
  test('are worked out against a committed configuration only', () => {
    const { raft, changes, submission } = start();
    changes.maybeAdd(remove2, 0, 100);
    raft.commitIndex = 3;
    expect(submission.submitChange(0)).toEqual([]);
    expect(raft.proposed).toEqual([]);

    raft.commitIndex = 4;
    submission.submitChange(0);

    expect(raft.proposed).toMatchObject([{ baseIndex: 4, voters: [1, 3], context: 1000 }]);
  });

  test('end with a refusal that time does not heal, from here or from the leader', () => {
    const { raft, changes, submission } = start();
    const failed = { kind: 'failed', code: 'NOT_ENOUGH_STARTED', outcome: 'rejected' };
    changes.maybeAdd(remove2, 0, 100);
    submission.submitChange(0);
    expect(submission.refused(1000, 'quorum-at-risk', 1)).toMatchObject([{ id: 1, ...failed }]);

    raft.answer = { kind: 'dropped', reason: 'quorum-at-risk' };
    changes.maybeAdd(remove2, 1, 100);

    expect(submission.submitChange(1)).toMatchObject([{ id: 2, ...failed }]);
  });

  test('what turns out to be settled is told with what is proposed', () => {
    const { raft, changes, submission } = start();
    changes.maybeAdd({ type: 'promote', id: 3 }, 0, 100);
    changes.maybeAdd(remove2, 0, 100);

    const results = submission.submitChange(0);

    expect(results).toMatchObject([{ id: 1, code: 'NOT_LEARNER' }]);
    expect(raft.proposed).toHaveLength(1);
  });
});

import { describe, expect, test } from 'vitest';
import { initialConfiguration } from '../../src/replica/membership.ts';
import type { FetchedSnapshot } from '../../src/replica/snapshots.ts';
import { StateReplacement } from '../../src/replica/state-replacement.ts';
import { createMemoryEngine } from '../../src/storage/index.ts';

const configuration = initialConfiguration([
  { id: 1, name: 'a', peerUrls: ['http://a'], autoPromote: false },
]);
const fetched: FetchedSnapshot = {
  position: { index: 7, term: 2, configuration },
  senderTerm: 3,
  bytes: 100,
  staged: {
    engine: createMemoryEngine(),
    activate: async () => Promise.resolve(),
    discard: async () => Promise.resolve(),
  },
};

/** Everything that happens, in order; Raft takes offers, or the log reaches them, as told. */
function start({ isTaken = false, isReached = false } = {}) {
  const order: string[] = [];
  const note = (what: string) => async (): Promise<void> => {
    order.push(what);
    return Promise.resolve();
  };
  const noteNow = (what: string) => () => {
    order.push(what);
  };
  const replacement = new StateReplacement({
    log: { reset: note('log') },
    state: { install: note('state') },
    replica: {
      installSnapshot: () => isTaken,
      canResumeAt: () => isReached,
      resumeApplying: noteNow('resume'),
      readable: noteNow('readable'),
    },
    transfer: {
      keep: noteNow('keep'),
      take: () => fetched,
      installed: noteNow('installed'),
    },
    keeper: { idle: note('idle') },
    onAccepted: noteNow('accepted'),
    onReplaced: (index) => {
      order.push(`replaced ${index}`);
    },
  });
  return { order, replacement };
}

describe('StateReplacement', () => {
  test('the state changes over before the log, while nothing compacts the log', async () => {
    const { order, replacement } = start();

    await replacement.install({
      ...{ entries: [], mustSync: true, messages: [] },
      ticket: { sequence: 1, term: 3, lastIndex: 0, lastTerm: 0 },
      hardState: { currentTerm: 3, votedFor: 0, commitIndex: 7 },
      install: fetched.position,
    });

    expect(order).toEqual(['idle', 'state', 'log', 'installed', 'readable', 'replaced 7']);
  });

  test('a damaged state waits for the order of Raft, if Raft takes the offer', async () => {
    const { order, replacement } = start({ isTaken: true });

    expect(await replacement.rebuild(fetched)).toBe(true);

    expect(order).toEqual(['keep', 'accepted']);
  });

  test('a damaged state is replaced at once by one that the log goes on from', async () => {
    const { order, replacement } = start({ isReached: true });

    expect(await replacement.rebuild(fetched)).toBe(true);

    expect(order).toEqual(['idle', 'state', 'resume', 'replaced 7']);
  });

  test('a state that the log does not reach yet is of no use', async () => {
    const { order, replacement } = start();

    expect(await replacement.rebuild(fetched)).toBe(false);

    expect(order).toEqual([]);
  });
});

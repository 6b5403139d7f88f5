import { describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
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

const write = {
  ...{ entries: [], mustSync: true, messages: [] },
  ticket: { sequence: 1, term: 3, lastIndex: 0, lastTerm: 0 },
  hardState: { currentTerm: 3, votedFor: 0, commitIndex: 7 },
  install: fetched.position,
};

/** Everything that happens, in order; Raft takes offers, or the log reaches them, as told. */
function start({ isTaken = false, isReached = (): boolean => false } = {}) {
  const order: string[] = [];
  const failures = new Map<string, Error>();
  const note = (what: string) => async (): Promise<void> => {
    order.push(what);
    const failure = failures.get(what);
    await (failure === undefined ? Promise.resolve() : Promise.reject(failure));
  };
  const noteNow = (what: string) => () => {
    order.push(what);
  };
  const replacement = new StateReplacement({
    log: { reset: note('log') },
    state: { install: note('state') },
    replica: {
      installSnapshot: () => isTaken,
      installed: noteNow('installed'),
      canResumeAt: isReached,
      resumeApplying: noteNow('resume'),
    },
    keeper: { idle: note('idle') },
    onAccepted: noteNow('accepted'),
    onReplaced: (index) => {
      order.push(`replaced ${index}`);
    },
  });
  return { order, failures, replacement };
}

describe('StateReplacement', () => {
  test('the state changes over before the log, while nothing compacts the log', async () => {
    const { order, replacement } = start({ isTaken: true });
    expect(replacement.offer(fetched)).toBe(true);
    expect(replacement.isUnderWay).toBe(true);

    await replacement.install(write);

    expect(order).toEqual(['accepted', 'idle', 'state', 'log', 'installed', 'replaced 7']);
    expect(replacement.isUnderWay).toBe(false);
  });

  test('where the log finds no room the state has changed over for good', async () => {
    const { order, failures, replacement } = start({ isTaken: true });
    replacement.offer(fetched);
    const full = new KvError('DISK_FULL');
    failures.set('log', full);
    await expect(replacement.install(write)).rejects.toBe(full);
    expect(replacement.isUnderWay).toBe(true);
    failures.clear();
    order.length = 0;

    await replacement.install(write);

    expect(order).toEqual(['log', 'installed', 'replaced 7']);
  });

  test('an offer that Raft does not take leaves nothing behind', () => {
    const { order, replacement } = start();

    expect(replacement.offer(fetched)).toBe(false);

    expect(order).toEqual([]);
    expect(replacement.isUnderWay).toBe(false);
  });

  test('a damaged state waits for the order of Raft, if Raft takes the offer', async () => {
    const { order, replacement } = start({ isTaken: true });

    expect(await replacement.rebuild(fetched)).toBe(true);

    expect(order).toEqual(['accepted']);
    expect(replacement.isUnderWay).toBe(true);
  });

  test('a damaged state is replaced at once by one that the log goes on from', async () => {
    const { order, replacement } = start({ isReached: () => true });

    const rebuilding = replacement.rebuild(fetched);

    expect(replacement.isUnderWay).toBe(true);
    expect(await rebuilding).toBe(true);
    expect(order).toEqual(['idle', 'state', 'resume', 'replaced 7']);
    expect(replacement.isUnderWay).toBe(false);
  });

  test('a state that the log does not reach, or no longer does, is of no use', async () => {
    // The log is shortened while it comes to rest.
    const { order, replacement } = start({ isReached: () => !order.includes('idle') });

    expect(await replacement.rebuild(fetched)).toBe(false);

    expect(order).toEqual(['idle']);
    expect(replacement.isUnderWay).toBe(false);
  });
});

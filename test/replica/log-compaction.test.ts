import { describe, expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import { defaultRaftOptions, Raft, type RaftStatus } from '../../src/raft/index.ts';
import { compactionIndex } from '../../src/replica/log-compaction.ts';
import { initialConfiguration } from '../../src/replica/membership.ts';

const limits = { entriesMax: 100, bytesMax: 1000, marginEntries: 10 };
const base: RaftStatus = new Raft({
  id: 1,
  prng: createPrng(1),
  options: defaultRaftOptions,
  hardState: { currentTerm: 0, votedFor: 0, commitIndex: 0 },
  log: { snapshotIndex: 0, snapshotTerm: 0, lastIndex: 0, termRuns: [], confEntries: [] },
  configuration: initialConfiguration([]),
  lastApplied: 0,
}).status();

function withPeer(
  matchIndex: number,
  isRecentlyActive: boolean,
  state: 'probe' | 'replicate' | 'snapshot' = 'replicate',
): RaftStatus {
  const peer = { matchIndex, nextIndex: matchIndex + 1, state, isRecentlyActive, isPaused: false };
  return { ...base, progress: new Map([[2, { ...peer, inflightMessages: 0, inflightBytes: 0 }]]) };
}

function sizes(durableIndex: number, logBytes = 500, retainIndex = Number.POSITIVE_INFINITY) {
  return { durableIndex, retainIndex, logBytes };
}

describe('compactionIndex', () => {
  test('a short log is left alone', () => {
    expect(compactionIndex(base, sizes(99), limits)).toBeUndefined();
    expect(compactionIndex({ ...base, snapshotIndex: 50 }, sizes(149), limits)).toBeUndefined();
  });

  test('a long one keeps its margin', () => {
    expect(compactionIndex(base, sizes(100), limits)).toBe(90);
  });

  test('what a snapshot that is being fetched leads on to is kept', () => {
    expect(compactionIndex(base, sizes(200, 500, 60), limits)).toBe(60);
    expect(compactionIndex({ ...base, snapshotIndex: 60 }, sizes(200, 500, 60), limits)).toBe(
      undefined,
    );
  });

  test('a peer that is heard of keeps what it needs; one that is silent does not', () => {
    expect(compactionIndex(withPeer(40, true), sizes(200), limits)).toBe(40);
    expect(compactionIndex(withPeer(40, false), sizes(200), limits)).toBe(190);
  });

  test('a peer that is to fetch a snapshot keeps what comes after any that it may fetch', () => {
    const early = withPeer(0, true, 'snapshot');
    expect(compactionIndex({ ...early, snapshotIndex: 60 }, sizes(200), limits)).toBeUndefined();
    expect(compactionIndex(withPeer(0, false, 'snapshot'), sizes(200), limits)).toBe(190);
    expect(compactionIndex(early, sizes(50, 2000), limits)).toBe(40);
  });

  test('over its bytes the log is cut to half of them, whoever is behind', () => {
    expect(compactionIndex(withPeer(10, true), sizes(50, 2000), limits)).toBe(40);
    expect(compactionIndex(base, sizes(20, 20_000), limits)).toBe(20);
  });
});

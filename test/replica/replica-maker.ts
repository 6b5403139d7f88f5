/** Replicas of new clusters, for tests that drive one by hand. */
import { createPrng } from '../../src/base/index.ts';
import { defaultRaftOptions } from '../../src/raft/index.ts';
import { defaultLogCompaction } from '../../src/replica/log-compaction.ts';
import { Replica } from '../../src/replica/replica.ts';

/** Few of everything, so that a test reaches them soon. */
export const limits = {
  proposalsMax: 4,
  proposalBytesMax: 1000,
  readsMax: 4,
  readRetryTicks: 5,
  logCompaction: defaultLogCompaction,
};

/** Member `id` of a cluster of voters 1 to `size`, none of which has done anything yet. */
export function createReplica(id: number, size: number, options = defaultRaftOptions): Replica {
  return new Replica({
    limits,
    prng: createPrng(id),
    raft: {
      id,
      prng: createPrng(id + 100),
      options,
      hardState: { currentTerm: 0, votedFor: 0, commitIndex: 0 },
      log: { snapshotIndex: 0, snapshotTerm: 0, lastIndex: 0, termRuns: [], confEntries: [] },
      configuration: {
        index: 0,
        context: new Uint8Array(0),
        confState: {
          voters: Array.from({ length: size }, (_, i) => i + 1),
          votersOutgoing: [],
          learners: [],
          learnersNext: [],
          autoLeave: false,
        },
      },
      lastApplied: 0,
    },
  });
}

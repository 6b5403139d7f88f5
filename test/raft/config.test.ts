/**
 * Settings and stored states that cannot be are refused at the start. Ids in titles:
 * `README.md`.
 */
import { describe, expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import { checkRaftConfig } from '../../src/raft/config.ts';
import { defaultRaftOptions, type RaftConfig, type RaftOptions } from '../../src/raft/index.ts';
import { Subject } from './subject.ts';

function configOf(changes: Partial<RaftConfig>): RaftConfig {
  return {
    id: 1,
    prng: createPrng(1),
    options: defaultRaftOptions,
    hardState: { currentTerm: 1, votedFor: 0, commitIndex: 0 },
    log: {
      snapshotIndex: 0,
      snapshotTerm: 0,
      lastIndex: 4,
      termRuns: [{ term: 1, firstIndex: 1 }],
      confEntries: [],
    },
    configuration: {
      index: 0,
      context: new Uint8Array(0),
      confState: {
        voters: [1, 2, 3],
        votersOutgoing: [],
        learners: [],
        learnersNext: [],
        autoLeave: false,
      },
    },
    lastApplied: 0,
    ...changes,
  };
}

describe('checkRaftConfig', () => {
  test('P07: the defaults work together', () => {
    expect(() => {
      checkRaftConfig(configOf({}));
    }).not.toThrow();
  });

  test.each([0, -1, 1.5, Number.NaN, 2 ** 53])('P07: an id of %d is refused', (id) => {
    expect(() => {
      checkRaftConfig(configOf({ id }));
    }).toThrow(/^id must be/);
  });

  test.each<[keyof RaftOptions, Partial<RaftOptions>]>([
    ['heartbeatTicks', { heartbeatTicks: 0 }],
    ['electionTimeoutTicks', { electionTimeoutTicks: 3, heartbeatTicks: 3 }],
    ['inflightMessagesMax', { inflightMessagesMax: 0 }],
    ['appendBytesMax', { appendBytesMax: 0 }],
    ['applyingBytesMax', { applyingBytesMax: 0 }],
    ['pendingReadsMax', { pendingReadsMax: 0 }],
  ])('P07: a %s that cannot work is refused by name', (name, changes) => {
    const options = { ...defaultRaftOptions, ...changes };

    expect(() => {
      checkRaftConfig(configOf({ options }));
    }).toThrow(new RegExp(`^${name} must be`));
  });

  test('G07, P07: a window of bytes below the largest append is refused', () => {
    expect(() => new Subject({ options: { appendBytesMax: 9, inflightBytesMax: 8 } })).toThrow(
      /inflightBytesMax must be at least appendBytesMax/,
    );
  });

  test.each([
    ['above the last index', 5, 0],
    ['below the snapshot', 1, 2],
  ])('P03: a stored commit index %s is refused', (_, commitIndex, snapshotIndex) => {
    const hardState = { currentTerm: 1, votedFor: 0, commitIndex };
    const log = { ...configOf({}).log, snapshotIndex, termRuns: [] };

    expect(() => {
      checkRaftConfig(configOf({ hardState, log, lastApplied: snapshotIndex }));
    }).toThrow(/^commitIndex/);
  });

  test('P03: an applied index beyond the commit index is refused', () => {
    const hardState = { currentTerm: 1, votedFor: 0, commitIndex: 2 };

    expect(() => {
      checkRaftConfig(configOf({ hardState, lastApplied: 3 }));
    }).toThrow(/^lastApplied 3/);
  });

  test('P03: an entry of a term that the node has never been in is refused', () => {
    expect(() => new Subject({ terms: [1, 4], hardState: { currentTerm: 3 } })).toThrow(/term/);
  });
});

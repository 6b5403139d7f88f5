/** The state that all roles share: timers, terms, what may leave when. */
import { describe, expect, test } from 'vitest';
import { createPrng } from '../../src/base/index.ts';
import { Core } from '../../src/raft/core.ts';
import { defaultRaftOptions, type Message, type RaftOptions } from '../../src/raft/index.ts';

function coreOf(options: Partial<RaftOptions> = {}, learners: readonly number[] = []): Core {
  return new Core({
    id: 2,
    prng: createPrng(1),
    options: { ...defaultRaftOptions, ...options },
    hardState: { currentTerm: 3, votedFor: 1, commitIndex: 0 },
    log: { snapshotIndex: 0, snapshotTerm: 0, lastIndex: 0, termRuns: [], confEntries: [] },
    configuration: {
      index: 0,
      confState: {
        voters: [1, 3],
        votersOutgoing: [],
        learners,
        learnersNext: [],
        autoLeave: false,
      },
      context: new Uint8Array(0),
    },
    lastApplied: 0,
  });
}

describe('Core', () => {
  test('its peers are all members but itself, ascending', () => {
    expect(coreOf({}, [9, 2]).peers).toEqual([1, 3, 9]);
  });

  test('only a voter of its own configuration is promotable', () => {
    expect(coreOf({}, [2]).isPromotable).toBe(false);
  });

  test('a later term begins without a vote; an equal or earlier one is not entered', () => {
    const core = coreOf();

    core.enterTerm(4);

    expect([core.term, core.votedFor]).toEqual([4, 0]);
    expect(() => {
      core.enterTerm(4);
    }).toThrow(/does not follow/);
  });

  test('a leader is alive for one minimum election timeout, and only under check-quorum', () => {
    const core = coreOf();
    const lax = coreOf({ checkQuorum: false });
    expect(core.hasLiveLeader).toBe(false);
    core.leader = 1;
    lax.leader = 1;

    core.electionElapsed = 9;
    expect([core.hasLiveLeader, lax.hasLiveLeader]).toEqual([true, false]);
    core.electionElapsed = 10;
    expect(core.hasLiveLeader).toBe(false);
  });

  test('what speaks of the term leaves at once only if the term is durable', () => {
    const core = coreOf();
    const message: Message = { type: 'HeartbeatResponse', from: 2, to: 1, term: 3, readRound: 0 };

    core.sendInTerm(message);
    core.enterTerm(4);
    core.sendInTerm({ ...message, term: 4 });

    expect(core.messages.map(({ term }) => term)).toEqual([3]);
    expect(core.afterSync.map(({ term }) => term)).toEqual([4]);
  });
});

/**
 * Lease reads (Raft thesis §6.4.1, ADR-011): what a leader may count on, what a follower keeps.
 * Ids in titles: `README.md`.
 */
import { describe, expect, test } from 'vitest';
import { must } from '../../src/base/index.ts';
import { clockDriftMax, LeaderLease, LeasePromise } from '../../src/raft/lease.ts';
import type { NodeId } from '../../src/raft/index.ts';
import { RaftNetwork } from './network.ts';
import { bytesOf, only, Subject, type SubjectOptions } from './subject.ts';

const leaseMs = 900;
/** How much of a promise a leader counts on. */
const countedMs = leaseMs / (1 + clockDriftMax);
const electionTicks = 10;
const refused = { isRejected: true, index: 0, hintIndex: 0, hintTerm: 0 };

/** A leader whose first entry is committed, at time 0; nobody has promised anything. */
function createLeader(start: SubjectOptions = {}): Subject {
  const leader = new Subject({ ...start, options: { leaseMs, ...start.options } });
  leader.raft.noteTime(0);
  leader.lead();
  for (const id of leader.raft.status().progress.keys()) {
    leader.accept(id);
  }
  return leader;
}

/** A follower of leader 2 in term 1 that has promised at time 0. */
function createFollower(): Subject {
  const follower = new Subject({ options: { leaseMs } });
  follower.raft.noteTime(0);
  expect(follower.heartbeat(2, 1)).toMatchObject([{ type: 'HeartbeatResponse', leaseMs }]);
  return follower;
}

/** Sends heartbeats; returns the number of their round. */
function beatAt(leader: Subject, nowMs: number): number {
  leader.raft.noteTime(nowMs);
  return must(only(leader.tick(), 'Heartbeat')[0], 'a heartbeat').readRound;
}

function promise(leader: Subject, from: NodeId, readRound: number): void {
  const { id: to, term } = leader.raft;
  leader.receive({ type: 'HeartbeatResponse', from, to, term, readRound, leaseMs });
}

/** Whether a read that comes now is answered without asking anybody; else a round begins. */
function answersAt(leader: Subject, nowMs: number): boolean {
  leader.raft.noteTime(nowMs);
  leader.raft.readIndex(7);
  const { readStates, messages } = leader.raft.ready();
  const isAsking = only(messages, 'Heartbeat').length > 0;
  expect(isAsking).toBe(readStates.length === 0);
  return readStates.length > 0;
}

describe('a leader that reads by lease', () => {
  test('J05: answers at once with its commit index while a majority is bound to it', () => {
    const leader = createLeader();
    promise(leader, 2, beatAt(leader, 100));

    leader.raft.readIndex(7);

    const { readStates, messages } = leader.raft.ready();
    expect(readStates).toEqual([{ context: 7, index: 1 }]);
    expect(messages).toEqual([]);
    expect(leader.raft.status()).toMatchObject({ leaseReads: 1, pendingReads: 0 });
  });

  test('J05: answers a follower at once as well', () => {
    const leader = createLeader();
    promise(leader, 2, beatAt(leader, 100));

    const sent = leader.receive({ type: 'ReadIndex', from: 3, to: 1, term: 0, context: 5 });

    expect(sent).toMatchObject([{ type: 'ReadIndexResponse', to: 3, context: 5, index: 1 }]);
  });

  test.each([{ checkQuorum: false }, { preVote: false }])(
    'J05: is refused at the start with %j',
    (options) => {
      expect(() => new Subject({ options: { leaseMs, ...options } })).toThrow(
        'leaseMs needs checkQuorum and preVote',
      );
    },
  );

  test('counts on a promise from when it asked, less the drift of clocks', () => {
    const leader = createLeader();
    const round = beatAt(leader, 100);
    leader.raft.noteTime(700);
    promise(leader, 2, round);

    expect(answersAt(leader, 100 + Math.floor(countedMs))).toBe(true);
    expect(answersAt(leader, 100 + Math.ceil(countedMs))).toBe(false);
  });

  test('tells answers to one heartbeat from those to the next, with no read between them', () => {
    const leader = createLeader();
    const round = beatAt(leader, 100);
    beatAt(leader, 500);
    promise(leader, 2, round);

    expect(answersAt(leader, 100 + Math.ceil(countedMs))).toBe(false);
  });

  test('asks a majority again after a pause, and has a lease again by its answer', () => {
    const leader = createLeader();
    promise(leader, 2, beatAt(leader, 100));
    leader.raft.noteTime(60_000);
    leader.raft.readIndex(1);
    const { messages, readStates } = leader.raft.ready();
    expect(readStates).toEqual([]);

    const [heartbeat] = only(messages, 'Heartbeat');
    promise(leader, 3, must(heartbeat, 'a heartbeat').readRound);

    expect(answersAt(leader, 60_000 + Math.floor(countedMs))).toBe(true);
  });

  test('counts on nobody who promises nothing', () => {
    const leader = createLeader();
    leader.heartbeatAnswer(2, beatAt(leader, 100));
    leader.heartbeatAnswer(3, beatAt(leader, 200));

    expect(answersAt(leader, 201)).toBe(false);
  });

  test('counts on no promise without knowing when it asked for it', () => {
    const leader = createLeader();
    leader.raft.noteTime(100);
    promise(leader, 2, 0);

    expect(answersAt(leader, 100)).toBe(false);
  });

  test('needs promises of a majority', () => {
    const leader = createLeader({ size: 5 });
    const round = beatAt(leader, 100);
    promise(leader, 2, round);
    promise(leader, 2, round);
    expect(answersAt(leader, 200)).toBe(false);

    promise(leader, 3, round);

    expect(answersAt(leader, 200)).toBe(true);
  });

  test('needs promises in both halves of a joint configuration', () => {
    const conf = { voters: [1, 2, 3], votersOutgoing: [1, 4, 5] };
    const leader = createLeader({ conf });
    const round = beatAt(leader, 100);
    promise(leader, 2, round);
    promise(leader, 3, round);
    expect(answersAt(leader, 200)).toBe(false);

    promise(leader, 4, round);

    expect(answersAt(leader, 200)).toBe(true);
  });

  test('does not count the promise of a learner', () => {
    const leader = createLeader({ conf: { voters: [1, 2, 3], learners: [4, 5] } });
    const round = beatAt(leader, 100);

    promise(leader, 4, round);
    promise(leader, 5, round);

    expect(answersAt(leader, 200)).toBe(false);
  });

  test('goes by a new configuration from when it is in its log', () => {
    const leader = createLeader({ options: { strictReconfigCheck: false } });
    const round = beatAt(leader, 100);
    promise(leader, 2, round);
    expect(answersAt(leader, 150)).toBe(true);
    const { index: baseIndex } = leader.raft.configuration;
    const proposal = { baseIndex, voters: [1, 2, 3, 4], learners: [], data: bytesOf('x') };
    expect(leader.raft.proposeConfChange(proposal, 1).kind).toBe('appended');
    leader.drain();

    expect(answersAt(leader, 200)).toBe(false);
    promise(leader, 3, round);
    expect(answersAt(leader, 200)).toBe(true);
  });

  test('does not count itself when its newest configuration leaves it out', () => {
    const leader = createLeader({ options: { strictReconfigCheck: false } });
    const { index: baseIndex } = leader.raft.configuration;
    const proposal = { baseIndex, voters: [2, 3], learners: [], data: bytesOf('x') };
    expect(leader.raft.proposeConfChange(proposal, 1).kind).toBe('appended');
    leader.drain();
    const round = beatAt(leader, 100);
    promise(leader, 2, round);
    expect(answersAt(leader, 200)).toBe(false);

    promise(leader, 3, round);

    expect(answersAt(leader, 200)).toBe(true);
  });

  test('surrenders its lease when it begins a transfer, and has none when that fails', () => {
    const leader = createLeader();
    promise(leader, 2, beatAt(leader, 100));
    expect(leader.raft.transferLeader(3)).toEqual({ kind: 'started' });

    expect(answersAt(leader, 200)).toBe(false);

    leader.tick(electionTicks / 2);
    promise(leader, 2, beatAt(leader, 700));
    leader.tick(electionTicks / 2);
    expect(leader.raft.status()).toMatchObject({ role: 'leader', transferTarget: 0 });
    promise(leader, 2, beatAt(leader, 1200));
    promise(leader, 3, beatAt(leader, 1300));
    expect(answersAt(leader, 1301)).toBe(false);
  });

  test('has none before it has committed in its term', () => {
    const leader = new Subject({ options: { leaseMs } });
    leader.raft.noteTime(0);
    leader.lead();
    promise(leader, 2, beatAt(leader, 100));
    leader.raft.readIndex(7);
    expect(leader.raft.hasReady()).toBe(false);

    leader.raft.noteTime(200);
    leader.raft.step({
      ...{ type: 'AppendEntriesResponse', from: 2, to: 1, term: 1, isRejected: false },
      ...{ index: 1, hintIndex: 0, hintTerm: 0 },
    });

    expect(leader.raft.ready().readStates).toEqual([{ context: 7, index: 1 }]);
  });

  test('has none when it leads again in a later term', () => {
    const leader = createLeader();
    promise(leader, 2, beatAt(leader, 100));
    leader.receive({ type: 'AppendEntriesResponse', from: 3, to: 1, term: 4, ...refused });
    expect(leader.raft.role).toBe('follower');
    leader.lead();
    leader.accept(2);

    expect(answersAt(leader, 101)).toBe(false);
  });

  test('always has one when it is the only voter', () => {
    const leader = createLeader({ size: 1 });

    expect(answersAt(leader, 1e9)).toBe(true);
  });

  test('has none without being told the time', () => {
    const leader = new Subject({ options: { leaseMs } });
    leader.lead();
    leader.accept(2);
    const [heartbeat] = only(leader.tick(), 'Heartbeat');
    promise(leader, 2, must(heartbeat, 'a heartbeat').readRound);
    leader.raft.readIndex(7);

    expect(leader.raft.ready().readStates).toEqual([]);
  });

  test('has none with the option off, whatever others promise', () => {
    const leader = createLeader({ options: { leaseMs: 0 } });
    promise(leader, 2, beatAt(leader, 100));

    expect(answersAt(leader, 101)).toBe(false);
  });
});

describe('an answer without a promise', () => {
  const conf = { votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };

  test('is none of a majority that is bound', () => {
    const lease = new LeaderLease(leaseMs);
    lease.noteSending(1, 0);
    lease.notePromise(2, 1, leaseMs);

    lease.notePromise(3, 1, undefined);

    expect(lease.isHeld({ ...conf, voters: [1, 2, 3, 4, 5] }, 1, 10)).toBe(false);
  });

  test('takes back no promise', () => {
    const lease = new LeaderLease(leaseMs);
    lease.noteSending(1, 0);
    lease.notePromise(2, 1, leaseMs);

    lease.notePromise(2, 1, undefined);

    expect(lease.isHeld({ ...conf, voters: [1, 2, 3] }, 1, 10)).toBe(true);
  });
});

describe('a follower that has promised', () => {
  const last = [0, 0] as const;

  test.each(['RequestVote', 'PreVote'] as const)(
    'ignores a %s until its promise ends, even when it knows no leader',
    (type) => {
      const follower = createFollower();
      follower.raft.reportDown(2);
      expect(follower.raft.leader).toBe(0);

      follower.raft.noteTime(leaseMs - 1);
      expect(follower.voteRequest(3, 2, last, type)).toEqual([]);
      expect(follower.raft.term).toBe(1);

      follower.raft.noteTime(leaseMs);
      expect(follower.voteRequest(3, 2, last, type)).toMatchObject([{ to: 3, isGranted: true }]);
    },
  );

  test('keeps it in a later term', () => {
    const follower = createFollower();
    follower.receive({ type: 'AppendEntriesResponse', from: 3, to: 1, term: 4, ...refused });
    expect(follower.raft.status()).toMatchObject({ term: 4, leader: 0 });

    follower.raft.noteTime(leaseMs - 1);
    expect(follower.voteRequest(3, 4, last)).toEqual([]);

    follower.raft.noteTime(leaseMs);
    expect(follower.voteRequest(3, 4, last)).toMatchObject([{ to: 3, isGranted: true }]);
  });

  test('does not campaign, however often it ticks', () => {
    const follower = createFollower();
    follower.raft.noteTime(leaseMs - 1);
    expect(follower.tick(3 * electionTicks)).toEqual([]);

    follower.raft.noteTime(leaseMs);
    expect(only(follower.tick(), 'PreVote')).toHaveLength(2);
  });

  test('votes and campaigns nevertheless when the leader itself hands over', () => {
    const voter = createFollower();
    expect(voter.voteRequest(3, 2, last, 'RequestVote', true)).toMatchObject([{ isGranted: true }]);

    const target = createFollower();
    const sent = target.receive({ type: 'TimeoutNow', from: 2, to: 1, term: 1 });
    expect(only(sent, 'RequestVote')).toMatchObject([{ isTransfer: true }, { isTransfer: true }]);
  });

  test('is in no hurry after its promise once it has heard the leader that was told gone', () => {
    const follower = createFollower();
    follower.raft.reportDown(2);
    follower.heartbeat(2, 1);

    follower.raft.noteTime(leaseMs);

    expect(follower.tick(electionTicks - 1)).toEqual([]);
    expect(follower.raft).toMatchObject({ role: 'follower', leader: 2 });
  });

  test('campaigns soon after its promise though it was told just before that nobody leads', () => {
    const follower = createFollower();
    follower.raft.noteTime(leaseMs - 1);
    follower.raft.reportDown(2);
    expect(follower.tick()).toEqual([]);

    follower.raft.noteTime(leaseMs);

    expect(only(follower.tick(3), 'PreVote')).toHaveLength(2);
  });

  test('campaigns soon after its promise when it was told that the leader is gone', () => {
    const network = new RaftNetwork(3, { leaseMs });
    const pass = (nowMs: number): void => {
      for (const id of [1, 2, 3]) {
        network.raft(id).noteTime(nowMs);
        network.tick(id);
      }
      network.settle();
    };
    pass(0);
    network.elect(1);
    pass(100);
    network.crash(1);
    network.raft(2).reportDown(1);
    network.raft(3).reportDown(1);

    for (let nowMs = 200; nowMs < 100 + leaseMs; nowMs += 100) {
      pass(nowMs);
      expect([network.raft(2).role, network.raft(3).role]).toEqual(['follower', 'follower']);
    }
    for (let i = 0; i < 3; i++) {
      pass(100 + leaseMs + 100 * i);
    }

    expect(network.leader).toBe(2);
  });

  test('answers in the terms of the wire: nothing without the option, or without the time', () => {
    const [without] = new Subject().heartbeat(2, 1);
    expect(without).toMatchObject({ type: 'HeartbeatResponse', leaseMs: undefined });

    const [unaware] = new Subject({ options: { leaseMs } }).heartbeat(2, 1);
    expect(unaware).toMatchObject({ type: 'HeartbeatResponse', leaseMs: undefined });
  });
});

describe('a node that starts again', () => {
  const last = [1, 1] as const;

  test('keeps what it may have promised before: for so long it neither votes nor campaigns', () => {
    const node = new Subject({ terms: [1], options: { leaseMs } });
    node.raft.reportStarted();
    expect(node.tick(electionTicks)).toEqual([]);
    node.raft.noteTime(5000);
    expect(node.voteRequest(3, 2, last)).toEqual([]);

    node.raft.noteTime(5000 + leaseMs - 1);
    expect(node.voteRequest(3, 2, last)).toEqual([]);
    expect(node.tick(3 * electionTicks)).toEqual([]);

    node.raft.noteTime(5000 + leaseMs);
    expect(node.voteRequest(3, 2, last)).toMatchObject([{ isGranted: true }]);
  });

  test('keeps a longer promise of an earlier run, with the option off too', () => {
    for (const now of [{ leaseMs: 0 }, { leaseMs: 100 }]) {
      const node = new Subject({ terms: [1], options: { ...now, earlierLeaseMs: leaseMs } });
      node.raft.noteTime(0);
      node.raft.noteTime(leaseMs - 1);
      expect(node.voteRequest(3, 2, last)).toEqual([]);

      node.raft.noteTime(leaseMs);
      expect(node.voteRequest(3, 2, last)).toMatchObject([{ isGranted: true }]);
    }
  });

  test('need not wait when it was never in any term', () => {
    const node = new Subject({ options: { leaseMs } });
    node.raft.noteTime(0);

    node.raft.reportStarted();

    expect(only(node.tick(2), 'PreVote')).toHaveLength(2);
  });

  test('refuses lengths of promises that are no whole numbers, and a clock that goes back', () => {
    for (const wrong of [{ leaseMs: 1.5 }, { leaseMs: -1 }, { earlierLeaseMs: Number.NaN }]) {
      expect(() => new Subject({ options: wrong })).toThrow('must be whole numbers');
    }
    const { raft } = new Subject();
    raft.noteTime(5);
    expect(() => {
      raft.noteTime(4);
    }).toThrow('the clock goes back to 4');
  });
});

describe('LeaderLease', () => {
  const conf = {
    ...{ voters: [1, 2], votersOutgoing: [], learners: [], learnersNext: [] },
    autoLeave: false,
  };

  test('never ends later than the promise that it counts, whichever round is answered when', () => {
    const drift = 1 + clockDriftMax;
    for (let gapMs = 1; gapMs < 40; gapMs++) {
      const lease = new LeaderLease(leaseMs);
      for (let round = 1; round <= 500; round++) {
        lease.noteSending(round, gapMs * round);
      }
      for (const round of [3, 400, 499, 1]) {
        lease.notePromise(2, round, leaseMs);
      }
      const untilMs = 499 * gapMs + leaseMs / drift;

      expect(lease.isHeld(conf, 1, untilMs)).toBe(false);
      // Rounds that follow closely count as one.
      expect(lease.isHeld(conf, 1, untilMs - leaseMs / 32)).toBe(true);
    }
  });

  test('does not become shorter by an answer to an earlier round', () => {
    const lease = new LeaderLease(leaseMs);
    lease.noteSending(1, 0);
    lease.noteSending(2, 100);

    lease.notePromise(2, 2, leaseMs);
    lease.notePromise(2, 1, leaseMs);

    expect(lease.isHeld(conf, 1, 100 + Math.floor(countedMs))).toBe(true);
  });
});

describe('LeasePromise', () => {
  test('lasts by the clock from when it is given, and is never shortened by another', () => {
    const bound = new LeasePromise(100, 300);
    expect(bound.isBinding).toBe(true);
    bound.noteTime(1000);
    expect(bound.maybeGive()).toBe(100);

    bound.noteTime(1299);
    expect(bound.isBinding).toBe(true);
    bound.noteTime(1300);
    expect(bound.isBinding).toBe(false);
  });

  test('is none at all where leases are off', () => {
    const promise = new LeasePromise(0, 0);
    promise.noteTime(5);

    expect(promise.maybeGive()).toBeUndefined();
    expect(promise.isBinding).toBe(false);
  });
});

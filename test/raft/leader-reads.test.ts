/** Reads of one leadership: by a round, by the lease, or not at all. */
import { describe, expect, test } from 'vitest';
import type { Core } from '../../src/raft/core.ts';
import { LeaderReads } from '../../src/raft/leader-reads.ts';
import { Peers } from '../../src/raft/peers.ts';
import type { NodeId } from '../../src/raft/index.ts';
import { coreOf } from './subject.ts';

function readsOf({ leaseMs = 0, voters = [1, 2, 3], pendingReadsMax = 8 } = {}): {
  core: Core;
  reads: LeaderReads;
  echo: (from: NodeId, readRound: number) => void;
} {
  const core = coreOf({ id: 1, conf: { voters }, options: { leaseMs, pendingReadsMax } });
  const peers = new Peers(core);
  const reads = new LeaderReads(core, peers);
  const echo = (from: NodeId, readRound: number): void => {
    const progress = peers.heard(from);
    const message = {
      type: 'HeartbeatResponse',
      from,
      to: 1,
      term: 1,
      readRound,
      leaseMs,
    } as const;
    if (progress !== undefined) {
      reads.echoed(progress, message);
    }
  };
  return { core, reads, echo };
}

describe('LeaderReads', () => {
  test('a round is confirmed by a majority, and answers whoever asked', () => {
    const { core, reads, echo } = readsOf();
    reads.maybeAdd({ from: 1, context: 7 });
    reads.maybeAdd({ from: 3, context: 8 });

    expect(reads.maybeBeginRound()).toBe(true);
    const round = reads.noteSending();
    reads.answerConfirmed();
    expect(core.readStates).toEqual([]);
    echo(2, round);

    expect(core.readStates).toEqual([{ context: 7, index: 0 }]);
    expect(core.messages).toMatchObject([{ type: 'ReadIndexResponse', to: 3, context: 8 }]);
    expect(reads.count).toBe(0);
  });

  test('an echo of the round before confirms nothing', () => {
    const { core, reads, echo } = readsOf();
    const before = reads.noteSending();
    reads.maybeAdd({ from: 1, context: 7 });
    reads.maybeBeginRound();

    echo(2, before);

    expect(core.readStates).toEqual([]);
  });

  test('a single voter confirms its own round', () => {
    const { core, reads } = readsOf({ voters: [1] });
    reads.maybeAdd({ from: 1, context: 7 });

    expect(reads.maybeBeginRound()).toBe(true);
    reads.answerConfirmed();

    expect(core.readStates).toHaveLength(1);
  });

  test('under a lease nobody is asked, and surrendered it is one no more', () => {
    const { core, reads, echo } = readsOf({ leaseMs: 1_000 });
    core.noteTime(10);
    reads.beginEmptyRound();
    echo(2, reads.noteSending());
    reads.maybeAdd({ from: 1, context: 7 });

    expect(reads.maybeBeginRound()).toBe(false);
    expect(core.readStates).toEqual([{ context: 7, index: 0 }]);
    expect(core.leaseReads).toBe(1);

    reads.surrenderLease();
    reads.maybeAdd({ from: 1, context: 8 });
    expect(reads.maybeBeginRound()).toBe(true);
  });

  test('regular heartbeats begin rounds of their own for a lease only', () => {
    const [plain, leased] = [readsOf().reads, readsOf({ leaseMs: 1_000 }).reads];
    const before = [plain.noteSending(), leased.noteSending()];

    plain.beginEmptyRound();
    leased.beginEmptyRound();

    expect([plain.noteSending(), leased.noteSending()]).toEqual([before[0], (before[1] ?? 0) + 1]);
  });

  test('too many are refused', () => {
    const { reads } = readsOf({ pendingReadsMax: 2 });

    const taken = [1, 2, 3].map((context) => reads.maybeAdd({ from: 1, context }));

    expect(taken).toEqual([true, true, false]);
  });

  test('at the end its own reads come back, those of others do not', () => {
    const { reads } = readsOf();
    reads.maybeAdd({ from: 1, context: 7 });
    reads.maybeBeginRound();
    reads.maybeAdd({ from: 2, context: 8 });
    reads.maybeAdd({ from: 1, context: 9 });

    expect(reads.end()).toEqual([7, 9]);
    expect(reads.count).toBe(0);
  });
});

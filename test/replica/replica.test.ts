/** One member's decisions, driven by hand: no disk, no network, no time but ticks. */
import { describe, expect, test } from 'vitest';
import { decodeCommand } from '../../src/kv/command-codec.ts';
import { defaultRaftOptions, type Message } from '../../src/raft/index.ts';
import { decodeEnvelope } from '../../src/replica/proposals.ts';
import type { Effects } from '../../src/replica/effects.ts';
import type { Replica } from '../../src/replica/replica.ts';
import { createReplica, limits } from './replica-maker.ts';
import { withRoom } from './with-room.ts';

const command = new Uint8Array([7]);

/** Takes turns, each write durable at once, until there is nothing to do. */
function settle(replica: Replica): Effects[] {
  const turns: Effects[] = [];
  do {
    const effects = replica.turn();
    turns.push(effects);
    if (effects.write !== undefined) {
      replica.writeDone(effects.write.ticket);
    }
    const last = effects.apply?.entries.at(-1);
    if (last !== undefined) {
      replica.applyDone(last.index);
    }
  } while (replica.hasWork);
  return turns;
}

/** A member that leads a cluster of its own. */
function leadAlone(options = defaultRaftOptions): Replica {
  const replica = createReplica(1, 1, options);
  for (let i = 0; i < 20 && !replica.isLeader; i++) {
    replica.tick();
    settle(replica);
  }
  expect(replica.isLeader).toBe(true);
  return replica;
}

/** A member that follows 1 in term 1. */
function follow(): Replica {
  const replica = createReplica(2, 3);
  replica.step([{ type: 'Heartbeat', from: 1, to: 2, term: 1, commitIndex: 0, readRound: 0 }]);
  settle(replica);
  return replica;
}

function sent(turns: readonly Effects[]): Message[] {
  return turns.flatMap((turn) => [...turn.messages, ...(turn.write?.messages ?? [])]);
}

/** What was passed on to a leader. */
function proposed(turns: readonly Effects[]): Extract<Message, { type: 'Propose' }>[] {
  return sent(turns).filter((message) => message.type === 'Propose');
}

describe('Replica', () => {
  test('proposes all that came in one turn as one batch, and finds each proposal again', () => {
    const replica = leadAlone();
    const ids = [1, 2, 3].map(() => replica.maybePropose(withRoom(command), 100));

    const turns = settle(replica);

    expect(turns.flatMap((turn) => turn.write?.entries ?? [])).toHaveLength(3);
    expect(turns.filter((turn) => (turn.write?.entries.length ?? 0) > 0)).toHaveLength(1);
    const applied = turns.flatMap((turn) => turn.apply?.proposalIds ?? []);
    expect(applied).toEqual(ids);
    expect(replica.pendingProposals).toBe(0);
  });

  test('declines what is beyond its limits, and nothing has happened', () => {
    const replica = leadAlone();
    for (let i = 0; i < limits.proposalsMax; i++) {
      expect(replica.maybePropose(withRoom(command), 100)).toBeDefined();
      expect(replica.maybeRead(100)).toBeDefined();
    }

    expect(replica.maybePropose(withRoom(command), 100)).toBeUndefined();
    expect(replica.maybeRead(100)).toBeUndefined();
    expect(replica.pendingProposals).toBe(limits.proposalsMax);
  });

  test('keeps proposals and reads until there is a leader, then hands them on', () => {
    const replica = createReplica(2, 3);
    replica.maybePropose(withRoom(command), 100);
    replica.maybeRead(100);
    expect(sent(settle(replica))).toEqual([]);

    replica.step([{ type: 'Heartbeat', from: 1, to: 2, term: 1, commitIndex: 0, readRound: 0 }]);

    const types = sent(settle(replica)).map((message) => message.type);
    expect(types).toContain('Propose');
    expect(types).toContain('ReadIndex');
  });

  test('one request to the leader covers all reads of a turn', () => {
    const replica = follow();
    replica.maybeRead(100);
    replica.maybeRead(100);

    expect(sent(settle(replica)).filter((each) => each.type === 'ReadIndex')).toHaveLength(1);
  });

  test('asks again, under a fresh context, for a read that is not answered', () => {
    const replica = follow();
    const id = replica.maybeRead(100);
    const asked = sent(settle(replica)).filter((each) => each.type === 'ReadIndex');
    for (let i = 0; i <= limits.readRetryTicks; i++) {
      replica.step([{ type: 'Heartbeat', from: 1, to: 2, term: 1, commitIndex: 0, readRound: 0 }]);
      replica.tick();
      asked.push(...sent(settle(replica)).filter((each) => each.type === 'ReadIndex'));
    }
    const [first, second] = asked.map((message) => message.context);
    expect(second).toBeDefined();
    expect(second).not.toBe(first);

    const late = { type: 'ReadIndexResponse', from: 1, to: 2, term: 0, index: 0 } as const;
    replica.step([{ ...late, context: first ?? 0 }]);
    expect(settle(replica).flatMap((turn) => turn.releasedReads)).toEqual([]);
    replica.step([{ ...late, context: second ?? 0 }]);
    expect(settle(replica).flatMap((turn) => turn.releasedReads)).toEqual([id]);
  });

  test('proposes again what the leader has refused', () => {
    const replica = follow();
    replica.maybePropose(withRoom(command), 100);
    const [proposed] = sent(settle(replica)).filter((each) => each.type === 'Propose');

    replica.step([
      {
        type: 'ProposeRejected',
        from: 1,
        to: 2,
        term: 0,
        context: proposed?.context ?? 0,
        reason: 'not-leader',
      },
    ]);

    // Not at once: a leader that is handing over would refuse it again, as fast as the network is.
    expect(sent(settle(replica)).filter((each) => each.type === 'Propose')).toEqual([]);
    replica.tick();
    expect(sent(settle(replica)).filter((each) => each.type === 'Propose')).toHaveLength(1);
  });

  test('gives up at the deadline: rejected while queued, unknown once it was proposed', () => {
    const queued = createReplica(2, 3);
    queued.maybePropose(withRoom(command), 2);
    const proposed = follow();
    proposed.maybePropose(withRoom(command), 2);
    settle(proposed);

    const failures = [queued, proposed].map((replica) => {
      for (let i = 0; i < 3; i++) {
        replica.tick();
      }
      return settle(replica).flatMap((turn) => turn.failures);
    });

    expect(failures[0]).toMatchObject([{ reason: 'timeout', outcome: 'rejected' }]);
    expect(failures[1]).toMatchObject([{ reason: 'timeout', outcome: 'unknown' }]);
  });

  test('releases a read only when the state it may see is readable', () => {
    const replica = leadAlone();
    replica.maybePropose(withRoom(command), 100);
    settle(replica);
    const id = replica.maybeRead(100);

    const before = settle(replica).flatMap((turn) => turn.releasedReads);
    replica.readable(replica.status().commitIndex);
    const after = settle(replica).flatMap((turn) => turn.releasedReads);

    expect(before).toEqual([]);
    expect(after).toEqual([id]);
  });

  test('does not propose again what another state, put in the place of its own, may have', () => {
    const replica = follow();
    const id = replica.maybePropose(withRoom(command), 100);
    const [passedOn] = proposed(settle(replica));
    const [data = command] = passedOn?.proposals ?? [];
    replica.suspendApplying();
    const append = (term: number, index: number, bytes: Uint8Array): Message => ({
      ...{ type: 'AppendEntries', from: term, to: 2, term, prevLogIndex: index - 1 },
      ...{ prevLogTerm: index === 1 ? 0 : term - 2, commitIndex: index },
      entries: [{ term, index, type: 'normal', data: bytes }],
    });
    replica.step([append(1, 1, data)]);
    expect(settle(replica).flatMap(({ apply }) => apply?.entries ?? [])).toEqual([]);

    replica.resumeApplying({ index: 1, term: 1, configuration: replica.configuration });
    replica.step([append(3, 2, new Uint8Array(0))]);
    const turns = settle(replica);

    expect(turns.flatMap(({ apply }) => apply?.entries ?? [])).toMatchObject([{ index: 2 }]);
    expect(turns.flatMap(({ failures }) => failures)).toEqual([
      { id, reason: 'overtaken', outcome: 'unknown' },
    ]);
    expect(proposed(turns)).toEqual([]);
  });

  test('a forwarded proposal that surely did not travel waits and is proposed again', () => {
    const replica = follow();
    replica.maybePropose(withRoom(command), 100);
    const first = proposed(settle(replica));

    replica.unsent(first);
    expect(proposed(settle(replica))).toEqual([]);
    replica.tick();
    const second = proposed(settle(replica));

    expect(first).toHaveLength(1);
    expect(second).toHaveLength(1);
    expect(second[0]).toMatchObject({
      proposals: [...(first[0]?.proposals ?? [])],
    });
  });
});

describe('a change of membership', () => {
  test('is not told to be done while the configuration that has it is not committed', () => {
    const replica = leadAlone({ ...defaultRaftOptions, checkQuorum: false });
    const member = { id: 2, name: 'n2', peerUrls: ['http://n2'], autoPromote: false };
    replica.maybeChangeMembership({ type: 'add', member, isLearner: false }, 1000);

    const turns = settle(replica);
    for (let i = 0; i < 3 * defaultRaftOptions.electionTimeoutTicks; i++) {
      replica.tick();
      turns.push(...settle(replica));
    }

    expect(turns.flatMap(({ changeResults }) => changeResults)).toEqual([]);
  });
});

describe('a stamp of the cluster’s time', () => {
  test('goes into the log before what clients have queued, so that they cannot starve it', () => {
    const replica = leadAlone({ ...defaultRaftOptions, uncommittedBytesMax: 1 });
    replica.noteTime(1000);
    replica.noteState({
      time: { timeMs: 0, isNeeded: true, nextDeadlineMs: undefined },
      lastApplied: { index: 1, term: replica.term },
      revision: 1,
      compactRevision: -1,
      alarms: [],
      level: 1,
    });
    replica.noteTime(2000);
    replica.maybePropose(withRoom(command), 1000);

    const { write } = replica.turn();

    const entries = write?.entries ?? [];
    expect(entries.map(({ data }) => decodeCommand(decodeEnvelope(data).command).type)).toEqual([
      'advanceTime',
    ]);
    expect(replica.pendingProposals).toBe(1);
  });
});

/** Linearizable reads. Ids in titles: `README.md`. */
import { describe, expect, test } from 'vitest';
import { ReadRounds } from '../../src/raft/read-index.ts';
import { RaftNetwork } from './network.ts';
import { bytesOf, only, settledLeader as settled, Subject } from './subject.ts';

describe('ReadIndex', () => {
  test('J01: the leader answers once a majority has answered a later heartbeat', () => {
    const { raft } = settled();
    raft.readIndex(7);
    const first = raft.ready();
    expect(first.readStates).toEqual([]);
    expect(only(first.messages, 'Heartbeat')).toMatchObject([{ readRound: 1 }, { readRound: 1 }]);

    raft.step({ type: 'HeartbeatResponse', from: 2, to: 1, term: 1, readRound: 1 });

    expect(raft.ready().readStates).toEqual([{ context: 7, index: 1 }]);
  });

  test('J02, J03, J12: a read at any node is answered with no less than was committed', () => {
    const network = new RaftNetwork(3);
    network.elect(1);
    for (const id of [1, 2, 3]) {
      for (let i = 0; i < 10; i++) {
        network.raft(1).propose([bytesOf(`${id}${i}`)], 1);
      }
      network.settle();
      const { commitIndex } = network.raft(1);

      network.raft(id).readIndex(40 + id);
      network.settle();

      expect(network.node(id).readStates).toEqual([{ context: 40 + id, index: commitIndex }]);
    }
  });

  test('J02: all reads of one turn travel as one message', () => {
    const subject = new Subject();
    subject.heartbeat(2, 1);
    subject.raft.readIndex(1);
    subject.raft.readIndex(2);

    expect(only(subject.drain(), 'ReadIndex')).toMatchObject([{ to: 2, term: 0 }]);
  });

  test('J04: a new leader holds reads back until an entry of its term commits', () => {
    const subject = new Subject({ terms: [1] });
    subject.lead();
    subject.raft.readIndex(7);
    subject.drain();
    expect(subject.raft.hasReady()).toBe(false);
    subject.raft.propose([bytesOf('a')], 1);
    expect(only(subject.drain(), 'Heartbeat')).toEqual([]);
    expect(only(subject.tick(), 'Heartbeat')).toMatchObject([{ readRound: 0 }, { readRound: 0 }]);

    const sent = subject.accept(2);

    expect(only(sent, 'Heartbeat')).toMatchObject([{ readRound: 1 }, { readRound: 1 }]);
    subject.raft.step({ type: 'HeartbeatResponse', from: 2, to: 1, term: 2, readRound: 1 });
    expect(subject.raft.ready().readStates).toEqual([{ context: 7, index: 3 }]);
  });

  test('J06: an answer to an earlier round does not confirm a later read', () => {
    const { raft } = settled();
    raft.readIndex(7);
    raft.ready();
    raft.readIndex(8);
    raft.ready();

    raft.step({ type: 'HeartbeatResponse', from: 2, to: 1, term: 1, readRound: 1 });
    raft.step({ type: 'HeartbeatResponse', from: 2, to: 1, term: 1, readRound: 1 });

    expect(raft.ready().readStates).toEqual([{ context: 7, index: 1 }]);
  });

  test('J06: an answer to the same request asked twice is taken once', () => {
    const leader = settled();
    const follower = new Subject({ id: 2 });
    follower.append(1, 1, [0, 0], [1], 1);
    follower.raft.readIndex(7);
    const [request] = only(follower.drain(), 'ReadIndex');
    if (request === undefined) {
      throw new Error('the read was not passed on');
    }
    leader.receive(request);
    leader.receive(request);
    const answers = only(leader.heartbeatAnswer(3, 2), 'ReadIndexResponse');
    expect(answers).toHaveLength(2);

    for (const answer of answers) {
      follower.raft.step(answer);
    }

    expect(follower.raft.ready().readStates).toEqual([{ context: 7, index: 1 }]);
  });

  test('J06: a cut-off leader answers no read by what was heard before the cut', () => {
    const network = new RaftNetwork(3, { checkQuorum: false });
    network.elect(1);
    network.raft(1).readIndex(1);
    network.collect(1);
    const isCut = ({ from, to }: { from: number; to: number }): boolean => from === 1 || to === 1;
    const delayed = network.messages.splice(0);
    network.settle(isCut);
    network.raft(2).campaign();
    network.settle(isCut);
    network.raft(2).propose([bytesOf('new')], 1);
    network.settle(isCut);
    expect(network.raft(2).commitIndex).toBe(3);

    network.raft(1).readIndex(2);
    for (const message of delayed) {
      network.deliver(message);
    }
    network.settle();

    expect(network.node(1).readStates).toEqual([]);
    expect(network.node(1).droppedReads).toEqual([1, 2]);
  });

  test('J07: a confirmation of a later round confirms the earlier ones, in order', () => {
    const { raft } = settled();
    raft.readIndex(7);
    raft.ready();
    raft.readIndex(8);
    raft.ready();

    raft.step({ type: 'HeartbeatResponse', from: 2, to: 1, term: 1, readRound: 2 });

    expect(raft.ready().readStates.map(({ context }) => context)).toEqual([7, 8]);
  });

  test('J08: reads that nobody will answer are dropped with an event', () => {
    const leader = settled();
    leader.raft.readIndex(7);
    leader.drain();
    const follower = new Subject();
    follower.heartbeat(2, 1);
    follower.raft.readIndex(8);
    follower.drain();

    for (const { raft } of [leader, follower]) {
      raft.step({
        type: 'Heartbeat',
        from: 3,
        to: 1,
        term: 5,
        commitIndex: 0,
        readRound: 0,
      });
    }

    const dropped = [leader, follower].map(({ raft }) =>
      raft.ready().events.find(({ type }) => type === 'reads-dropped'),
    );
    expect(dropped).toMatchObject([{ contexts: [7] }, { contexts: [8] }]);
    expect(leader.raft.status().pendingReads).toBe(0);
  });

  test('J08: the number of waiting reads is bounded', () => {
    const subject = new Subject({ options: { pendingReadsMax: 1 } });
    subject.lead();
    subject.raft.readIndex(1);

    expect(subject.raft.readIndex(2)).toEqual({ kind: 'dropped', reason: 'too-many' });
  });

  test('as many reads wait at a follower as may, and no more', () => {
    const subject = new Subject({ options: { pendingReadsMax: 1 } });
    subject.heartbeat(2, 1);

    const answers = [subject.raft.readIndex(1).kind, subject.raft.readIndex(2).kind];

    expect(answers).toEqual(['pending', 'dropped']);
  });

  test('J09: a single voter answers without a round trip', () => {
    const subject = new Subject({ size: 1 });
    subject.raft.campaign();
    subject.drain();
    subject.raft.readIndex(7);

    expect(subject.raft.ready().readStates).toEqual([{ context: 7, index: 1 }]);
  });

  test('J08: reads that are passed on and never answered are bounded, the oldest go first', () => {
    const subject = new Subject();
    subject.heartbeat(2, 1);
    const dropped: number[] = [];

    for (let context = 1; context <= 1030; context++) {
      subject.raft.readIndex(context);
      for (const event of subject.raft.ready().events) {
        dropped.push(...(event.type === 'reads-dropped' ? event.contexts : []));
      }
    }

    expect(dropped).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('J10: without a leader a read is dropped', () => {
    expect(new Subject().raft.readIndex(1)).toEqual({ kind: 'dropped', reason: 'no-leader' });
  });

  test('J13: a former leader leaves a read to its asker, who hears of the new leader', () => {
    const former = settled();
    former.heartbeat(2, 5);

    const sent = former.receive({ type: 'ReadIndex', from: 3, to: 1, term: 0, context: 9 });

    expect(sent).toEqual([]);
  });
});

describe('ReadRounds', () => {
  test('counts what waits, and forgets it when reset', () => {
    const rounds = new ReadRounds();
    rounds.add({ from: 1, context: 1 });
    rounds.begin(4);
    rounds.add({ from: 2, context: 2 });
    expect(rounds.count).toBe(2);

    expect(rounds.confirm(1)).toMatchObject([{ round: 1, index: 4 }]);
    expect(rounds.reset()).toEqual([{ from: 2, context: 2 }]);
    expect(rounds.count).toBe(0);
  });
});

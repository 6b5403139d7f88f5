/** Handing leadership over (Raft thesis §3.10). Ids: `README.md`. */
import { describe, expect, test } from 'vitest';
import { Transfer } from '../../src/raft/transfer.ts';
import { RaftNetwork } from './network.ts';
import {
  coreOf,
  only,
  proposeText as propose,
  settledLeader as streaming,
  Subject,
} from './subject.ts';

describe('Transfer of leadership', () => {
  test.each([1, 3])('K01: a level target leads within one round, ordered at node %i', (at) => {
    const network = new RaftNetwork(3);
    network.elect(1);

    network.raft(at).transferLeader(2);
    network.settle();

    expect(network.leader).toBe(2);
  });

  test('K02: a target behind is told when it is level', () => {
    const subject = streaming();
    propose(subject, 'a');
    subject.drain();
    subject.raft.transferLeader(2);
    expect(only(subject.drain(), 'TimeoutNow')).toEqual([]);

    expect(only(subject.accept(2), 'TimeoutNow')).toMatchObject([{ to: 2 }]);
  });

  test('K04: its request skips pre-vote and says so', () => {
    const subject = new Subject();
    subject.heartbeat(2, 1);

    const sent = subject.receive({ type: 'TimeoutNow', from: 2, to: 1, term: 1 });

    expect(only(sent, 'RequestVote')).toMatchObject([{ isTransfer: true }, { isTransfer: true }]);
  });

  test.each([1, 9])('K05: a transfer to node %i is refused', (target) => {
    const subject = streaming();

    expect(subject.raft.transferLeader(target).kind).toBe('refused');
    expect(propose(subject, 'a').kind).toBe('appended');
  });

  test('K06, K07: it is given up after an election timeout, asking again notwithstanding', () => {
    const subject = streaming({ checkQuorum: false });
    subject.raft.transferLeader(2);
    subject.tick(5);
    subject.raft.transferLeader(2);
    subject.tick(5);

    expect(subject.raft.status()).toMatchObject({ role: 'leader', transferTarget: 0 });
    expect(propose(subject, 'a').kind).toBe('appended');
  });

  test('K07: another target replaces the first, the leader itself cancels', () => {
    const subject = streaming();
    subject.raft.transferLeader(2);

    subject.raft.transferLeader(3);
    expect(subject.raft.status().transferTarget).toBe(3);

    subject.raft.transferLeader(1);
    expect(subject.raft.status().transferTarget).toBe(0);
  });

  test('K08: a leader in transfer steps down for a later term', () => {
    const subject = streaming({ checkQuorum: false });
    subject.raft.transferLeader(2);

    subject.voteRequest(3, 2, [9, 1]);

    expect(subject.raft.status()).toMatchObject({ role: 'follower', term: 2 });
  });
});

describe('An order to take over', () => {
  const order = { type: 'TimeoutNow', from: 2, to: 1, term: 1 } as const;

  test('is carried out by a follower once: a candidate goes on with its own election', () => {
    const subject = new Subject();
    subject.heartbeat(2, 1);
    subject.receive(order);
    const { term } = subject.raft;

    const sent = subject.receive({ ...order, term });

    expect(sent).toEqual([]);
    expect(subject.raft.status()).toMatchObject({ role: 'candidate', term });
  });

  test('does not hurry a pre-candidate: it has lost its leader, and asks first', () => {
    const subject = new Subject();
    subject.heartbeat(2, 1);
    subject.raft.campaign();
    subject.drain();

    const sent = subject.receive(order);

    expect(sent).toEqual([]);
    expect(subject.raft.status()).toMatchObject({ role: 'preCandidate', term: 1 });
  });
});

describe('Transfer', () => {
  test('begins once, and says so once', () => {
    const core = coreOf({ id: 1 });
    const transfer = new Transfer(core);

    expect([transfer.maybeBegin(2), transfer.maybeBegin(2)]).toEqual([true, false]);

    expect(transfer.target).toBe(2);
    expect(core.events).toEqual([{ type: 'transfer-started', target: 2 }]);
  });

  test('abandons the target before for another one, and counts time anew', () => {
    const core = coreOf({ id: 1, options: { electionTimeoutTicks: 3 } });
    const transfer = new Transfer(core);
    transfer.maybeBegin(2);
    transfer.tick();
    transfer.tick();

    transfer.maybeBegin(3);
    transfer.tick();
    transfer.tick();
    expect(transfer.target).toBe(3);
    transfer.tick();

    expect(transfer.target).toBe(0);
    expect(core.events.filter(({ type }) => type === 'transfer-abandoned')).toEqual([
      { type: 'transfer-abandoned', target: 2, reason: 'another target was named' },
      { type: 'transfer-abandoned', target: 3, reason: 'it did not take over in time' },
    ]);
  });

  test('goes on when the members change, as long as the target votes', () => {
    const core = coreOf({ id: 1 });
    const transfer = new Transfer(core);
    transfer.maybeBegin(2);

    transfer.configurationChanged();

    expect(transfer.target).toBe(2);
  });

  test('without a target there is nothing to abandon, however long it lasts', () => {
    const core = coreOf({ id: 1 });
    const transfer = new Transfer(core);

    transfer.abandon('the leader was told to stay');
    for (let tick = 0; tick <= core.options.electionTimeoutTicks; tick++) {
      transfer.tick();
    }
    transfer.configurationChanged();

    expect(core.events).toEqual([]);
  });
});

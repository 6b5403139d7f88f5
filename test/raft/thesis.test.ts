/**
 * What the Raft paper says, a sentence a test, in its order, as far as it concerns a fixed
 * membership. Each title cites its source. Where this implementation departs on purpose, the title
 * says what it does instead. What the thesis adds to the paper is in `thesis-extensions.test.ts`.
 */
import { describe, expect, test } from 'vitest';
import type { Message, RaftOptions } from '../../src/raft/index.ts';
import { RaftNetwork } from './network.ts';
import {
  bytesOf,
  converse,
  entriesOf,
  only,
  proposeText as propose,
  settledLeader,
  Subject,
} from './subject.ts';

const plain: Partial<RaftOptions> = { preVote: false, checkQuorum: false };

/** A candidate of term 1 among `size` voters. */
function candidate(size = 3): Subject {
  const subject = new Subject({ size, options: plain });
  subject.raft.campaign();
  subject.drain();
  return subject;
}

function answerVote(subject: Subject, from: number, isGranted = true): void {
  const { id: to, term } = subject.raft;
  subject.receive({ type: 'RequestVoteResponse', from, to, term, isGranted });
}

function logsOf(network: RaftNetwork): string[] {
  return network.nodes.map(({ entries }) => entries.map(({ term }) => term).join());
}

describe('Figure 2: state', () => {
  test('Raft paper Fig. 2: term, vote and log are stored before a request is answered', () => {
    const { raft } = new Subject({ options: plain });
    raft.step({
      ...{ type: 'RequestVote', from: 2, to: 1, term: 1 },
      ...{ lastIndex: 0, lastTerm: 0, isTransfer: false },
    });
    const voting = raft.ready();
    expect(voting.messages).toEqual([]);
    expect(voting.write?.hardState).toMatchObject({ currentTerm: 1, votedFor: 2 });
    if (voting.write !== undefined) {
      raft.writeDone(voting.write.ticket);
    }

    raft.step({
      ...{ type: 'AppendEntries', from: 2, to: 1, term: 1 },
      ...{ prevLogIndex: 0, prevLogTerm: 0, commitIndex: 0, entries: entriesOf([1]) },
    });
    const appending = raft.ready();
    expect(appending.messages).toEqual([]);
    expect(appending.write).toMatchObject({ entries: [{ index: 1 }], mustSync: true });
  });

  test('Raft paper Fig. 2: commit and applied index begin at 0 and only grow', () => {
    const subject = new Subject();
    const seen = [subject.raft.status()];
    subject.append(2, 1, [0, 0], [1, 1], 2);
    seen.push(subject.raft.status());
    subject.append(2, 1, [1, 1], [1], 1);
    subject.heartbeat(2, 1, 0);
    seen.push(subject.raft.status());

    expect(seen.map(({ commitIndex }) => commitIndex)).toEqual([0, 2, 2]);
    expect(seen.map(({ appliedIndex }) => appliedIndex)).toEqual([0, 2, 2]);
  });

  test('Raft paper Fig. 2: for a new leader each next index is last + 1, each match 0', () => {
    const subject = new Subject({ terms: [1, 1, 2] });
    subject.lead();

    for (const progress of subject.raft.status().progress.values()) {
      expect(progress).toMatchObject({ nextIndex: 4, matchIndex: 0 });
    }
  });
});

describe('Figure 2: AppendEntries', () => {
  test('Raft paper Fig. 2: an append of an earlier term is answered with the later one', () => {
    const subject = new Subject({ terms: [1], hardState: { currentTerm: 4 } });

    const sent = subject.append(2, 3, [1, 1], [3]);

    expect(sent).toMatchObject([{ to: 2, term: 4 }]);
    expect(only(sent, 'AppendEntriesResponse')).toEqual([]);
    expect(subject.terms).toEqual([1]);
  });

  test('Raft paper Fig. 2: a log without an entry of the given index and term refuses', () => {
    const subject = new Subject({ terms: [1, 1] });

    expect(subject.append(2, 2, [3, 1], [2])).toMatchObject([{ isRejected: true }]);
    expect(subject.append(2, 2, [2, 2], [2])).toMatchObject([{ isRejected: true }]);
  });

  test('Raft paper Fig. 2: an existing entry that conflicts goes, with all that follow it', () => {
    const subject = new Subject({ terms: [1, 1, 1, 1] });

    subject.append(2, 2, [1, 1], [1, 2]);

    expect(subject.terms).toEqual([1, 1, 2]);
  });

  test('Raft paper Fig. 2: entries that are not in the log yet are appended', () => {
    const subject = new Subject({ terms: [1, 1] });

    subject.append(2, 1, [1, 1], [1, 1, 1]);

    expect(subject.terms).toEqual([1, 1, 1, 1]);
  });

  test('Raft paper Fig. 2: the commit index moves up to the last new entry at most', () => {
    const subject = new Subject({ terms: [1, 1, 1] });

    subject.append(2, 1, [1, 1], [1], 9);
    expect(subject.raft.commitIndex).toBe(2);
    subject.append(2, 1, [3, 1], [1, 1], 4);
    expect(subject.raft.commitIndex).toBe(4);
  });
});

describe('Figure 2: RequestVote', () => {
  test('Raft paper Fig. 2: a request of an earlier term gets no vote; it is dropped', () => {
    const subject = new Subject({ hardState: { currentTerm: 4 }, options: plain });

    expect(subject.voteRequest(2, 3, [9, 3])).toEqual([]);
    expect(subject.raft.status().votedFor).toBe(0);
  });

  test('Raft paper Fig. 2: who has not voted otherwise grants to an up-to-date log', () => {
    const isGranted = (votedFor: number, last: readonly [number, number]): unknown => {
      const hardState = { currentTerm: 2, votedFor };
      const subject = new Subject({ terms: [1], hardState, options: plain });
      return only(subject.voteRequest(2, 2, last), 'RequestVoteResponse')[0]?.isGranted;
    };

    expect([isGranted(0, [1, 1]), isGranted(2, [1, 1])]).toEqual([true, true]);
    expect([isGranted(3, [1, 1]), isGranted(0, [0, 0])]).toEqual([false, false]);
  });
});

describe('Figure 2: rules for servers', () => {
  test('Raft paper Fig. 2: what is committed is applied, in order', () => {
    const subject = new Subject();

    subject.append(2, 1, [0, 0], [1, 1, 1], 2);
    subject.append(2, 1, [3, 1], [], 3);

    expect(subject.applied.map(({ index }) => index)).toEqual([1, 2, 3]);
  });

  test('Raft paper Fig. 2: a later term in any request or response makes a follower of it', () => {
    const head = { from: 2, to: 1, term: 7 } as const;
    const later = [
      { ...head, type: 'AppendEntriesResponse', isRejected: true, index: 0 },
      { ...head, type: 'HeartbeatResponse', readRound: 0 },
      { ...head, type: 'RequestVoteResponse', isGranted: false },
      { ...head, type: 'RequestVote', lastIndex: 9, lastTerm: 6, isTransfer: false },
      { ...head, type: 'Heartbeat', commitIndex: 0, readRound: 0 },
    ] as const;

    for (const message of later) {
      const subject = settledLeader(plain);
      subject.receive(
        message.type === 'AppendEntriesResponse'
          ? { ...message, hintIndex: 0, hintTerm: 0 }
          : message,
      );
      expect(subject.raft.status(), message.type).toMatchObject({ role: 'follower', term: 7 });
    }
  });

  test('Raft paper Fig. 2: a follower that hears nothing becomes candidate', () => {
    const subject = new Subject({ options: plain });

    subject.tick(20);

    expect(subject.raft.role).toBe('candidate');
  });

  test.each(['append', 'heartbeat', 'vote'] as const)(
    'Raft paper Fig. 2: a follower waits a whole timeout from each valid word on: %s',
    (word) => {
      const subject = new Subject({ options: plain });
      subject.heartbeat(2, 1);
      for (let round = 0; round < 20; round++) {
        subject.tick(9);
        if (word === 'append') {
          subject.append(2, 1, [0, 0]);
        } else if (word === 'heartbeat') {
          subject.heartbeat(2, 1);
        } else {
          subject.voteRequest(3, 2 + round, [0, 0]);
        }
      }

      expect(subject.raft.role).toBe('follower');
    },
  );

  test('Raft paper Fig. 2: a candidate begins a term, votes for itself, asks all others', () => {
    const subject = new Subject({ size: 5, options: plain });
    subject.tick(5);

    subject.raft.campaign();
    const sent = subject.drain();

    expect(subject.raft.status()).toMatchObject({ term: 1, votedFor: 1, electionElapsed: 0 });
    expect(only(sent, 'RequestVote').map(({ to }) => to)).toEqual([2, 3, 4, 5]);
  });

  test('Raft paper Fig. 2: votes of a majority make a candidate the leader', () => {
    const subject = candidate(5);

    answerVote(subject, 2);
    expect(subject.raft.role).toBe('candidate');
    answerVote(subject, 3);

    expect(subject.raft.role).toBe('leader');
  });

  test('Raft paper Fig. 2: an append of a new leader makes a candidate its follower', () => {
    const subject = candidate();

    subject.append(2, 1, [0, 0]);

    expect(subject.raft.status()).toMatchObject({ role: 'follower', leader: 2 });
  });

  test('Raft paper Fig. 2: an election timeout makes a candidate start a new election', () => {
    const subject = candidate();

    const sent = subject.tick(19);

    expect(only(sent, 'RequestVote')).toMatchObject([{ term: 2 }, { term: 2 }]);
  });

  test('Raft paper Fig. 2: upon election a leader sends an append to each peer', () => {
    const subject = new Subject();

    expect(only(subject.lead(), 'AppendEntries').map(({ to }) => to)).toEqual([2, 3]);
  });

  test('Raft paper Fig. 2: an idle leader goes on with heartbeats', () => {
    const subject = settledLeader();

    for (let i = 0; i < 5; i++) {
      expect(only(subject.tick(), 'Heartbeat')).toHaveLength(2);
      subject.heartbeatAnswer(2);
    }
  });

  test('Raft paper Fig. 2: a command is appended, and applied once it is committed', () => {
    const subject = settledLeader();

    propose(subject, 'x');
    subject.drain();
    expect(subject.stored.at(-1)?.data).toEqual(bytesOf('x'));
    expect(subject.applied).toHaveLength(1);
    subject.accept(3);

    expect(subject.applied.at(-1)?.data).toEqual(bytesOf('x'));
  });

  test('Raft paper Fig. 2: a peer behind gets the entries from its next index on', () => {
    const subject = new Subject({ terms: [1, 1, 1] });
    subject.lead();

    const sent = only(subject.refuse(2, 3, 1, 1), 'AppendEntries');

    expect(sent).toMatchObject([{ to: 2, prevLogIndex: 1, entries: [{ index: 2 }, { index: 3 }] }]);
  });

  test('Raft paper Fig. 2: an acceptance moves match and next index of the peer', () => {
    const subject = settledLeader();
    propose(subject, 'x');
    subject.drain();

    subject.accept(2, 2);

    expect(subject.raft.status().progress.get(2)).toMatchObject({ matchIndex: 2, nextIndex: 3 });
  });

  test('Raft paper Fig. 2: a refusal lowers the next index, and the append is tried again', () => {
    const subject = new Subject({ terms: [1, 1, 1] });
    subject.lead();

    const sent = subject.refuse(2, 3, 2, 1);

    expect(only(sent, 'AppendEntries')).toMatchObject([{ to: 2, prevLogIndex: 2 }]);
  });

  test('Raft paper Fig. 2: an entry of the own term that a majority holds is committed', () => {
    const subject = new Subject({ size: 5, terms: [1] });
    subject.lead();

    subject.accept(2, 2);
    expect(subject.raft.commitIndex).toBe(0);
    subject.accept(3, 2);

    expect(subject.raft.commitIndex).toBe(2);
  });
});

describe('Basics', () => {
  test('Raft paper §5.1: a follower that is asked by a client sends it on to the leader', () => {
    const subject = new Subject();
    subject.heartbeat(3, 1);

    propose(subject, 'x');

    expect(only(subject.drain(), 'Propose')).toMatchObject([{ to: 3 }]);
  });

  test('Raft paper §5.1: a follower issues no requests of its own', () => {
    const subject = new Subject();
    subject.heartbeat(2, 1);

    expect(subject.tick(9)).toEqual([]);
  });

  test('Raft paper §5.1: a smaller term is replaced by the larger one, never the other way', () => {
    const subject = new Subject({ hardState: { currentTerm: 3 }, options: plain });

    subject.heartbeat(2, 5);
    subject.heartbeat(3, 4);

    expect(subject.raft.status()).toMatchObject({ term: 5, leader: 2 });
  });

  test('Raft paper §5.1: a candidate or leader whose term is out of date becomes follower', () => {
    const [running, leading] = [candidate(), settledLeader(plain)];

    for (const subject of [running, leading]) {
      subject.receive({ type: 'HeartbeatResponse', from: 2, to: 1, term: 9, readRound: 0 });
      expect(subject.raft.status()).toMatchObject({ role: 'follower', term: 9 });
    }
  });

  test('Raft paper §5.1: a request with a stale term is rejected', () => {
    const subject = new Subject({ terms: [1, 2], options: plain });
    const before = subject.raft.status();

    subject.append(2, 1, [1, 1], [1, 1], 2);
    subject.voteRequest(3, 1, [9, 1]);

    expect(subject.raft.status()).toEqual(before);
  });

  test('Raft paper §5.1: a request that was lost is sent again', () => {
    const subject = new Subject();
    subject.lead();

    const again = only(subject.heartbeatAnswer(2), 'AppendEntries');

    expect(again).toMatchObject([{ to: 2, prevLogIndex: 0, entries: [{ index: 1 }] }]);
  });
});

describe('Leader election', () => {
  test('Raft paper §5.2: servers begin as followers', () => {
    expect(new Subject().raft.role).toBe('follower');
  });

  test('Raft paper §5.2: a server stays follower as long as it hears a valid leader', () => {
    const subject = new Subject();

    for (let i = 0; i < 100; i++) {
      subject.heartbeat(2, 1);
      subject.tick();
    }

    expect(subject.raft.status()).toMatchObject({ role: 'follower', term: 1, leader: 2 });
  });

  test('Raft paper §5.2: a server has one vote in a term, for the first to ask', () => {
    const subject = new Subject({ size: 5, options: plain });

    const answers = [3, 2, 4, 3].flatMap((from) => subject.voteRequest(from, 1, [0, 0]));

    expect(answers.map((each) => 'isGranted' in each && each.isGranted)).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  test('Raft paper §5.2: a vote outlives a crash, so that there is one a term all the same', () => {
    const network = new RaftNetwork(3, plain);
    network.raft(1).campaign();
    network.settle(({ to }) => to !== 2);
    network.crash(2);
    network.restart(2);

    network.raft(3).campaign();
    network.settle();

    expect(network.raft(2).status()).toMatchObject({ term: 1, votedFor: 1 });
    expect(network.leader).toBe(0);
  });

  test('Raft paper §5.2: at most one candidate wins a term', () => {
    const network = new RaftNetwork(5, plain);
    for (const { raft } of network.nodes) {
      raft.campaign();
    }
    network.settle();

    expect(network.nodes.filter(({ raft }) => raft.role === 'leader')).toHaveLength(0);
    network.elect(4);
    expect(network.nodes.filter(({ raft }) => raft.role === 'leader')).toHaveLength(1);
  });

  test('Raft paper §5.2: a winner sends word to all, which prevents new elections', () => {
    const network = new RaftNetwork(3, plain);
    network.elect(2);

    for (let i = 0; i < 100; i++) {
      for (const { id } of network.nodes) {
        network.tick(id);
      }
      network.settle();
    }

    expect(network.nodes.map(({ raft }) => [raft.term, raft.leader])).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
  });

  test('Raft paper §5.2: a candidate recognizes a leader whose term is at least its own', () => {
    const [same, later] = [candidate(), candidate()];

    same.append(2, 1, [0, 0]);
    later.append(2, 2, [0, 0]);

    expect([same.raft.leader, later.raft.leader]).toEqual([2, 2]);
  });

  test('Raft paper §5.2: a candidate rejects a leader of an earlier term and goes on', () => {
    const subject = candidate();
    subject.tick(20);
    expect(subject.raft.status()).toMatchObject({ role: 'candidate', term: 2 });

    subject.append(2, 1, [0, 0], [1]);

    expect(subject.raft.status()).toMatchObject({ role: 'candidate', term: 2, leader: 0 });
    expect(subject.terms).toEqual([]);
  });

  test('Raft paper §5.2: after a split vote each candidate times out and one wins', () => {
    const network = new RaftNetwork(4, plain);
    for (const id of [1, 2]) {
      network.raft(id).campaign();
    }
    network.settle(({ from, to }) => from + to === 5 || (from % 2) + (to % 2) === 1);
    expect(network.leader).toBe(0);

    for (let i = 0; i < 60 && network.leader === 0; i++) {
      for (const { id } of network.nodes) {
        network.tick(id);
      }
      network.settle();
    }

    expect(network.leader).not.toBe(0);
  });

  test('Raft paper §5.2: timeouts are drawn anew at each start of an election', () => {
    const subject = new Subject({ options: plain });
    const drawn = new Set<number>();

    for (let i = 0; i < 30; i++) {
      subject.raft.campaign();
      subject.drain();
      drawn.add(subject.raft.status().randomizedElectionTimeout);
    }

    expect(drawn.size).toBeGreaterThan(5);
  });
});

describe('Log replication', () => {
  test('Raft paper §5.3: a command goes to all other servers in parallel', () => {
    const subject = settledLeader();

    propose(subject, 'x');

    const sent = only(subject.raft.ready().messages, 'AppendEntries');
    expect(sent.map(({ to }) => to)).toEqual([2, 3]);
  });

  test('Raft paper §5.3: a leader retries without end, also after it has committed', () => {
    const subject = settledLeader({ checkQuorum: false });
    propose(subject, 'x');
    subject.drain();
    subject.accept(2);
    expect(subject.raft.commitIndex).toBe(2);
    subject.raft.reportUnreachable(3);

    for (let i = 0; i < 50; i++) {
      subject.tick();
      const again = only(subject.heartbeatAnswer(3), 'AppendEntries');
      expect(again).toMatchObject([{ to: 3, entries: [{ index: 2 }] }]);
    }
  });

  test('Raft paper §5.3: an entry is committed once a majority of the servers has it', () => {
    const subject = new Subject({ size: 5 });
    subject.lead();

    subject.accept(4);
    expect(subject.raft.commitIndex).toBe(0);
    subject.accept(5);

    expect(subject.raft.commitIndex).toBe(1);
  });

  test('Raft paper §5.3: an entry commits all before it, those of other leaders too', () => {
    const subject = new Subject({ terms: [1, 1, 2] });
    subject.lead();

    subject.accept(2, 4);

    expect(subject.applied.map(({ term }) => term)).toEqual([1, 1, 2, 3]);
  });

  test('Raft paper §5.3: appends carry the commit index, heartbeats what is sure of it', () => {
    const subject = settledLeader();
    propose(subject, 'x');
    subject.drain();

    const sent = [...subject.accept(2), ...subject.tick()];
    propose(subject, 'y');
    sent.push(...subject.drain());

    expect(only(sent, 'CommitNotice').map(({ commitIndex }) => commitIndex)).toEqual([2, 2]);
    expect(only(sent, 'AppendEntries').map(({ commitIndex }) => commitIndex)).toEqual([2, 2]);
    expect(only(sent, 'Heartbeat').map(({ to, commitIndex }) => [to, commitIndex])).toEqual([
      [2, 2],
      [3, 1],
    ]);
  });

  test('Raft paper §5.3: a leader makes at most one entry of an index and term', () => {
    const subject = settledLeader();

    for (const text of ['a', 'b', 'c']) {
      propose(subject, text);
    }
    subject.drain();

    expect(subject.stored.map(({ index }) => index)).toEqual([1, 2, 3, 4]);
  });

  test('Raft paper §5.3: an append names the index and term just before its entries', () => {
    const subject = new Subject({ terms: [1, 2] });

    const sent = only(subject.lead(), 'AppendEntries');

    expect(sent[0]).toMatchObject({ prevLogIndex: 2, prevLogTerm: 2, entries: [{ index: 3 }] });
  });

  test('Raft paper §5.3: an acceptance tells that the logs are the same up to there', () => {
    const leader = new Subject({ terms: [1, 1, 3], hardState: { currentTerm: 3 } });
    const follower = new Subject({ id: 2, terms: [1, 1, 2, 2, 2] });

    converse(leader, follower, leader.lead());

    expect(leader.raft.status().progress.get(2)?.matchIndex).toBe(4);
    expect(follower.terms).toEqual(leader.terms);
  });

  test('Raft paper §5.3: a leader never overwrites or deletes entries of its own log', () => {
    const subject = new Subject({ terms: [1, 1, 2] });
    subject.lead();
    const before = [...subject.stored];

    subject.refuse(2, 3, 0, 0);
    subject.refuse(3, 3, 2, 1);

    expect(subject.stored).toEqual(before);
  });

  test('Raft paper §5.3: one round per term in conflict is enough, not one per entry', () => {
    const terms = (own: number): number[] => [
      1,
      ...Array.from({ length: 90 }, (_, i) => own + 2 * Math.floor(i / 30)),
    ];
    const leader = new Subject({ terms: terms(3), hardState: { currentTerm: 8 } });
    const follower = new Subject({ id: 2, terms: terms(2) });

    const carried = converse(leader, follower, leader.lead());

    const refusals = only(carried, 'AppendEntriesResponse').filter((each) => each.isRejected);
    expect(refusals.length).toBeLessThanOrEqual(6);
    expect(follower.terms).toEqual(leader.terms);
  });

  test('Raft paper §5.3: a single slow follower does not hold the others up', () => {
    const subject = settledLeader({ inflightMessagesMax: 1 });

    for (let index = 2; index < 20; index++) {
      propose(subject, 'x');
      subject.drain();
      subject.accept(2);
      expect(subject.raft.commitIndex).toBe(index);
    }
  });
});

describe('Election restriction', () => {
  test('Raft paper §5.4.1: a candidate without a committed entry does not win', () => {
    const network = new RaftNetwork(5, plain);
    network.elect(1);
    network.raft(1).propose([bytesOf('x')], 1);
    network.settle(({ from, to }) => from > 3 || to > 3);
    expect(network.raft(1).commitIndex).toBe(2);

    network.elect(4);

    expect(network.raft(4).status()).toMatchObject({ role: 'follower', term: 2 });
    network.elect(3);
    expect(network.leader).toBe(3);
  });

  test('Raft paper §5.4.1: with different last terms, the later term is more up to date', () => {
    const subject = new Subject({ terms: [1, 1, 1, 2], options: plain });

    expect(subject.voteRequest(2, 5, [1, 3])).toMatchObject([{ isGranted: true }]);
    expect(subject.voteRequest(3, 6, [9, 1])).toMatchObject([{ isGranted: false }]);
  });

  test('Raft paper §5.4.1: with the same last term, the longer log is more up to date', () => {
    const subject = new Subject({ terms: [1, 1], options: plain });

    expect(subject.voteRequest(2, 5, [1, 1])).toMatchObject([{ isGranted: false }]);
    expect(subject.voteRequest(3, 6, [2, 1])).toMatchObject([{ isGranted: true }]);
  });
});

describe('Committing entries of earlier terms', () => {
  /**
   * Figure 8 up to (c): node 5 is down with entry 2 of term 2; node 1, leader of term 3, has
   * brought its entry 2 of term 1 to nodes 2 and 3, and knows it, while its entry 3 of term 3 is on
   * no other disk. (In the figure node 2 has entry 2 from (a) on.)
   */
  function untilC(): RaftNetwork {
    const voted = { currentTerm: 2, votedFor: 5 };
    const starts = [
      { terms: [1, 1], hardState: { currentTerm: 2 } },
      { terms: [1], hardState: { currentTerm: 2 } },
      { terms: [1], hardState: voted },
      { terms: [1], hardState: voted },
      { terms: [1, 2], hardState: voted },
    ];
    const network = new RaftNetwork(5, plain, 1, starts);
    network.crash(5);
    network.raft(1).campaign();
    network.settle((message: Message) => {
      const { type, to } = message;
      const isNews = type === 'AppendEntries' && message.prevLogIndex === 2;
      return isNews && (to === 4 || network.node(to).entries.length === 2);
    });
    expect(logsOf(network)).toEqual(['1,1,3', '1,1', '1,1', '1', '1,2']);
    const { progress } = network.raft(1).status();
    expect([2, 3].map((id) => progress.get(id)?.matchIndex)).toEqual([2, 2]);
    return network;
  }

  test('Raft paper Fig. 8: (c) an entry of an earlier term on a majority is not committed', () => {
    const network = untilC();

    expect(network.raft(1).status()).toMatchObject({ role: 'leader', term: 3, commitIndex: 0 });
    expect(network.committed).toEqual([]);
  });

  test('Raft paper Fig. 8: (d) a leader with an entry of a later term overwrites it', () => {
    const network = untilC();
    network.crash(1);
    network.messages = [];
    network.restart(5);

    network.elect(5);
    network.elect(5);
    expect(network.raft(5).status()).toMatchObject({ role: 'leader', term: 4 });
    network.restart(1);
    network.tick(5);
    network.settle();

    expect(logsOf(network)).toEqual(Array.from({ length: 5 }, () => '1,2,4'));
  });

  test('Raft paper Fig. 8: (e) an entry of the own term on a majority commits it for good', () => {
    const network = untilC();
    network.tick(1);
    network.settle(({ to }) => to === 4);
    expect(network.raft(1).commitIndex).toBe(3);
    network.crash(1);
    network.restart(5);

    network.elect(5);
    network.elect(5);
    expect(network.raft(5).role).not.toBe('leader');
    network.elect(2);
    network.restart(1);
    network.tick(2);
    network.settle();

    expect(logsOf(network)).toEqual(Array.from({ length: 5 }, () => '1,1,3,5'));
  });

  test.each([
    [3, [1], 2],
    [5, [1, 1], 3],
    [5, [1, 2], 4],
  ] as const)(
    'Raft thesis §3.6.2: of %i servers, entries of terms %j are not committed by counting',
    (size, terms, others) => {
      const subject = new Subject({ size, terms });
      subject.lead();

      for (let id = 2; id <= others; id++) {
        subject.accept(id, terms.length);
        expect(subject.raft.commitIndex).toBe(0);
      }
      expect(subject.applied).toEqual([]);
    },
  );

  test('Raft thesis §3.6.2: they are committed by an entry of the own term after them', () => {
    const subject = new Subject({ terms: [1, 2] });
    subject.lead();

    subject.accept(3);

    expect(subject.applied.map(({ term }) => term)).toEqual([1, 2, 3]);
  });
});

describe('Crashes and stored state', () => {
  test('Raft thesis §3.7: an append that is repeated after it was done changes nothing', () => {
    const subject = new Subject();
    subject.append(2, 1, [0, 0], [1, 1]);
    const before = subject.raft.status();

    const again = subject.append(2, 1, [0, 0], [1, 1]);

    expect(again).toMatchObject([{ isRejected: false, index: 2 }]);
    expect(subject.raft.status()).toEqual(before);
  });

  test('Raft thesis §3.7: a server that was down gets what it missed', () => {
    const network = new RaftNetwork(3);
    network.elect(1);
    network.crash(3);
    network.raft(1).propose([bytesOf('x')], 1);
    network.settle();

    network.restart(3);
    network.tick(1);
    network.settle();

    expect(network.node(3).applied).toEqual(network.node(1).applied);
  });

  test('Raft thesis §3.8: a restarted server applies its log from where its state ends', () => {
    const network = new RaftNetwork(3);
    network.elect(1);
    network.raft(1).propose([bytesOf('x')], 1);
    network.settle();
    network.tick(3);
    network.settle();
    network.crash(3);

    network.restart(3, 1);

    expect(network.node(3).applied.map(({ index }) => index)).toEqual([1, 2]);
  });
});

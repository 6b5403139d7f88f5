/** Terms, roles, elections, pre-vote, check-quorum. Ids in titles: `CHECKLIST.md`. */
import { describe, expect, test } from 'vitest';
import type { RaftOptions } from '../../src/raft/index.ts';
import { RaftNetwork } from './network.ts';
import { only, Subject } from './subject.ts';

const plain: Partial<RaftOptions> = { preVote: false, checkQuorum: false };

describe('Terms', () => {
  test.each(['follower', 'candidate', 'leader'] as const)(
    'A01: a %s follows an append of a later term',
    (role) => {
      const subject = new Subject({ options: plain });
      if (role === 'leader') {
        subject.lead();
      } else if (role === 'candidate') {
        subject.raft.campaign();
        subject.drain();
      }

      subject.append(2, 5, [0, 0]);

      expect(subject.raft.status()).toMatchObject({ role: 'follower', term: 5, leader: 2 });
    },
  );

  test('A02: a request of an earlier term changes nothing', () => {
    const subject = new Subject({ hardState: { currentTerm: 2 }, options: plain });
    const before = subject.raft.status();

    const sent = [
      ...subject.voteRequest(2, 1, [9, 1]),
      ...subject.append(2, 1, [0, 0], [1]),
      ...subject.heartbeat(2, 1),
    ];

    expect(subject.raft.status()).toEqual(before);
    expect(sent).toEqual([]);
  });

  test('A03: a node starts as a follower without a leader', () => {
    const { raft } = new Subject({ terms: [1, 2], hardState: { votedFor: 2 } });

    expect(raft.status()).toMatchObject({ role: 'follower', leader: 0, term: 2, votedFor: 2 });
    expect(raft.hasReady()).toBe(false);
  });

  test('A15: a later term costs no entry, and only an append names the leader', () => {
    const voter = new Subject({ terms: [1, 1], options: plain });
    voter.lead();
    const count = voter.stored.length;

    voter.voteRequest(2, 9, [0, 0]);

    expect(voter.raft.status()).toMatchObject({ role: 'follower', term: 9, leader: 0 });
    expect(voter.stored).toHaveLength(count);
  });

  test('A27: a delayed append of an earlier term is ignored', () => {
    const subject = new Subject({ options: plain });
    subject.append(2, 3, [0, 0], [3]);

    subject.append(3, 2, [0, 0], [2, 2]);
    subject.append(2, 3, [1, 3], [3], 2);

    expect(subject.terms).toEqual([3, 3]);
    expect(subject.raft.commitIndex).toBe(2);
  });
});

describe('Elections', () => {
  test('A04, A10: a follower without word asks for votes with its last entry and the new term', () => {
    const subject = new Subject({ terms: [1, 2], options: plain });

    const sent = subject.tick(20);

    const [first, second] = only(sent, 'RequestVote');
    expect([first?.to, second?.to]).toEqual([2, 3]);
    expect(first).toMatchObject({ term: 3, lastIndex: 2, lastTerm: 2, isTransfer: false });
    expect(subject.raft.status()).toMatchObject({ role: 'candidate', term: 3, votedFor: 1 });
  });

  test('A04: a candidate that has not won tries again in the next term', () => {
    const subject = new Subject({ options: plain });
    subject.raft.campaign();
    subject.drain();

    subject.tick(20);

    expect(subject.raft.status()).toMatchObject({ role: 'candidate', term: 2 });
  });

  test.each([
    [1, [], 'leader'],
    [3, [true], 'leader'],
    [3, [], 'candidate'],
    [3, [false], 'candidate'],
    [3, [false, false], 'follower'],
    [5, [true, true], 'leader'],
    [5, [true], 'candidate'],
    [5, [true, false, false, false], 'follower'],
  ] as const)('A05: of %i voters, answers %j make a %s', (size, answers, role) => {
    const subject = new Subject({ size, options: plain });
    subject.raft.campaign();
    subject.drain();

    for (const [i, isGranted] of answers.entries()) {
      const from = i + 2;
      subject.receive({ type: 'RequestVoteResponse', from, to: 1, term: 1, isGranted });
    }

    expect(subject.raft.status()).toMatchObject({ role, term: 1 });
  });

  test('A06: one vote a term, to the same candidate again', () => {
    const subject = new Subject({ options: plain });

    const answers = [2, 3, 2].map((from) => subject.voteRequest(from, 1, [0, 0])[0]);

    expect(answers).toMatchObject([{ isGranted: true }, { isGranted: false }, { isGranted: true }]);
  });

  test.each(['append', 'heartbeat'] as const)(
    'A07: a candidate follows the leader of its term at its %s',
    (kind) => {
      const subject = new Subject({ options: plain });
      subject.raft.campaign();
      subject.drain();

      if (kind === 'append') {
        subject.append(2, 1, [0, 0], [1]);
      } else {
        subject.heartbeat(2, 1);
      }

      expect(subject.raft.status()).toMatchObject({ role: 'follower', term: 1, leader: 2 });
    },
  );

  test('A08: timeouts are drawn from T to 2T-1, and all of them occur', () => {
    const subject = new Subject({ options: plain });
    const drawn = new Set<number>();

    for (let term = 1; term <= 500; term++) {
      subject.append(2, term, [0, 0]);
      drawn.add(subject.raft.status().randomizedElectionTimeout);
    }

    expect([...drawn].sort((a, b) => a - b)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });

  test('A09: of five nodes, two time out first together in at most 30 % of the rounds', () => {
    const subjects = [1, 2, 3, 4, 5].map((seed) => new Subject({ seed, options: plain }));
    let conflicts = 0;

    for (let term = 1; term <= 1000; term++) {
      for (const subject of subjects) {
        subject.append(2, term, [0, 0]);
      }
      const drawn = subjects.map(({ raft }) => raft.status().randomizedElectionTimeout);
      const first = Math.min(...drawn);
      conflicts += drawn.filter((ticks) => ticks === first).length > 1 ? 1 : 0;
    }

    expect(conflicts).toBeLessThanOrEqual(300);
  });

  test.each(['RequestVote', 'PreVote'] as const)(
    'A11, B03: a %s is granted to logs at least as up to date, by last term and then index',
    (type) => {
      const isGrantedTo = (index: number, term: number): boolean | undefined => {
        const subject = new Subject({ terms: [2, 2], options: plain });
        const [answer] = subject.voteRequest(2, 3, [index, term], type);
        return answer !== undefined && 'isGranted' in answer ? answer.isGranted : undefined;
      };

      expect([isGrantedTo(9, 1), isGrantedTo(1, 2)]).toEqual([false, false]);
      expect([isGrantedTo(2, 2), isGrantedTo(3, 2), isGrantedTo(1, 3)]).toEqual([true, true, true]);
    },
  );

  test.each(['candidate', 'leader'] as const)('A12: a %s refuses others in its term', (role) => {
    const subject = new Subject({ options: plain });
    if (role === 'leader') {
      subject.lead();
    } else {
      subject.raft.campaign();
      subject.drain();
    }

    const sent = subject.voteRequest(2, 1, [9, 1]);

    expect(sent).toMatchObject([{ type: 'RequestVoteResponse', isGranted: false }]);
  });

  test.each(['follower', 'preCandidate', 'candidate', 'leader'] as const)(
    'A13: a %s grants a vote of a later term',
    (role) => {
      const subject = new Subject({ options: { ...plain, preVote: role === 'preCandidate' } });
      if (role === 'leader') {
        subject.lead();
      } else if (role !== 'follower') {
        subject.raft.campaign();
        subject.drain();
      }
      expect(subject.raft.role).toBe(role);

      const sent = subject.voteRequest(3, 7, [9, 6]);

      expect(sent).toMatchObject([{ isGranted: true, term: 7 }]);
      expect(subject.raft.status()).toMatchObject({ role: 'follower', term: 7, votedFor: 3 });
    },
  );

  test('A16: a minority of dead voters does not keep a node from leading, a half does', () => {
    const roleWithDead = (size: number, dead: number): string => {
      const network = new RaftNetwork(size, plain);
      for (let id = size - dead + 1; id <= size; id++) {
        network.crash(id);
      }
      network.elect(1);
      return network.raft(1).role;
    };

    expect([roleWithDead(3, 1), roleWithDead(5, 2)]).toEqual(['leader', 'leader']);
    expect([roleWithDead(3, 2), roleWithDead(4, 2)]).toEqual(['candidate', 'candidate']);
  });

  test.each([false, true])('A18: each node leads in turn, pre-vote %s', (preVote) => {
    const network = new RaftNetwork(3, { preVote, checkQuorum: false });

    for (const id of [1, 2, 3, 1]) {
      network.elect(id);

      expect(network.nodes.map(({ raft }) => raft.leader)).toEqual([id, id, id]);
    }
  });

  test.each([false, true])(
    'A22: a single voter leads once its vote is stored, pre-vote %s',
    (preVote) => {
      const { raft } = new Subject({ size: 1, options: { ...plain, preVote } });
      raft.campaign();

      const { write } = raft.ready();

      expect(raft.role).toBe('candidate');
      expect(write?.hardState).toMatchObject({ currentTerm: 1, votedFor: 1 });
      if (write !== undefined) {
        raft.writeDone(write.ticket);
      }
      expect(raft.role).toBe('leader');
    },
  );

  test('A23: a leader that is told to campaign stays as it is', () => {
    const subject = new Subject();
    subject.lead();
    const before = subject.raft.status();

    subject.raft.campaign();

    expect(subject.raft.status()).toEqual(before);
  });

  test.each([5, 9])('A24, K10: node %i, not a voter of three, never campaigns', (id) => {
    const subject = new Subject({ id });

    subject.tick(50);
    subject.raft.campaign();
    subject.receive({ type: 'TimeoutNow', from: 2, to: id, term: 1 });

    expect(subject.raft.role).toBe('follower');
  });

  test('A25: an own vote that is stored after the election was lost counts for nothing', () => {
    const { raft } = new Subject({ options: plain });
    raft.campaign();
    const { write } = raft.ready();
    raft.step({ type: 'RequestVoteResponse', from: 3, to: 1, term: 1, isGranted: true });
    raft.step({
      type: 'Heartbeat',
      from: 2,
      to: 1,
      term: 1,
      commitIndex: 0,
      readRound: 0,
    });

    if (write !== undefined) {
      raft.writeDone(write.ticket);
    }

    expect(raft.status()).toMatchObject({ role: 'follower', leader: 2 });
  });

  test('A26: a pre-vote won while a write is out does not stand for the real vote', () => {
    const { raft } = new Subject();
    raft.campaign();
    raft.step({ type: 'PreVoteResponse', from: 2, to: 1, term: 1, isGranted: true });
    raft.step({ type: 'PreVoteResponse', from: 3, to: 1, term: 1, isGranted: true });
    raft.step({ type: 'RequestVoteResponse', from: 2, to: 1, term: 1, isGranted: true });
    expect(raft.role).toBe('candidate');

    const { write } = raft.ready();
    if (write !== undefined) {
      raft.writeDone(write.ticket);
    }

    expect(raft.role).toBe('leader');
  });

  test('A28: a leader first appends an empty entry of its term', () => {
    const subject = new Subject({ terms: [1] });

    subject.lead();

    expect(subject.stored.at(-1)).toMatchObject({ index: 2, term: 2, data: new Uint8Array() });
  });

  test('A29: a leader heartbeats each peer at each tick, others do not', () => {
    const leader = new Subject();
    leader.lead();

    expect(only(leader.tick(), 'Heartbeat').map(({ to }) => to)).toEqual([2, 3]);
    expect(only(new Subject().tick(5), 'Heartbeat')).toEqual([]);
  });

  test('A30: the first answer of a voter stands', () => {
    const subject = new Subject({ size: 5, options: plain });
    subject.raft.campaign();
    subject.drain();

    for (const isGranted of [false, true, true]) {
      subject.receive({ type: 'RequestVoteResponse', from: 2, to: 1, term: 1, isGranted });
    }
    subject.receive({ type: 'RequestVoteResponse', from: 3, to: 1, term: 1, isGranted: true });

    expect(subject.raft.role).toBe('candidate');
  });

  test('A31: granting a vote restarts the timer, granting a pre-vote does not', () => {
    const subject = new Subject({ options: plain });
    subject.tick(8);

    subject.voteRequest(2, 1, [0, 0], 'PreVote');
    expect(subject.raft.status().electionElapsed).toBe(8);

    subject.voteRequest(2, 1, [0, 0]);
    expect(subject.raft.status().electionElapsed).toBe(0);
  });
});

describe('Pre-vote', () => {
  test('B01: asks for the next term without entering it', () => {
    const subject = new Subject({ terms: [1] });

    subject.raft.campaign();

    expect(only(subject.drain(), 'PreVote')).toMatchObject([{ term: 2 }, { term: 2 }]);
    expect(subject.raft.status()).toMatchObject({ role: 'preCandidate', term: 1, votedFor: 0 });
  });

  test.each(['follower', 'candidate', 'leader'] as const)(
    'B02: a request leaves role, term and vote of a %s alone',
    (role) => {
      const subject = new Subject({ options: plain });
      if (role === 'leader') {
        subject.lead();
      } else if (role === 'candidate') {
        subject.raft.campaign();
        subject.drain();
      }
      const { term, votedFor } = subject.raft.status();

      subject.voteRequest(2, 8, [9, 7], 'PreVote');

      expect(subject.raft.status()).toMatchObject({ role, term, votedFor });
    },
  );

  test('B04: a node that was cut off with a shorter log disturbs nobody', () => {
    const network = new RaftNetwork(3, { checkQuorum: false });
    network.elect(1);
    network.raft(1).propose([new Uint8Array(1)], 0);
    network.settle((message) => message.from === 3 || message.to === 3);

    network.elect(3);

    expect(network.raft(1).role).toBe('leader');
    expect(network.raft(3).status()).toMatchObject({ role: 'follower', term: 1 });
  });

  test('B05: a majority of refusals ends it at the old term', () => {
    const subject = new Subject();
    subject.raft.campaign();
    subject.drain();

    for (const from of [2, 3]) {
      subject.receive({ type: 'PreVoteResponse', from, to: 1, term: 0, isGranted: false });
      subject.receive({ type: 'PreVoteResponse', from, to: 1, term: 1, isGranted: true });
    }

    expect(subject.raft.status()).toMatchObject({ term: 1 });
  });

  test('B06, B07: a grant carries the term asked for, a refusal the term of the voter', () => {
    const behind = new Subject({ terms: [1, 2] });
    const ahead = new Subject({ hardState: { currentTerm: 9 } });

    expect(behind.voteRequest(2, 7, [2, 2], 'PreVote')).toMatchObject([
      { isGranted: true, term: 7 },
    ]);
    expect(behind.voteRequest(2, 7, [1, 1], 'PreVote')).toMatchObject([
      { isGranted: false, term: 2 },
    ]);
    expect(ahead.voteRequest(2, 7, [5, 5], 'PreVote')).toMatchObject([
      { isGranted: false, term: 9 },
    ]);
  });

  test('B06: a refusal of a later term brings the pre-candidate up to it', () => {
    const subject = new Subject();
    subject.raft.campaign();
    subject.drain();

    subject.receive({ type: 'PreVoteResponse', from: 2, to: 1, term: 6, isGranted: false });

    expect(subject.raft.status()).toMatchObject({ role: 'follower', term: 6 });
  });

  test('B08: after a split vote the first to time out wins', () => {
    const network = new RaftNetwork(3);
    network.crash(3);
    network.raft(1).campaign();
    network.raft(2).campaign();
    network.settle();
    network.restart(3);

    for (let i = 0; network.leader === 0 && i < 100; i++) {
      for (const { id } of network.nodes) {
        network.tick(id);
      }
      network.settle();
    }

    expect(network.leader).not.toBe(0);
  });

  test('B09, C06: a leader steps down at the higher term of a stuck node', () => {
    const stuck = new Subject({ id: 3, hardState: { currentTerm: 9 } });
    const leader = new Subject();
    leader.lead();

    for (const answer of stuck.heartbeat(1, 1)) {
      leader.receive(answer);
    }

    expect(leader.raft.status()).toMatchObject({ role: 'follower', term: 9 });
  });

  test('B10: without check-quorum, a node with the whole log can win against a live leader', () => {
    const network = new RaftNetwork(3, { checkQuorum: false });
    network.elect(1);

    network.elect(2);

    expect(network.leader).toBe(2);
  });
});

describe('Check-quorum', () => {
  test('C01: a leader without word from a majority steps down in its term', () => {
    const subject = new Subject();
    subject.lead();

    for (let i = 0; i < 20 && subject.raft.role === 'leader'; i++) {
      subject.tick();
    }

    expect(subject.raft.status()).toMatchObject({ role: 'follower', term: 1, leader: 0 });
  });

  test('C02: one of two followers is enough to stay', () => {
    const subject = new Subject();
    subject.lead();

    for (let i = 0; i < 50; i++) {
      subject.tick();
      subject.heartbeatAnswer(2);
    }

    expect(subject.raft.role).toBe('leader');
  });

  test.each(['RequestVote', 'PreVote'] as const)(
    'C03, C04: a voter with a live leader drops a %s, and answers an election timeout later',
    (type) => {
      const subject = new Subject();
      subject.heartbeat(2, 1);

      expect(subject.voteRequest(3, 2, [0, 0], type)).toEqual([]);
      expect(subject.raft.term).toBe(1);

      for (let i = 0; i < 10; i++) {
        subject.raft.tick();
      }
      expect(subject.voteRequest(3, 2, [0, 0], type).at(-1)).toMatchObject({ isGranted: true });
    },
  );

  test('C05: a node that knows no leader answers at once', () => {
    expect(new Subject().voteRequest(3, 2, [0, 0])).toMatchObject([{ isGranted: true }]);
  });

  test('C07, K04: the request of a transfer overrides the live leader', () => {
    const subject = new Subject();
    subject.heartbeat(2, 1);

    const sent = subject.voteRequest(3, 2, [0, 0], 'RequestVote', true);

    expect(sent).toMatchObject([{ isGranted: true }]);
  });

  test('C10: a majority that campaigns by itself can elect one of its own', () => {
    const network = new RaftNetwork(3);
    network.elect(1);
    const isCut = (message: { from: number; to: number }): boolean =>
      message.from === 1 || message.to === 1;

    network.raft(2).campaign();
    network.raft(3).campaign();
    network.settle(isCut);
    for (let i = 0; i < 60 && network.leader === 1; i++) {
      network.tick(2);
      network.tick(3);
      network.settle(isCut);
    }

    expect([2, 3]).toContain(network.leader);
  });
});

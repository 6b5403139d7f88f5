/** Terms, roles and elections. Ids in titles: `README.md`. */
import { describe, expect, test } from 'vitest';
import type { RaftOptions, Role } from '../../src/raft/index.ts';
import { RaftNetwork } from './network.ts';
import { only, Subject } from './subject.ts';

const plain: Partial<RaftOptions> = { preVote: false, checkQuorum: false };
const roles = ['follower', 'preCandidate', 'candidate', 'leader'] as const;

/** A node of three with this role and stored entries of these terms; lease rules are off. */
function inRole(role: Role, terms: readonly number[] = []): Subject {
  const preVote = role === 'preCandidate';
  const subject = new Subject({ terms, options: { preVote, checkQuorum: false } });
  if (role === 'leader') {
    subject.lead();
  } else if (role !== 'follower') {
    subject.raft.campaign();
    subject.drain();
  }
  expect(subject.raft.role).toBe(role);
  return subject;
}

describe('Terms', () => {
  test.each(roles)('A01: a %s follows an append of a later term', (role) => {
    const subject = inRole(role);

    subject.append(2, 5, [0, 0]);

    expect(subject.raft.status()).toMatchObject({ role: 'follower', term: 5, leader: 2 });
  });

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

  test.each(roles)(
    'A15: a later term costs a %s no entry, and only an append names a leader',
    (role) => {
      const asked = inRole(role, [1, 1]);
      const led = inRole(role, [1, 1]);
      const { terms } = asked;

      asked.voteRequest(2, 9, [0, 0]);
      led.append(2, 9, [2, 1]);

      expect(asked.raft.status()).toMatchObject({ role: 'follower', term: 9, leader: 0 });
      expect(led.raft.status()).toMatchObject({ role: 'follower', term: 9, leader: 2 });
      expect([asked.terms, led.terms]).toEqual([terms, terms]);
    },
  );

  test('A27: a delayed append of an earlier term is ignored', () => {
    const subject = new Subject({ options: plain });
    subject.append(2, 3, [0, 0], [3]);

    subject.append(3, 2, [0, 0], [2, 2]);
    subject.append(2, 3, [1, 3], [3], 2);

    expect(subject.terms).toEqual([3, 3]);
    expect(subject.raft.commitIndex).toBe(2);
  });

  test('A27: a leader ignores the delayed append of the one before it', () => {
    const subject = inRole('leader', [1, 2]);
    const before = subject.raft.status();

    expect(subject.append(3, 2, [1, 1], [2, 2], 3)).toEqual([]);

    expect(subject.raft.status()).toEqual(before);
  });
});

describe('Elections', () => {
  test('A04, A10: a follower without word asks for votes with last entry and new term', () => {
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

  test.each([
    ['append', 1],
    ['append', 3],
    ['heartbeat', 1],
    ['heartbeat', 3],
  ] as const)('A07: a candidate of term 1 follows a leader at its %s of term %i', (kind, term) => {
    const subject = inRole('candidate');

    if (kind === 'append') {
      subject.append(2, term, [0, 0], [term]);
    } else {
      subject.heartbeat(2, term);
    }

    expect(subject.raft.status()).toMatchObject({ role: 'follower', term, leader: 2 });
  });

  test.each(['follower', 'candidate'] as const)(
    'A08: timeouts of a %s are drawn from T to 2T-1, and all of them occur',
    (role) => {
      const subject = new Subject({ options: plain });
      const seen = new Set<number>();

      for (let term = 1; term <= 500; term++) {
        if (role === 'follower') {
          subject.append(2, term, [0, 0]);
        } else {
          subject.raft.campaign();
          subject.drain();
        }
        let ticks = 0;
        while (subject.raft.term === term) {
          subject.tick();
          ticks++;
        }
        seen.add(ticks);
        subject.append(2, ++term, [0, 0]);
      }

      expect([...seen].sort((a, b) => a - b)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    },
  );

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
    const sent = inRole(role).voteRequest(2, 1, [9, 1]);

    expect(sent).toMatchObject([{ type: 'RequestVoteResponse', isGranted: false }]);
  });

  test('A12: a candidate that has lost keeps its vote for the rest of the term', () => {
    const subject = inRole('candidate');
    for (const from of [2, 3]) {
      const answer = { type: 'RequestVoteResponse', from, to: 1, term: 1 } as const;
      subject.receive({ ...answer, isGranted: false });
    }
    expect(subject.raft.role).toBe('follower');

    expect(subject.voteRequest(2, 1, [9, 1])).toMatchObject([{ isGranted: false }]);
  });

  test('A12: a pre-candidate that has voted in its term refuses others', () => {
    const subject = new Subject({ terms: [1], hardState: { votedFor: 3 } });
    subject.raft.campaign();
    subject.drain();
    expect(subject.raft.role).toBe('preCandidate');

    expect(subject.voteRequest(2, 1, [9, 1])).toMatchObject([{ isGranted: false }]);
  });

  test('a follower that has a vote left gives it to nobody against the leader it knows', () => {
    const subject = new Subject();
    subject.heartbeat(2, 1);

    expect(subject.voteRequest(3, 1, [9, 1])).toMatchObject([{ isGranted: false }]);
    expect(subject.raft.status()).toMatchObject({ votedFor: 0, leader: 2 });
  });

  test.each(roles)('A13: a %s grants a vote of a later term', (role) => {
    const subject = inRole(role);

    const sent = subject.voteRequest(3, 7, [9, 6]);

    expect(sent).toMatchObject([{ isGranted: true, term: 7 }]);
    expect(subject.raft.status()).toMatchObject({ role: 'follower', term: 7, votedFor: 3 });
  });

  test('A14: a follower does not lead by votes alone, a leader does not campaign', () => {
    const follower = new Subject({ hardState: { currentTerm: 1 }, options: plain });
    for (const from of [2, 3]) {
      const answer = { type: 'RequestVoteResponse', from, to: 1, term: 1 } as const;
      follower.receive({ ...answer, isGranted: true });
    }
    const leader = inRole('leader');

    leader.receive({ type: 'TimeoutNow', from: 2, to: 1, term: 1 });
    leader.raft.campaign();
    leader.tick(50);

    expect(follower.raft.role).toBe('follower');
    expect(leader.raft.status()).toMatchObject({ role: 'leader', term: 1 });
  });

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

  test.each([false, true])('A17: a shorter log loses to longer ones, pre-vote %s', (preVote) => {
    const starts = [{ terms: [1] }, { terms: [1, 1] }, { terms: [1, 1] }];
    const network = new RaftNetwork(3, { preVote, checkQuorum: false }, 1, starts);

    network.elect(1);

    const term = preVote ? 1 : 2;
    expect(network.raft(1).status()).toMatchObject({ role: 'follower', term, leader: 0 });
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

  test.each([
    ['a stranger', { voters: [1, 2, 3] }],
    ['a learner', { voters: [1, 2, 3], learners: [9] }],
  ])('A24, K10: %s never campaigns, whatever tells it to, and leads by no votes', (_, conf) => {
    const subject = new Subject({ id: 9, conf });

    subject.tick(50);
    subject.raft.campaign();
    subject.receive({ type: 'TimeoutNow', from: 2, to: 9, term: 1 });
    for (const from of [1, 2, 3]) {
      const answer = { type: 'RequestVoteResponse', from, to: 9, term: 1 } as const;
      subject.receive({ ...answer, isGranted: true });
    }

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

  test('A25: a write of an earlier term does not stand for the own vote of this one', () => {
    const { raft } = new Subject({ size: 1, hardState: { currentTerm: 3 }, options: plain });
    raft.campaign();
    const { write } = raft.ready();
    raft.campaign();
    expect(raft.status()).toMatchObject({ role: 'candidate', term: 5 });

    if (write !== undefined) {
      raft.writeDone(write.ticket);
    }

    expect(raft.status()).toMatchObject({ role: 'candidate', term: 5 });
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

  test('granting a vote restarts the timer in a term that the voter is in already', () => {
    const subject = new Subject({ hardState: { currentTerm: 1 } });
    subject.tick(5);

    expect(subject.voteRequest(2, 1, [9, 1])).toMatchObject([{ isGranted: true }]);

    expect(subject.raft.status().electionElapsed).toBe(0);
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

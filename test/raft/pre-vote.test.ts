/** Pre-vote (Raft thesis §9.6). Ids in titles: `README.md`. */
import { describe, expect, test } from 'vitest';
import type { RaftOptions } from '../../src/raft/index.ts';
import { RaftNetwork } from './network.ts';
import { only, Subject } from './subject.ts';

const plain: Partial<RaftOptions> = { preVote: false, checkQuorum: false };

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
    const subject = new Subject({ terms: [4] });
    subject.raft.campaign();
    subject.drain();

    for (const from of [2, 3]) {
      expect(subject.raft.role).toBe('preCandidate');
      subject.receive({ type: 'PreVoteResponse', from, to: 1, term: 4, isGranted: false });
    }

    expect(subject.raft.status()).toMatchObject({ role: 'follower', term: 4, votedFor: 0 });
  });

  test('B05: a majority of grants starts the election in the next term', () => {
    const subject = new Subject({ terms: [4] });
    subject.raft.campaign();
    subject.drain();

    const grant = { type: 'PreVoteResponse', from: 2, to: 1, term: 5, isGranted: true } as const;
    const sent = subject.receive(grant);

    expect(only(sent, 'RequestVote')).toMatchObject([{ term: 5 }, { term: 5 }]);
    expect(subject.raft.status()).toMatchObject({ role: 'candidate', term: 5, votedFor: 1 });
  });

  test('B05: a grant for another term than the one campaigned for does not count', () => {
    const subject = new Subject({ terms: [4] });
    subject.raft.campaign();
    subject.drain();

    for (const term of [4, 6]) {
      subject.receive({ type: 'PreVoteResponse', from: 2, to: 1, term, isGranted: true });
    }

    expect(subject.raft.status()).toMatchObject({ role: 'preCandidate', term: 4 });
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
    expect([1, 2].map((id) => network.raft(id).role)).toEqual(['candidate', 'candidate']);

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

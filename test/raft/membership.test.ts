/**
 * Changes of the membership: one voter at a time, and through a joint configuration (Raft thesis
 * §4.1, §4.3). Ids in titles: `README.md`.
 */
import { describe, expect, test } from 'vitest';
import type { Configuration, Message, Raft } from '../../src/raft/index.ts';
import { encodeConfiguration, isJoint } from '../../src/raft/index.ts';
import { RaftNetwork } from './network.ts';
import { bytesOf, only, settledLeader, Subject, type SubjectOptions } from './subject.ts';

/** A cluster of `size` with a leader, and `spares` that are no members. */
function cluster(size: number, spares: number, seed = 1): RaftNetwork {
  const network = new RaftNetwork(size, { strictReconfigCheck: false }, seed, [], spares);
  network.elect(1);
  return network;
}

function tickAll(network: RaftNetwork, count: number): void {
  for (let i = 0; i < count; i++) {
    for (const { id } of network.nodes) {
      network.tick(id);
    }
    network.settle();
  }
}

/** Changes the membership and lets it take effect. */
function change(
  network: RaftNetwork,
  voters: readonly number[],
  learners: readonly number[] = [],
): ReturnType<Raft['proposeConfChange']> {
  // A change is refused unless the leader knows that those who shall vote are up.
  tickAll(network, 1);
  const result = network.change(network.leader, voters, learners);
  network.settle();
  return result;
}

function isTo(id: number): (message: Message) => boolean {
  return (message) => message.to === id;
}

function propose(
  subject: Subject,
  voters: readonly number[],
  learners: readonly number[] = [],
): ReturnType<Raft['proposeConfChange']> {
  const baseIndex = subject.raft.configuration.index;
  return subject.raft.proposeConfChange({ baseIndex, voters, learners, data: bytesOf('m') }, 1);
}

/** A leader of three whose followers have just been heard. */
function leaderOfThree(start: SubjectOptions = {}): Subject {
  const subject = new Subject(start);
  subject.lead();
  for (const { id } of [{ id: 2 }, { id: 3 }]) {
    subject.accept(id);
  }
  return subject;
}

function reasonOf(result: ReturnType<Raft['proposeConfChange']>): string {
  return result.kind === 'dropped' ? result.reason : result.kind;
}

function votersOf({ configuration }: { readonly configuration: Configuration }): readonly number[] {
  return configuration.confState.voters;
}

describe('A change of one voter', () => {
  test('L01: counts from the moment it is in the log, on the leader and on followers', () => {
    const network = cluster(3, 1);
    tickAll(network, 1);

    network.change(1, [1, 2, 3, 4]);
    expect(votersOf(network.raft(1))).toEqual([1, 2, 3, 4]);
    expect(network.raft(1).configuration.index).toBeGreaterThan(network.raft(1).commitIndex);
    network.settle(isTo(4));

    expect(votersOf(network.raft(2))).toEqual([1, 2, 3, 4]);
  });

  test('L02: while one is under way the next is refused, and the first one stands', () => {
    const subject = leaderOfThree();

    expect(reasonOf(propose(subject, [1, 2]))).toBe('appended');
    expect(reasonOf(propose(subject, [1, 3]))).toBe('conf-pending');
    subject.drain();
    subject.accept(2);

    expect(votersOf(subject.raft)).toEqual([1, 2]);
    expect(reasonOf(propose(subject, [1]))).toBe('appended');
  });

  test('the next is refused while a joint configuration stays in force, committed or not', () => {
    const subject = leaderOfThree({ conf: { votersOutgoing: [2, 3, 4] } });
    expect(subject.raft.commitIndex).toBe(1);

    expect(reasonOf(propose(subject, [1, 2]))).toBe('conf-pending');
  });

  test('L03: a new leader begins none before it has committed an entry of its term', () => {
    const subject = new Subject();
    subject.lead();

    expect(reasonOf(propose(subject, [1, 2]))).toBe('conf-pending');
    subject.accept(2);
    subject.accept(3);

    expect(reasonOf(propose(subject, [1, 2]))).toBe('appended');
  });

  test('L03: one that was worked out against an older configuration is refused', () => {
    const subject = leaderOfThree();
    propose(subject, [1, 2]);
    subject.drain();
    subject.accept(2);
    const stale = { baseIndex: 0, voters: [1, 3], learners: [], data: bytesOf('m') };

    expect(reasonOf(subject.raft.proposeConfChange(stale, 1))).toBe('conf-stale');
  });

  test.each([
    ['no voter', [], [1]],
    ['a voter that learns too', [1, 2, 3], [3]],
    ['voters out of order', [2, 1, 3], []],
    ['more than 64 members', Array.from({ length: 64 }, (_, i) => i + 1), []],
  ])('L05, M06: a configuration with %s is refused', (_, voters, learners) => {
    expect(reasonOf(propose(leaderOfThree(), voters, learners))).toBe('conf-invalid');
  });

  test('L05: the only voter stays', () => {
    const subject = new Subject({ size: 1 });
    subject.lead();

    expect(reasonOf(propose(subject, []))).toBe('conf-invalid');
  });

  test('L06, L12: a change that leaves all parts as they are is only new data', () => {
    const subject = leaderOfThree();

    expect(reasonOf(propose(subject, [1, 2, 3]))).toBe('appended');
    subject.drain();
    subject.accept(2);

    expect(subject.raft.configuration.confState).toEqual(
      new Subject().raft.configuration.confState,
    );
    expect(subject.raft.configuration.context).toEqual(bytesOf('m'));
  });

  test('a smaller majority that has echoed a read already answers it at once', () => {
    const subject = new Subject({ size: 2, options: { strictReconfigCheck: false } });
    subject.lead();
    subject.accept(2);
    subject.raft.readIndex(9);
    expect(subject.raft.ready().readStates).toEqual([]);
    const { index: baseIndex } = subject.raft.configuration;
    const proposal = { baseIndex, voters: [1], learners: [], data: bytesOf('x') };

    expect(subject.raft.proposeConfChange(proposal, 1).kind).toBe('appended');

    expect(subject.raft.ready().readStates).toEqual([{ context: 9, index: 1 }]);
  });

  test('L07: a smaller majority commits what waits, once the change is on its disk', () => {
    const network = cluster(4, 0);
    const isLost = ({ to }: Message): boolean => to > 2;
    tickAll(network, 1);
    network.raft(1).propose([bytesOf('x')], 1);
    network.settle(isLost);
    const before = network.raft(1).commitIndex;

    network.change(1, [1, 2, 3]);
    network.settle(isLost);

    expect(network.raft(1).commitIndex).toBe(before + 2);
  });

  test('L08, Q06: a leader that removes itself does not count itself for what follows', () => {
    const subject = leaderOfThree();
    propose(subject, [2, 3]);
    subject.drain();
    const before = subject.raft.commitIndex;

    subject.accept(2);
    expect(subject.raft.commitIndex).toBe(before);
    subject.accept(3);

    expect(subject.raft.commitIndex).toBe(before + 1);
  });

  test('L09, H05: a removed leader hands over, takes nothing any more, and never campaigns', () => {
    const network = cluster(3, 0);

    change(network, [2, 3]);
    expect([2, 3]).toContain(network.leader);
    expect(network.raft(1).role).toBe('follower');
    network.crash(network.leader);
    const { term } = network.raft(1);
    for (let i = 0; i < 100; i++) {
      network.tick(1);
    }

    expect(network.raft(1).propose([bytesOf('x')], 1).kind).not.toBe('appended');
    expect([network.raft(1).role, network.raft(1).term]).toEqual(['follower', term]);
  });

  test('L10: a new member is sent to at once, not with the next heartbeat', () => {
    const subject = leaderOfThree();

    propose(subject, [1, 2, 3, 4]);

    expect(only(subject.drain(), 'AppendEntries').map(({ to }) => to)).toContain(4);
  });

  test('C09: a voter that was just added has an election timeout to be heard of', () => {
    const subject = leaderOfThree({ size: 1, options: { strictReconfigCheck: false } });
    subject.tick(9);
    propose(subject, [1, 2]);
    subject.drain();

    subject.tick(1);
    expect(subject.raft.role).toBe('leader');
    subject.tick(10);

    expect(subject.raft.role).toBe('follower');
  });

  test('K09: a transfer to a voter that leaves is given up', () => {
    const subject = leaderOfThree({ size: 5 });
    subject.accept(4);
    subject.accept(5);
    // Voter 3 becomes a learner by way of a joint configuration.
    propose(subject, [1, 2, 4, 6], [3]);
    subject.drain();
    subject.raft.transferLeader(3);
    subject.raft.ready();

    for (const from of [2, 4, 5]) {
      subject.accept(from);
    }

    expect(isJoint(subject.raft.configuration.confState)).toBe(false);
    expect(subject.raft.status().transferTarget).toBe(0);
  });

  test('K09: a change waits while leadership is handed over', () => {
    const subject = leaderOfThree();
    subject.raft.transferLeader(2);

    expect(reasonOf(propose(subject, [1, 3]))).toBe('transferring');
  });

  test('M18: late messages of a removed member are ignored', () => {
    const network = cluster(3, 0);
    change(network, [1, 2]);
    const before = network.raft(1).status();
    const { term } = before;

    const head = { from: 3, to: 1, term } as const;
    network.deliver({ type: 'HeartbeatResponse', ...head, readRound: 9 });
    const answer = { isRejected: true, index: 1, hintIndex: 0, hintTerm: 0 };
    network.deliver({ type: 'AppendEntriesResponse', ...head, ...answer });

    expect(network.raft(1).status()).toEqual(before);
    expect(network.messages).toEqual([]);
  });

  test('a change at a follower is passed on, and a refusal comes back as an event', () => {
    const network = cluster(3, 0);
    tickAll(network, 1);

    expect(network.change(2, [1, 2]).kind).toBe('forwarded');
    network.settle();
    expect(votersOf(network.raft(2))).toEqual([1, 2]);
    network.change(2, []);
    network.settle();

    expect(network.node(2).rejectedContexts).toEqual([1]);
  });

  test('a change of an earlier term, or at a node without a leader, is refused', () => {
    const network = cluster(3, 0);
    const base = { baseIndex: 0, voters: [1, 2], learners: [], data: bytesOf('m') };
    network.deliver({
      ...{ type: 'ProposeConfChange', from: 2, to: 1, term: 1, context: 8 },
      ...base,
      baseIndex: 99,
    });
    network.raft(1).transferLeader(2);
    network.settle();
    network.deliver({ type: 'ProposeConfChange', from: 3, to: 1, term: 1, context: 9, ...base });
    network.settle();

    expect(network.node(2).rejectedContexts).toEqual([8]);
    expect(network.node(3).rejectedContexts).toEqual([9]);
    expect(reasonOf(new Subject().raft.proposeConfChange(base, 1))).toBe('no-leader');
  });

  test('a change that would leave too few voters that are up is refused', () => {
    const strict = leaderOfThree();
    strict.tick(1);
    strict.heartbeatAnswer(2);
    strict.tick(9);
    strict.heartbeatAnswer(2);
    // Voter 3 has been silent for an election timeout, and nobody knows voter 4.
    strict.tick(1);
    const lax = leaderOfThree({ options: { strictReconfigCheck: false } });

    expect(reasonOf(propose(strict, [1, 2, 3, 4]))).toBe('quorum-at-risk');
    expect(reasonOf(propose(strict, [1, 2]))).toBe('appended');
    expect(reasonOf(propose(lax, [1, 5, 6, 7]))).toBe('appended');
  });

  test('a single voter may get a second one that is not up yet', () => {
    const subject = new Subject({ size: 1 });
    subject.lead();

    expect(reasonOf(propose(subject, [1, 2]))).toBe('appended');
  });
});

describe('A change of several voters', () => {
  test('M12, L04: one that differs by one voter is made at once, another by a joint step', () => {
    const one = leaderOfThree();
    propose(one, [1, 2]);
    const more = leaderOfThree({ options: { strictReconfigCheck: false } });
    propose(more, [1, 4, 5]);

    expect(isJoint(one.raft.configuration.confState)).toBe(false);
    expect(more.raft.configuration.confState).toMatchObject({
      voters: [1, 4, 5],
      votersOutgoing: [1, 2, 3],
    });
  });

  test('M09: the leader leaves the joint configuration by itself, once', () => {
    const network = cluster(3, 2);
    tickAll(network, 1);
    change(network, [1, 4, 5]);
    network.raft(network.leader).propose([bytesOf('x')], 1);
    network.settle();
    tickAll(network, 5);

    const changes = network.committed.filter(({ type }) => type === 'confChange');
    // The first configuration of the cluster, into the joint one, and out of it.
    expect(changes).toHaveLength(3);
    expect(network.raft(4).configuration.confState).toEqual({
      voters: [1, 4, 5],
      votersOutgoing: [],
      learners: [],
      learnersNext: [],
      autoLeave: false,
    });
  });

  test('M09: not before it is committed, though what came before it is', () => {
    const subject = leaderOfThree({ options: { strictReconfigCheck: false } });
    subject.raft.propose([bytesOf('x')], 1);
    propose(subject, [1, 4, 5]);
    subject.drain();

    for (const from of [2, 3, 4, 5]) {
      subject.accept(from, 2);
    }

    expect(subject.raft.commitIndex).toBe(2);
    expect(isJoint(subject.raft.configuration.confState)).toBe(true);
    expect(subject.raft.status().lastIndex).toBe(3);
  });

  test('M05, M11: nothing else is begun before it is left', () => {
    const subject = leaderOfThree({ options: { strictReconfigCheck: false } });
    propose(subject, [1, 4, 5]);
    subject.drain();

    expect(reasonOf(propose(subject, [1, 2]))).toBe('conf-pending');
    expect(reasonOf(propose(subject, [1, 6, 7]))).toBe('conf-pending');
  });

  test('M07: a voter that shall learn stays in the old half, its progress kept', () => {
    const subject = leaderOfThree({ options: { strictReconfigCheck: false } });
    propose(subject, [1, 4], [2, 3]);
    subject.drain();
    expect(subject.raft.configuration.confState).toMatchObject({
      voters: [1, 4],
      votersOutgoing: [1, 2, 3],
      learners: [],
      learnersNext: [2, 3],
    });

    subject.accept(2);
    subject.accept(4);

    const { configuration, progress } = subject.raft.status();
    expect(configuration.confState).toMatchObject({ voters: [1, 4], learners: [2, 3] });
    expect(progress.get(2)).toMatchObject({ state: 'replicate' });
    expect(progress.get(2)?.matchIndex).toBeGreaterThan(1);
  });

  test('M08: members of the old half alone are forgotten when it is left', () => {
    const subject = leaderOfThree({ options: { strictReconfigCheck: false } });
    propose(subject, [1, 4, 5], [3]);
    subject.drain();
    expect([...subject.raft.status().progress.keys()]).toEqual([2, 3, 4, 5]);

    for (const from of [2, 4]) {
      subject.accept(from);
    }

    expect([...subject.raft.status().progress.keys()].sort()).toEqual([3, 4, 5]);
  });

  test('M10, Q06: a leader that finds the cluster joint leaves it', () => {
    const network = cluster(3, 2);
    tickAll(network, 1);
    network.change(1, [1, 4, 5]);
    // All have the joint configuration; then the leader is gone before it can leave it.
    network.settle((message) => message.to === 1 && message.type === 'AppendEntriesResponse');
    expect(isJoint(network.raft(2).configuration.confState)).toBe(true);
    network.crash(1);

    for (const { id } of network.nodes) {
      network.node(id).raft.tick();
    }
    tickAll(network, 40);

    expect(network.leader).not.toBe(0);
    expect(network.configuration?.confState).toMatchObject({
      voters: [1, 4, 5],
      votersOutgoing: [],
    });
  });

  test('M13: a leader that is replaced may hand over to its successor while joint', () => {
    const network = cluster(3, 1);
    change(network, [1, 2, 3], [4]);
    tickAll(network, 1);
    network.change(1, [2, 3, 4]);
    network.settle((message) => message.to === 1 && message.type === 'AppendEntriesResponse');
    expect(isJoint(network.raft(4).configuration.confState)).toBe(true);

    network.elect(4);
    network.raft(4).campaign();
    tickAll(network, 30);
    network.raft(1).campaign();
    network.settle();

    expect(network.leader).not.toBe(1);
    expect(votersOf(network.raft(4))).toEqual([2, 3, 4]);
    expect(network.raft(1).role).toBe('follower');
  });

  test('M14: without a transfer the replaced leader steps down when the joint one is left', () => {
    const network = cluster(3, 1);
    change(network, [1, 2, 3], [4]);

    change(network, [2, 3, 4]);

    expect([2, 3, 4]).toContain(network.leader);
    expect(network.raft(1).role).toBe('follower');
  });

  test('M16: a chain of single changes and one joint change end in the same configuration', () => {
    const chain = cluster(3, 2);
    change(chain, [1, 2, 3, 4]);
    change(chain, [1, 2, 4]);
    change(chain, [1, 2, 4, 5]);
    change(chain, [1, 4, 5]);
    const joint = cluster(3, 2);
    tickAll(joint, 1);
    change(joint, [1, 4, 5]);

    expect(chain.raft(4).configuration.confState).toEqual(joint.raft(4).configuration.confState);
  });

  test('L13: who is a learner in one change and a voter in the next keeps its progress', () => {
    const network = cluster(3, 0);
    change(network, [1, 2], [3]);
    const { matchIndex = 0 } = network.raft(1).status().progress.get(3) ?? {};
    change(network, [1, 2, 3]);

    const peer = network.raft(1).status().progress.get(3);
    expect(peer?.state).toBe('replicate');
    expect(peer?.matchIndex).toBeGreaterThan(matchIndex);
  });
});

describe('Learners that come and go', () => {
  test('N04: a learner that is promoted campaigns and leads', () => {
    const network = cluster(3, 1);
    change(network, [1, 2, 3], [4]);
    change(network, [1, 2, 3, 4]);
    tickAll(network, 1);

    network.raft(1).transferLeader(4);
    network.settle();

    expect(network.leader).toBe(4);
  });

  test('N06: a voter becomes a learner and a voter again', () => {
    const network = cluster(3, 0);

    change(network, [1, 2], [3]);
    expect(network.raft(3).configuration.confState).toMatchObject({ learners: [3] });
    change(network, [1, 2, 3]);

    expect(network.raft(3).configuration.confState).toMatchObject({ voters: [1, 2, 3] });
  });

  test('a learner that lags behind, or is not heard of, does not become a voter', () => {
    const subject = leaderOfThree({ conf: { learners: [4] }, options: { promotionLagMax: 2 } });
    expect(reasonOf(propose(subject, [1, 2, 3, 4]))).toBe('learner-not-ready');
    subject.raft.propose(['a', 'b', 'c', 'd'].map(bytesOf), 1);
    subject.drain();
    subject.accept(2);

    subject.accept(4, 2);
    expect(reasonOf(propose(subject, [1, 2, 3, 4]))).toBe('learner-not-ready');
    subject.accept(4, 3);

    expect(reasonOf(propose(subject, [1, 2, 3, 4]))).toBe('appended');
  });
});

describe('The configuration of a restarted node', () => {
  test('P08: what its state holds and what its log adds make the newest one', () => {
    const network = cluster(3, 1);
    change(network, [1, 2, 3, 4]);
    const { configuration } = network.raft(2);

    for (const applied of [Number.POSITIVE_INFINITY, 1]) {
      network.crash(2);
      network.restart(2, applied);
      expect(network.raft(2).configuration).toEqual(configuration);
    }
  });

  test('P08: a stored configuration that cannot be read stops the node', () => {
    const subject = settledLeader();
    const data = encodeConfiguration(subject.raft.configuration).slice(0, 20);
    const follower = new Subject({ id: 2 });

    expect(() => {
      follower.raft.step({
        ...{ type: 'AppendEntries', from: 1, to: 2, term: 1, commitIndex: 0 },
        ...{ prevLogIndex: 0, prevLogTerm: 0 },
        entries: [{ term: 1, index: 1, type: 'confChange', data }],
      });
    }).toThrow('as many ids as it says');
  });
});

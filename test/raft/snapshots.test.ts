/** Compacted logs, and nodes that catch up by snapshots. Ids in titles: `README.md`. */
import { describe, expect, test } from 'vitest';
import { must } from '../../src/base/index.ts';
import { RaftNetwork } from './network.ts';
import {
  bytesOf,
  entriesOf,
  entry,
  leaderLoadingFor3,
  only,
  proposeText,
  settledLeader,
  snapshotAt,
  Subject,
} from './subject.ts';

/** A leader of 1, 2 and 3 at term 2 whose log begins after entry 5. */
function compactedLeader(): Subject {
  const subject = new Subject({ terms: [1, 1, 1, 1, 1], snapshotIndex: 5 });
  subject.lead();
  return subject;
}

/** What the leader above sends to an empty follower 3 that has refused its first append. */
function offered(subject: Subject): ReturnType<Subject['refuse']> {
  return subject.refuse(3, 5, 0, 0);
}

/** Whom a leader whose log begins after entry 3 names in three offers to an empty peer 4. */
function sourcesFor4(subject: Subject): readonly number[] {
  const sent = [
    ...subject.refuse(4, 3, 0, 0),
    ...subject.heartbeatAnswer(4),
    ...subject.heartbeatAnswer(4),
  ];
  return only(sent, 'InstallSnapshot').map(({ source }) => source);
}

function cluster(entries: number, away: number): RaftNetwork {
  const network = new RaftNetwork(3);
  network.elect(1);
  network.crash(away);
  for (let i = 0; i < entries; i++) {
    network.raft(1).propose([bytesOf('x')], 1);
    network.settle();
  }
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

describe('A leader', () => {
  test('I01: offers a snapshot to a follower whose next entry is compacted', () => {
    const subject = compactedLeader();

    const sent = offered(subject);

    expect(only(sent, 'InstallSnapshot')).toMatchObject([{ to: 3, index: 5 }]);
    expect(only(sent, 'AppendEntries')).toEqual([]);
    expect(subject.raft.status().progress.get(3)).toMatchObject({ state: 'snapshot' });
  });

  test('I02, I03, I04: offers it again only when the follower answers a heartbeat', () => {
    const subject = compactedLeader();
    offered(subject);

    expect(only(subject.tick(5), 'InstallSnapshot')).toEqual([]);
    expect(only(subject.heartbeatAnswer(3), 'InstallSnapshot')).toMatchObject([{ to: 3 }]);
    expect(only(subject.tick(1), 'InstallSnapshot')).toEqual([]);
  });

  test('the snapshot offered is of a member that can be spared, and in turn its own', () => {
    const subject = new Subject({ terms: [1, 1, 1], snapshotIndex: 3, size: 4 });
    subject.lead();
    subject.accept(2);
    subject.accept(3);
    // Of four voters three decide: nobody can be spared.
    expect(sourcesFor4(subject)).toEqual([1, 1, 1]);

    const spare = new Subject({
      ...{ terms: [1, 1, 1], snapshotIndex: 3 },
      conf: { voters: [1, 2, 3], learners: [4] },
    });
    spare.lead();
    spare.accept(2);
    spare.accept(3);

    expect(sourcesFor4(spare)).toEqual([2, 1, 2]);
  });

  test('an offer to a peer that is not up takes no turn: the next names the spare again', () => {
    const subject = new Subject({
      ...{ terms: [1, 1, 1], snapshotIndex: 3 },
      conf: { voters: [1, 2, 3], learners: [4] },
    });
    subject.lead();
    subject.accept(2);
    subject.accept(3);
    proposeText(subject, 'x');
    subject.drain();
    subject.accept(2);
    subject.raft.compact(subject.raft.status().commitIndex);
    const lost = only(subject.accept(3), 'InstallSnapshot');

    const heard = [...subject.heartbeatAnswer(4), ...subject.heartbeatAnswer(4)];

    const sources = [...lost, ...only(heard, 'InstallSnapshot')].map(({ source }) => source);
    expect(sources).toEqual([2, 2, 1]);
  });

  test('the snapshot is not that of a member which is behind, or silent', () => {
    const subject = new Subject({
      ...{ terms: [1, 1, 1], snapshotIndex: 3 },
      conf: { voters: [1, 2, 3], learners: [4, 5] },
    });
    subject.lead();
    subject.accept(2);
    // 3 has not answered yet, so 2 is needed; 5 is behind as 4 is.
    subject.refuse(5, 3, 0, 0);

    const [offer] = only(subject.refuse(4, 3, 0, 0), 'InstallSnapshot');

    expect(offer).toMatchObject({ to: 4, source: 1 });
  });

  test('G03: sends no append to a follower that is to fetch a snapshot', () => {
    const subject = compactedLeader();
    offered(subject);

    proposeText(subject, 'x', 'y');

    expect(only(subject.drain(), 'AppendEntries').map(({ to }) => to)).not.toContain(3);
  });

  test('I05, I06, I15: streams again as soon as the follower is where the log goes on', () => {
    const subject = compactedLeader();
    offered(subject);
    proposeText(subject, 'x');
    subject.drain();

    const sent = subject.accept(3, 5);

    expect(subject.raft.status().progress.get(3)).toMatchObject({ state: 'replicate' });
    expect(only(sent, 'AppendEntries')).toMatchObject([
      { to: 3, prevLogIndex: 5, entries: [{ index: 6 }, { index: 7 }] },
    ]);
  });

  test('I06: an answer from before where the log begins does not end the snapshot', () => {
    const subject = compactedLeader();
    offered(subject);

    const sent = subject.accept(3, 4);

    expect(only(sent, 'AppendEntries')).toEqual([]);
    expect(only(sent, 'InstallSnapshot')).toEqual([]);

    expect(subject.raft.status().progress.get(3)).toMatchObject({
      state: 'snapshot',
      matchIndex: 4,
    });
  });

  test('G12: match stays below next while a snapshot is fetched', () => {
    const subject = compactedLeader();
    offered(subject);
    const { matchIndex = 1, nextIndex = 0 } = subject.raft.status().progress.get(3) ?? {};

    expect(matchIndex).toBeLessThan(nextIndex);
    expect(nextIndex).toBeLessThanOrEqual(subject.raft.status().snapshotIndex);
  });

  test('K03: hands over to a follower that needs a snapshot once it has it, not before', () => {
    const network = cluster(5, 3);
    network.compact(1);
    network.restart(3);
    network.raft(1).transferLeader(3);
    network.settle(({ to }) => to === 3);
    expect(network.leader).toBe(1);

    // Within the election timeout that a transfer may take.
    tickAll(network, 3);

    expect(network.installs).toBe(1);
    expect(network.leader).toBe(3);
  });

  test('entries that were being loaded when they were compacted are not sent', () => {
    const subject = leaderLoadingFor3();

    subject.raft.compact(2);
    subject.raft.entriesLoaded(1, [entry(2, 1, 'x')]);

    const sent = subject.drain();
    expect(only(sent, 'AppendEntries').filter(({ to }) => to === 3)).toEqual([]);
    expect(only(sent, 'InstallSnapshot')).toMatchObject([{ to: 3, index: 2 }]);
  });
});

describe('A follower', () => {
  test('an offer makes it ask its host for a snapshot of the one it names, once per offer', () => {
    const subject = new Subject({ id: 2 });
    subject.raft.step({ type: 'InstallSnapshot', from: 1, to: 2, term: 1, index: 5, source: 3 });

    const ready = subject.raft.ready();

    expect(ready.snapshotRequest).toEqual({ from: 3, minIndex: 5 });
    expect(subject.raft.ready().snapshotRequest).toBeUndefined();
  });

  test('I07, O08: a snapshot becomes its log, commit index and members, and it says so', () => {
    const subject = new Subject({ id: 2, terms: [1, 1] });
    subject.heartbeat(1, 2);

    expect(subject.raft.installSnapshot(snapshotAt(7, 2, { voters: [1, 2, 4] }), 2)).toBe(true);
    const before = subject.raft.ready();
    expect(before.write).toMatchObject({
      install: { index: 7, term: 2 },
      hardState: { currentTerm: 2, commitIndex: 7 },
      entries: [],
      mustSync: true,
    });
    expect(only(before.messages, 'AppendEntriesResponse')).toEqual([]);

    expect(before.write?.messages).toMatchObject([{ to: 1, isRejected: false, index: 7 }]);
    expect(subject.raft.status()).toMatchObject({
      snapshotIndex: 7,
      lastIndex: 7,
      lastTerm: 2,
      commitIndex: 7,
      appliedIndex: 7,
    });
    expect(subject.raft.configuration.confState.voters).toEqual([1, 2, 4]);
  });

  test('I08: a snapshot below its commit index is refused, its offer answered', () => {
    const subject = new Subject({ id: 2, terms: [1, 1, 1], hardState: { commitIndex: 3 } });

    const sent = subject.receive({
      type: 'InstallSnapshot',
      from: 1,
      to: 2,
      term: 1,
      index: 2,
      source: 1,
    });

    expect(only(sent, 'AppendEntriesResponse')).toMatchObject([{ isRejected: false, index: 3 }]);
    expect(subject.raft.installSnapshot(snapshotAt(3, 1), 1)).toBe(false);
  });

  test('I09: one whose last entry it has moves the commit index and leaves the log', () => {
    const subject = new Subject({ id: 2, terms: [1, 1, 1] });

    expect(subject.raft.installSnapshot(snapshotAt(2, 1), 1)).toBe(false);

    expect(subject.raft.status()).toMatchObject({ commitIndex: 2, lastIndex: 3, snapshotIndex: 0 });
  });

  test('A24, I10: it does not lead by a snapshot that is not in place yet', () => {
    const subject = new Subject({ id: 2, terms: [1, 1] });
    subject.heartbeat(1, 2);
    subject.raft.installSnapshot(snapshotAt(7, 2), 2);

    subject.raft.campaign();
    const { messages, write } = subject.raft.ready();

    // The request speaks of the snapshot, and a real vote waits for the same disk.
    expect(only(messages, 'PreVote')).toMatchObject([{ lastIndex: 7 }, { lastIndex: 7 }]);
    expect(write?.install).toMatchObject({ index: 7 });
  });

  test.each([
    ['learners', { voters: [1, 3], learners: [2] }],
    ['both halves of a joint one', { voters: [1, 3, 4], votersOutgoing: [1, 2, 3] }],
    ['learners to be', { voters: [1, 3], votersOutgoing: [1, 2, 3], learnersNext: [2] }],
    ['itself left out', { voters: [1, 3, 4] }],
  ])('I11, I12, I13, M15: it takes over a configuration with %s as it is', (_, conf) => {
    const subject = new Subject({ id: 2 });
    subject.heartbeat(1, 2);
    const position = snapshotAt(7, 2, conf);

    subject.raft.installSnapshot(position, position.term);

    expect(subject.raft.configuration).toEqual(position.configuration);
    expect(subject.raft.ready().configuration).toEqual(position.configuration);
  });

  test('F09: an append before the snapshot is answered with the commit index', () => {
    const subject = new Subject({ id: 2, terms: [1, 1, 1, 1], snapshotIndex: 3 });

    const [answer] = subject.append(1, 1, [1, 1], [1], 2);

    expect(answer).toMatchObject({ isRejected: false, index: 3 });
  });

  test('I17: a snapshot older than its log is of no use, whoever brings it', () => {
    const subject = new Subject({ id: 2, terms: [1, 1, 1, 1], snapshotIndex: 3 });

    expect(subject.raft.installSnapshot(snapshotAt(2, 1), 1)).toBe(false);
    expect(subject.raft.hasReady()).toBe(false);
  });

  test('I18, Q07: entries that overtake the snapshot are written after it', () => {
    const subject = new Subject({ id: 2 });
    subject.heartbeat(1, 2);
    subject.raft.installSnapshot(snapshotAt(7, 2), 2);
    subject.raft.step({
      ...{ type: 'AppendEntries', from: 1, to: 2, term: 2, prevLogIndex: 7, prevLogTerm: 2 },
      ...{ commitIndex: 8, entries: [entry(8, 2, 'x')] },
    });

    const first = subject.raft.ready();
    expect(first.write).toMatchObject({ install: { index: 7 }, entries: [] });
    expect(first.committedEntries).toEqual([]);
    if (first.write !== undefined) {
      subject.raft.writeDone(first.write.ticket);
    }
    expect(subject.raft.ready().write).toMatchObject({ entries: [{ index: 8 }] });
  });

  test('I18, O01, Q07: entries that overtake the snapshot are acknowledged once written', () => {
    const subject = new Subject({ id: 2 });
    subject.heartbeat(1, 2);
    subject.raft.installSnapshot(snapshotAt(7, 2), 2);
    subject.raft.step({
      ...{ type: 'AppendEntries', from: 1, to: 2, term: 2, prevLogIndex: 7, prevLogTerm: 2 },
      ...{ commitIndex: 7, entries: [entry(8, 2, 'x')] },
    });

    const { write: first } = subject.raft.ready();
    expect(first).toMatchObject({ install: { index: 7 }, messages: [] });
    subject.raft.writeDone(must(first, 'a write').ticket);

    const { write: second } = subject.raft.ready();
    expect(second?.entries).toMatchObject([{ index: 8 }]);
    expect(second?.messages.at(-1)).toMatchObject({ type: 'AppendEntriesResponse', index: 8 });
  });

  test('a crash between the snapshot and what overtook it leaves a node that starts', () => {
    const subject = new Subject({ id: 2 });
    subject.heartbeat(1, 2);
    subject.raft.installSnapshot(snapshotAt(7, 2), 2);
    subject.raft.step({
      ...{ type: 'AppendEntries', from: 1, to: 2, term: 2, prevLogIndex: 7, prevLogTerm: 2 },
      ...{ commitIndex: 8, entries: [entry(8, 2, 'x')] },
    });

    const { write: first } = subject.raft.ready();
    const { hardState = {} } = must(first, 'a write');
    expect(hardState).toEqual({ currentTerm: 2, votedFor: 0, commitIndex: 7 });
    const terms = [2, 2, 2, 2, 2, 2, 2];
    expect(() => new Subject({ id: 2, terms, snapshotIndex: 7, hardState })).not.toThrow();
    subject.raft.writeDone(must(first, 'a write').ticket);
    const { write: second } = subject.raft.ready();

    // The commit index that came with the entry is written with it.
    expect(second).toMatchObject({ entries: [{ index: 8 }], hardState: { commitIndex: 8 } });
  });

  test('Q07: a snapshot of a later term than its own brings it to that term, leaderless', () => {
    const subject = new Subject({ id: 2 });
    subject.heartbeat(1, 2);

    subject.raft.installSnapshot(snapshotAt(7, 5), 5);

    expect(subject.raft.status()).toMatchObject({ term: 5, leader: 0, lastTerm: 5 });
    expect(only(subject.drain(), 'AppendEntriesResponse')).toEqual([]);
  });

  test('the term in which a snapshot was made counts: an older leader hears nothing of it', () => {
    // Entry 7 of term 1 was committed by a leader of term 4, which 1, leading in term 2, may not
    // have heard of: it must not take 7 for an entry of its own.
    const subject = new Subject({ id: 2 });
    subject.heartbeat(1, 2);

    expect(subject.raft.installSnapshot(snapshotAt(7, 1), 4)).toBe(true);

    expect(subject.raft.status()).toMatchObject({ term: 4, leader: 0, commitIndex: 7 });
    const sent = [
      ...subject.drain(),
      ...subject.receive({
        ...{ type: 'AppendEntries', from: 1, to: 2, term: 2, prevLogIndex: 2, prevLogTerm: 2 },
        ...{ commitIndex: 2, entries: [entry(3, 2, 'x')] },
      }),
    ];
    expect(only(sent, 'AppendEntriesResponse').filter(({ isRejected }) => !isRejected)).toEqual([]);
    expect(sent.filter(({ to, term }) => to === 1 && term === 2)).toEqual([]);
  });

  test('a leader that fetches what a later term has committed leads no more', () => {
    const subject = settledLeader();

    expect(subject.raft.installSnapshot(snapshotAt(7, 1), 4)).toBe(true);

    expect(subject.raft.status()).toMatchObject({ term: 4, role: 'follower', commitIndex: 7 });
  });

  test('a write that was out when the snapshot came vouches for nothing', () => {
    const subject = new Subject({ id: 2 });
    subject.raft.step({
      ...{ type: 'AppendEntries', from: 1, to: 2, term: 1, prevLogIndex: 0, prevLogTerm: 0 },
      ...{ commitIndex: 0, entries: entriesOf([1, 1, 1, 1, 1, 1, 1, 1, 1]) },
    });
    const { write } = subject.raft.ready();
    subject.raft.step({ type: 'Heartbeat', from: 1, to: 2, term: 2, commitIndex: 0, readRound: 0 });

    subject.raft.installSnapshot(snapshotAt(7, 2), 2);
    subject.raft.step({
      ...{ type: 'AppendEntries', from: 1, to: 2, term: 2, prevLogIndex: 7, prevLogTerm: 2 },
      ...{ commitIndex: 7, entries: [entry(8, 2)] },
    });
    if (write !== undefined) {
      subject.raft.writeDone(write.ticket);
    }

    expect(subject.raft.status()).toMatchObject({ stableIndex: 7, lastIndex: 8 });
    expect(subject.raft.ready().write).toMatchObject({ install: { index: 7 } });
  });
});

describe('A cluster', () => {
  test('I14: who was away for long gets one snapshot and the entries after it', () => {
    const network = cluster(100, 3);
    network.compact(1, 90);
    network.compact(2, 90);
    network.restart(3);

    tickAll(network, 3);

    expect(network.installs).toBe(1);
    expect(network.node(3).applied).toHaveLength(101);
  });

  test('I14: who was away for short gets entries from a log that keeps a margin', () => {
    const network = cluster(100, 3);
    network.compact(1, 1);
    network.restart(3);

    tickAll(network, 3);

    expect(network.installs).toBe(0);
    expect(network.node(3).applied).toHaveLength(101);
  });

  test('N05: a learner without any log is brought in by a snapshot', () => {
    const network = new RaftNetwork(3, {}, 1, [], 1);
    network.elect(1);
    network.raft(1).propose([bytesOf('x')], 1);
    network.settle();
    network.compact(1);
    tickAll(network, 1);
    network.change(1, [1, 2, 3], [4]);

    tickAll(network, 3);

    expect(network.installs).toBe(1);
    expect(network.raft(4).configuration).toEqual(network.raft(1).configuration);
  });

  test('P02: a restart after a snapshot hands out what follows it, and nothing twice', () => {
    const network = cluster(5, 3);
    network.compact(2, 4);
    network.crash(2);

    network.restart(2, 0);
    tickAll(network, 2);

    expect(network.node(2).applied).toEqual(network.node(1).applied);
  });
});

describe('A snapshot that comes at another time than it was asked for', () => {
  test('makes a follower of a pre-candidate: its campaign was for the log that is gone', () => {
    const subject = new Subject({ id: 2, terms: [1, 1] });
    subject.raft.campaign();
    expect(subject.raft.role).toBe('preCandidate');

    expect(subject.raft.installSnapshot(snapshotAt(7, 1), 1)).toBe(true);

    expect(subject.raft.status()).toMatchObject({ role: 'follower', term: 1, lastIndex: 7 });
  });

  test('commits nothing at a leader, which counts what it has not committed', () => {
    const subject = new Subject({ terms: [1, 1, 1] });
    subject.lead();

    expect(subject.raft.installSnapshot(snapshotAt(2, 1), 1)).toBe(false);

    expect(subject.raft.status()).toMatchObject({ role: 'leader', commitIndex: 0 });
  });

  test('makes entries that were being loaded to be applied worth nothing', () => {
    const subject = new Subject({ id: 2, terms: [1, 1, 1, 1], hardState: { commitIndex: 4 } });
    const [load] = subject.raft.ready().loads;
    expect(load).toMatchObject({ lo: 1 });

    expect(subject.raft.installSnapshot(snapshotAt(7, 2), 2)).toBe(true);
    subject.raft.entriesLoaded(load?.id ?? 0, subject.stored.slice(0, 4));
    subject.drain();

    expect(subject.applied).toEqual([]);
    expect(subject.raft.status()).toMatchObject({ appliedIndex: 7 });
  });
});

describe('Compaction', () => {
  test('I16: never passes what is applied, and keeps the term of the last dropped entry', () => {
    const subject = settledLeader();
    proposeText(subject, 'x', 'y');
    subject.drain();
    subject.accept(2);
    proposeText(subject, 'z');
    subject.drain();

    expect(() => {
      subject.raft.compact(4);
    }).toThrow('before it is applied');
    subject.raft.compact(3);
    subject.raft.compact(1);

    expect(subject.raft.status()).toMatchObject({ snapshotIndex: 3, lastIndex: 4, lastTerm: 1 });
    subject.accept(2);
    subject.raft.compact(4);
    expect(subject.raft.status()).toMatchObject({ snapshotIndex: 4, lastIndex: 4, lastTerm: 1 });
  });

  test('a host whose state is damaged gets nothing to apply until it has another one', () => {
    const subject = settledLeader();
    subject.raft.suspendApplying();
    proposeText(subject, 'x');
    subject.drain();
    subject.accept(2);
    expect(subject.raft.status()).toMatchObject({ commitIndex: 2, appliedIndex: 1 });
    const seen = subject.applied.length;

    const { configuration } = subject.raft;
    subject.raft.resumeApplying({ index: 1, term: 1, configuration });
    subject.drain();

    expect(subject.applied.slice(seen)).toMatchObject([{ index: 2 }]);
  });

  test('what is committed while a state is rebuilt waits on disk, and is applied in order', () => {
    const options = { cacheBytesMax: 1000, unappliedBytesMax: 4000, applyingBytesMax: 10 };
    const subject = new Subject({ id: 2, options });
    const { configuration } = subject.raft;
    subject.raft.suspendApplying();
    for (let index = 1; index <= 1000; index++) {
      subject.append(1, 1, [index - 1, Math.min(1, index - 1)], [1], index);
    }
    expect(subject.raft.status()).toMatchObject({ commitIndex: 1000, appliedIndex: 0 });
    expect(subject.raft.status().cacheBytes).toBeLessThanOrEqual(4000);

    subject.raft.resumeApplying({ index: 3, term: 1, configuration });
    subject.drain();

    expect(subject.applied).toEqual(subject.stored.slice(3));
    expect(subject.raft.status()).toMatchObject({ appliedIndex: 1000 });
    expect(subject.raft.status().cacheBytes).toBeLessThanOrEqual(1000);
  });
});

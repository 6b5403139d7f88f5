/** The node as a whole: restart, loads. Ids in titles: `README.md`. */
import { describe, expect, test } from 'vitest';
import { RaftNetwork } from './network.ts';
import { bytesOf, entry, leaderLoadingFor3, only, Subject } from './subject.ts';

describe('Raft', () => {
  test('P04: first members start alike: no entry, no term, the voters they were given', () => {
    const subjects = [1, 2, 3].map((id) => new Subject({ id, conf: { voters: [1, 2, 3] } }));

    expect(subjects.map(({ raft }) => raft.hasReady())).toEqual([false, false, false]);
    for (const { raft } of subjects) {
      expect(raft.status()).toMatchObject({ term: 0, lastIndex: 0, commitIndex: 0, leader: 0 });
    }
  });

  test('P01: a restarted node gives no vote of its term away again', () => {
    const subject = new Subject({ hardState: { currentTerm: 4, votedFor: 3 } });

    expect(subject.voteRequest(2, 4, [9, 4])).toMatchObject([{ isGranted: false }]);
    expect(subject.voteRequest(3, 4, [9, 4])).toMatchObject([{ isGranted: true }]);
  });

  test('P01: a restarted node has the term, vote, commit index and log it stored', () => {
    const network = new RaftNetwork(3);
    network.elect(1);
    network.raft(1).propose([bytesOf('a')], 1);
    network.settle();
    network.tick(2);
    network.settle();
    const { term, votedFor, commitIndex, lastIndex, lastTerm } = network.raft(2).status();
    network.crash(2);

    network.restart(2);

    expect(network.raft(2).status()).toMatchObject({
      ...{ role: 'follower', leader: 0, term, votedFor, commitIndex, lastIndex, lastTerm },
    });
    expect({ term, votedFor, commitIndex }).toEqual({ term: 1, votedFor: 1, commitIndex: 2 });
  });

  test('P02, P05: a restart hands out only committed entries beyond the applied one', () => {
    const subject = new Subject({
      terms: [1, 1, 1, 1],
      hardState: { commitIndex: 3 },
      lastApplied: 1,
    });

    subject.drain();

    expect(subject.applied.map(({ index }) => index)).toEqual([2, 3]);
  });

  test('O05: a restart under a small limit skips no entry', () => {
    const subject = new Subject({
      terms: [1, 1, 1, 1],
      hardState: { commitIndex: 4 },
      options: { applyingBytesMax: 1 },
    });

    subject.drain();

    expect(subject.applied.map(({ index }) => index)).toEqual([1, 2, 3, 4]);
  });

  test('entries that memory has given up are loaded for a follower, one load at a time', () => {
    const subject = new Subject({ terms: [1, 1, 1, 1] });
    subject.lead();
    subject.raft.step({
      type: 'AppendEntriesResponse',
      from: 2,
      to: 1,
      term: 2,
      isRejected: true,
      index: 4,
      hintIndex: 0,
      hintTerm: 0,
    });

    const ready = subject.raft.ready();
    expect(ready.loads).toMatchObject([{ lo: 1, hi: 5 }]);
    expect(subject.raft.ready().loads).toEqual([]);
    subject.answerLoads(ready);

    const [message] = only(subject.drain(), 'AppendEntries');
    expect(message?.entries).toHaveLength(4);
  });

  test('what is loaded while a probe is out waits for its answer', () => {
    const subject = leaderLoadingFor3();

    subject.raft.entriesLoaded(1, [entry(2, 1, 'x')]);
    expect(only(subject.drain(), 'AppendEntries')).toEqual([]);

    const sent = only(subject.accept(3, 1), 'AppendEntries');
    expect(sent).toMatchObject([{ to: 3, prevLogIndex: 1, entries: [{ index: 2 }] }]);
  });

  test('what is loaded and is not what the log has there is not sent', () => {
    const subject = leaderLoadingFor3();
    subject.raft.step({
      ...{ type: 'AppendEntriesResponse', from: 3, to: 1, term: 1, isRejected: false, index: 1 },
      ...{ hintIndex: 0, hintTerm: 0 },
    });

    subject.raft.entriesLoaded(1, [entry(2, 9, 'x')]);

    expect(only(subject.drain(), 'AppendEntries')).toMatchObject([
      { to: 3, prevLogIndex: 1, entries: [{ index: 2, term: 1 }] },
    ]);
  });

  test('what is loaded is not sent to a peer that turns out to have it', () => {
    const subject = leaderLoadingFor3();
    subject.accept(3, 2);

    subject.raft.entriesLoaded(1, [entry(2, 1, 'x')]);

    expect(only(subject.drain(), 'AppendEntries')).toEqual([]);
  });

  test('what is loaded is not sent if it has been compacted meanwhile', () => {
    const subject = leaderLoadingFor3();
    subject.raft.step({
      ...{ type: 'AppendEntriesResponse', from: 3, to: 1, term: 1, isRejected: false, index: 1 },
      ...{ hintIndex: 0, hintTerm: 0 },
    });
    subject.raft.compact(2);

    subject.raft.entriesLoaded(1, [entry(2, 1, 'x')]);

    const sent = subject.drain();
    expect(only(sent, 'AppendEntries')).toEqual([]);
    expect(only(sent, 'InstallSnapshot')).toMatchObject([{ to: 3, index: 2 }]);
  });

  test('a load that is answered after the leadership has ended is ignored', () => {
    const subject = new Subject({ terms: [1, 1] });
    subject.lead();
    subject.raft.step({
      type: 'AppendEntriesResponse',
      from: 2,
      to: 1,
      term: 2,
      isRejected: true,
      index: 2,
      hintIndex: 0,
      hintTerm: 0,
    });
    const ready = subject.raft.ready();
    subject.heartbeat(3, 7);

    subject.answerLoads(ready);

    expect(only(subject.drain(), 'AppendEntries')).toEqual([]);
  });

  test('a load that is answered after the leader has stepped down by itself is ignored', () => {
    const subject = leaderLoadingFor3();
    subject.tick(20);
    expect(subject.raft).toMatchObject({ term: 1, leader: 0 });

    subject.raft.entriesLoaded(1, [entry(2, 1, 'x')]);

    expect(only(subject.drain(), 'AppendEntries')).toEqual([]);
  });

  test('a load that is answered in a later leadership is not taken for the one under way', () => {
    const subject = leaderLoadingFor3();
    subject.heartbeat(2, 2);
    subject.lead();
    subject.raft.step({
      ...{ type: 'AppendEntriesResponse', from: 3, to: 1, term: 3, isRejected: true, index: 2 },
      ...{ hintIndex: 1, hintTerm: 1 },
    });
    expect(subject.raft.ready().loads).toMatchObject([{ id: 2, lo: 2, hi: 3 }]);

    subject.raft.entriesLoaded(1, [entry(2, 1, 'x')]);

    expect(subject.raft.ready()).toMatchObject({ messages: [], loads: [] });
  });

  test('a leader whose state is damaged sends what was loaded for a peer nevertheless', () => {
    const subject = leaderLoadingFor3();
    subject.raft.step({
      ...{ type: 'AppendEntriesResponse', from: 3, to: 1, term: 1, isRejected: false, index: 1 },
      ...{ hintIndex: 0, hintTerm: 0 },
    });

    subject.raft.suspendApplying();
    subject.raft.entriesLoaded(1, [entry(2, 1, 'x')]);

    expect(only(subject.drain(), 'AppendEntries')).toMatchObject([
      { to: 3, prevLogIndex: 1, entries: [{ index: 2 }] },
    ]);
  });

  test('while entries to be applied are loaded, there is nothing else to do for it', () => {
    const subject = new Subject({ terms: [1, 1, 1], hardState: { commitIndex: 2 } });

    expect(subject.raft.ready().loads).toMatchObject([{ lo: 1, hi: 3 }]);

    expect(subject.raft.hasReady()).toBe(false);
    expect(subject.raft.ready().loads).toEqual([]);
  });

  test.each([
    ['nothing', []],
    ['others', [entry(2, 1)]],
    ['some of another term', [entry(1, 1), entry(2, 2)]],
  ])('%s loaded for entries to be applied stops the node', (_, entries) => {
    const subject = new Subject({ terms: [1, 1], hardState: { commitIndex: 2 } });
    const [load] = subject.raft.ready().loads;

    expect(() => {
      subject.raft.entriesLoaded(load?.id ?? 0, entries);
    }).toThrow('entries to apply are committed');
  });

  test('two nodes that start alike and see alike do alike', () => {
    const run = (): string => {
      const network = new RaftNetwork(3);
      network.trace = [];
      for (let i = 0; i < 60; i++) {
        network.tick((i % 3) + 1);
        network.settle();
      }
      return network.trace.join('\n');
    };

    expect(run()).toBe(run());
  });
});

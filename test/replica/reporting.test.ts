import { describe, expect, test } from 'vitest';
import { Metrics } from '../../src/observability/index.ts';
import type { RaftEvent } from '../../src/raft/index.ts';
import type { Effects } from '../../src/replica/effects.ts';
import { removalReporter, reportEffects } from '../../src/replica/reporting.ts';
import { VirtualCluster } from '../harness/virtual-cluster.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';
import { samplesOf } from '../observability/exposition.ts';

const nothing: Effects = {
  ...{ messages: [], loads: [], failures: [], releasedReads: [], expiredReads: [] },
  ...{ changeResults: [], events: [] },
};

/** The log lines that a turn makes, and the metrics after it. */
async function report(...events: readonly RaftEvent[]) {
  return reportTurn({ events });
}

async function reportTurn(news: Partial<Effects>) {
  const lines: { readonly level: string; readonly fields: object }[] = [];
  const at = (level: string) => (fields: object) => {
    lines.push({ level, fields });
  };
  const metrics = new Metrics();
  const logger = { info: at('info'), warn: at('warn'), error: at('error') };
  reportEffects({ ...nothing, ...news }, logger, metrics);
  const samples = samplesOf(await metrics.render());
  return { lines, value: (name: string) => samples.find((each) => each.name === name)?.value };
}

describe('reportEffects', () => {
  test('a new leader is news and is counted', async () => {
    const { lines, value } = await report({ type: 'leader-changed', term: 3, leader: 2 });

    expect(lines).toEqual([
      { level: 'info', fields: { event: 'leader-changed', term: 3, leader: 2 } },
    ]);
    expect(value('holdfast_leader_changes_total')).toBe(1);
    expect(value('holdfast_has_leader')).toBe(1);
  });

  test('to be without a leader, or without a quorum, is a warning', async () => {
    const lost = await report({ type: 'leader-changed', term: 3, leader: 0 });
    const alone = await report({ type: 'quorum-lost', term: 3 });

    expect(lost.lines.map(({ level }) => level)).toEqual(['warn']);
    expect(lost.value('holdfast_has_leader')).toBe(0);
    expect(alone.lines.map(({ level }) => level)).toEqual(['warn']);
  });

  test('a compaction that the leader orders by itself is told with its revision', async () => {
    const { lines, value } = await reportTurn({ compaction: 17 });

    expect(lines).toEqual([
      { level: 'info', fields: { event: 'history-compacting', revision: 17 } },
    ]);
    expect(value('holdfast_kv_auto_compactions_total')).toBe(1);
  });

  test('what the member sorts out by itself makes no line', async () => {
    const { lines } = await report({ type: 'reads-dropped', contexts: [1], reason: 'late' });

    expect(lines).toEqual([]);
  });
});

describe('removalReporter', () => {
  test('counts what each step removes, and tells of the whole once it is done', async () => {
    const metrics = new Metrics();
    const lines: object[] = [];
    const logger = { info: (fields: object) => lines.push(fields), warn: fail, error: fail };
    const eventLoop = new VirtualLoop();
    const report = removalReporter({ metrics, eventLoop, logger });

    report({ removed: 100, compactRevision: 150, isDone: false });
    await eventLoop.run(2000);
    report({ removed: 50, compactRevision: 150, isDone: true });
    report({ removed: 1, compactRevision: 151, isDone: true });

    expect(lines).toEqual([
      { event: 'history-removed', revision: 150, events: 150, seconds: 2 },
      { event: 'history-removed', revision: 151, events: 1, seconds: 0 },
    ]);
    const samples = samplesOf(await metrics.render());
    const value = (name: string) => samples.find((each) => each.name === name)?.value;
    expect(value('holdfast_kv_removed_events_total')).toBe(151);
    expect(value('holdfast_kv_removal_duration_seconds_count')).toBe(2);
  });
});

function fail(): never {
  throw new Error('this is no trouble');
}

describe('reportState', () => {
  test('the gauges follow the member from tick to tick', async () => {
    const cluster = new VirtualCluster(3, 1);
    await cluster.startAll();
    const leader = await cluster.leader();
    await cluster.loop.run(200);

    const samples = samplesOf(await cluster.metrics(leader).render());
    const value = (name: string, labels = '') =>
      samples.find((each) => each.name === name && each.labels === labels)?.value;

    expect(value('holdfast_is_leader')).toBe(1);
    expect(value('holdfast_raft_term')).toBe(cluster.member(leader).term);
    expect(value('holdfast_peer_connected', `peer="n${(leader % 3) + 1}"`)).toBe(1);
  });

  test('a link has samples under its present name, and none once the peer is removed', async () => {
    const cluster = new VirtualCluster(3, 2);
    await cluster.startAll();
    const leader = await cluster.leader();
    const { administration } = cluster.member(leader);
    const linked = async () => {
      await cluster.loop.run(1000);
      return samplesOf(await cluster.metrics(leader).render())
        .filter(({ name }) => name === 'holdfast_peer_connected')
        .map(({ labels, value }) => `${labels} ${value}`)
        .sort();
    };
    const others = [1, 2, 3].filter((id) => id !== leader).map((id) => `peer="n${id}" 1`);
    const urls = { peerUrls: ['http://n4'], isLearner: true, autoPromote: false };
    const { id } = await cluster.loop.settle(administration.addMember(urls));
    expect(await linked()).toEqual([`peer="${id}" 0`, ...others]);

    cluster.addSeat(id);
    await cluster.start(id, { clientUrls: ['http://c4'] });
    expect(await linked()).toEqual([...others, `peer="n${id}" 1`].sort());
    await cluster.loop.settle(administration.removeMember(id));

    expect(await linked()).toEqual(others);
  });
});

/** History that a cluster compacts by itself: the real driver under virtual time. */
import { describe, expect, test } from 'vitest';
import { must } from '../../src/base/index.ts';
import type { Command } from '../../src/kv/index.ts';
import { type HistoryRetention, keepBoth, type MemberOptions } from '../../src/replica/index.ts';
import type { WatchNotice } from '../../src/replica/watch-api.ts';
import { VirtualCluster } from '../harness/virtual-cluster.ts';
import { samplesOf } from '../observability/exposition.ts';
import { bytes, get, put } from './commands.ts';

/** Ten seconds and five revisions: looked at every second. */
const retention: HistoryRetention = keepBoth(10_000, 5);

async function started(
  size: number,
  options: Partial<MemberOptions> = { retention },
): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(size, 1, options);
  await cluster.startAll();
  await cluster.leader();
  return cluster;
}

async function write(cluster: VirtualCluster, ...commands: readonly Command[]): Promise<void> {
  for (const command of commands) {
    await cluster.loop.settle(cluster.member(await cluster.leader()).propose(command));
  }
}

/** Twenty changes of one key: revisions 2 to 21. */
async function writeTwenty(cluster: VirtualCluster): Promise<void> {
  await write(cluster, ...Array.from({ length: 20 }, (_, i) => put('a', `${i}`)));
}

function compactRevisions(cluster: VirtualCluster): readonly number[] {
  return cluster.members.map((member) => member.status().compactRevision);
}

describe('A cluster that keeps history for a time and a number of revisions', () => {
  test('compacts on every member what neither keeps, and no more', async () => {
    const cluster = await started(3);
    await writeTwenty(cluster);
    await cluster.loop.run(9000);
    expect(compactRevisions(cluster)).toEqual([-1, -1, -1]);

    await cluster.loop.run(3000);

    expect(compactRevisions(cluster)).toEqual([16, 16, 16]);
    const reader = cluster.member(1);
    const past = async (revision: number): Promise<unknown> =>
      cluster.loop.settle(reader.range(get('a', { revision })).catch((error: unknown) => error));
    expect(await past(15)).toMatchObject({ code: 'COMPACTED' });
    expect(await past(16)).toMatchObject({ result: { count: 1, kvs: [{ modRevision: 16 }] } });
  });

  test('keeps everything unless it is told what to keep', async () => {
    const cluster = await started(1, {});
    await writeTwenty(cluster);

    await cluster.loop.run(3_600_000);

    expect(compactRevisions(cluster)).toEqual([-1]);
  });

  test('ends a watch that wanted what is gone, and says where history begins', async () => {
    const cluster = await started(1);
    await writeTwenty(cluster);
    await cluster.loop.run(12_000);
    const stream = cluster.member(1).openWatchStream();
    const notices: WatchNotice[] = [];
    const watch = (startRevision: number): void => {
      stream.create(0, {
        ...{ ranges: [{ key: bytes('a') }], startRevision, wantsPuts: true, wantsDeletes: true },
        ...{ prevKv: false, keysOnly: false, progressNotify: false },
      });
    };

    watch(15);
    watch(16);
    await cluster.loop.run(100);
    while (stream.pending > 0) {
      notices.push(must(await cluster.loop.settle(stream.next()), 'a notice that waits'));
    }

    expect(notices.filter(({ type }) => type === 'canceled')).toMatchObject([
      { compactRevision: 16 },
    ]);
    const events = notices.flatMap((each) => (each.type === 'events' ? each.parts.flat() : []));
    expect(events.map(({ kv }) => kv.modRevision)).toEqual([16, 17, 18, 19, 20, 21]);
  });

  test('goes on under the next leader, which need not wait anew', async () => {
    const cluster = await started(3);
    await writeTwenty(cluster);
    await cluster.loop.run(8000);
    const leader = await cluster.leader();
    cluster.network.isolate(leader);

    const next = await cluster.leader(leader);
    await cluster.loop.run(4000);

    expect(cluster.member(next).status().compactRevision).toBe(16);
  });

  test('orders one compaction for what is due, however many members lead in turn', async () => {
    const cluster = await started(3);
    await writeTwenty(cluster);
    await cluster.loop.run(20_000);
    const leader = await cluster.leader();
    await cluster.loop.settle(cluster.member(leader).moveLeader((leader % 3) + 1));
    await cluster.loop.run(20_000);

    let ordered = 0;
    for (const id of [1, 2, 3]) {
      const samples = samplesOf(await cluster.metrics(id).render());
      const name = 'holdfast_kv_auto_compactions_total';
      ordered += samples.find((sample) => sample.name === name)?.value ?? 0;
    }
    expect(ordered).toBe(1);
  });

  test('leaves a state that is known to be corrupt alone, and asks for nothing', async () => {
    const cluster = await started(1);
    await writeTwenty(cluster);
    await write(cluster, { type: 'alarm', action: 'activate', memberId: 1, alarm: 'corrupt' });
    const member = cluster.member(1);
    const { commitIndex } = member.status();

    await cluster.loop.run(60_000);
    expect(member.status()).toMatchObject({ commitIndex, compactRevision: -1 });

    await write(cluster, { type: 'alarm', action: 'deactivate', memberId: 1, alarm: 'corrupt' });
    await cluster.loop.run(2000);
    expect(member.status().compactRevision).toBe(16);
  });
});

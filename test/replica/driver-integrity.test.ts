/**
 * Members that are not in order, or must not take part: the real driver under virtual time. What
 * becomes of a lost state is in `rebuild.test.ts`.
 */
import { describe, expect, test } from 'vitest';
import { must } from '../../src/base/index.ts';
import { stateMetaKey } from '../../src/kv/key-layout.ts';
import { decodeMeta, encodeMeta } from '../../src/kv/state-meta.ts';
import type { Member, MemberRecord } from '../../src/replica/index.ts';
import type { PeerIncarnations } from '../../src/replica/admission.ts';
import { VirtualCluster } from '../harness/virtual-cluster.ts';
import { samplesOf } from '../observability/exposition.ts';
import { bytes, get, put } from './commands.ts';

async function started(size: number, seed: number): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(size, seed);
  await cluster.startAll();
  await cluster.leader();
  return cluster;
}

async function write(cluster: VirtualCluster, key: string, value: string): Promise<unknown> {
  const member = cluster.member(await cluster.leader());
  return cluster.loop.settle(member.propose(put(key, value)).catch((error: unknown) => error));
}

/** Makes the state of a member another one than its log says, behind its back. */
async function tamper(cluster: VirtualCluster, id: number, bits: number): Promise<Member> {
  // Time for what nobody waits for there to be applied.
  await cluster.loop.run(100);
  await cluster.loop.settle(cluster.member(id).stop());
  const engine = cluster.engine(id);
  const [record] = await engine.getMany([stateMetaKey]);
  const meta = decodeMeta(must(record, 'the meta record'));
  const stateHash = { ...meta.stateHash, low: (meta.stateHash.low ^ bits) >>> 0 };
  await engine.write([
    { type: 'put', key: stateMetaKey, value: encodeMeta({ ...meta, stateHash }) },
  ]);
  return cluster.start(id);
}

async function hashOf(cluster: VirtualCluster, id: number): Promise<unknown> {
  const [record] = await cluster.engine(id).getMany([stateMetaKey]);
  return decodeMeta(must(record, 'the meta record')).stateHash;
}

/** What a metric of a member says now. */
async function gauge(
  cluster: VirtualCluster,
  id: number,
  name: string,
  labels = '',
): Promise<number | undefined> {
  const samples = samplesOf(await cluster.metrics(id).render());
  return samples.find((each) => each.name === name && each.labels === labels)?.value;
}

function ignore(): void {
  // Of no interest.
}

/** What a disk would remember of peers. */
function registry(): PeerIncarnations {
  const known = new Map<number, number>();
  return {
    record: async (peer, incarnation) => {
      const before = known.get(peer);
      known.set(peer, before ?? incarnation);
      return Promise.resolve(
        before === undefined ? 'new' : before === incarnation ? 'same' : 'other',
      );
    },
  };
}

describe('Members compare their states', () => {
  test('one that the majority contradicts stops serving, rebuilds, and serves again', async () => {
    const cluster = await started(3, 1);
    await write(cluster, 'a', '1');
    const id = ((await cluster.leader()) % 3) + 1;
    const member = await tamper(cluster, id, 1);
    await cluster.leader();
    await write(cluster, 'a', '2');

    const isOut = (): boolean =>
      member.status().errors.some((each) => each.includes('quarantined'));
    await cluster.loop.runUntil(isOut, 20_000);
    const refused = cluster.loop.settle(member.range(get('a')).catch((error: unknown) => error));
    expect(await refused).toMatchObject({ code: 'UNHEALTHY' });
    expect(await gauge(cluster, id, 'holdfast_quarantined')).toBe(1);
    expect(await gauge(cluster, id, 'holdfast_state_hash_mismatches_total')).toBe(1);
    await cluster.loop.runUntil(() => !isOut(), 20_000);
    await cluster.loop.run(200);
    expect(await gauge(cluster, id, 'holdfast_quarantined')).toBe(0);

    const { result } = await cluster.loop.settle(member.range(get('a')));
    expect(result.kvs).toHaveLength(1);
    await cluster.loop.run(5000);
    expect(await hashOf(cluster, id)).toEqual(await hashOf(cluster, await cluster.leader()));
    expect(member.administration.alarms()).toEqual([]);
    expect(cluster.fatals).toEqual([]);
  });

  test('where none has a majority an alarm is raised, and nobody guesses', async () => {
    const cluster = await started(3, 2);
    await write(cluster, 'a', '1');
    await cluster.loop.run(500);
    await tamper(cluster, 1, 1);
    await tamper(cluster, 2, 2);
    await cluster.leader();
    await write(cluster, 'a', '2');

    const member = cluster.member(3);
    await cluster.loop.runUntil(() => member.administration.alarms().length > 0, 30_000);

    expect(member.administration.alarms()[0]).toMatchObject({ alarm: 'corrupt' });
    await cluster.loop.run(200);
    expect(await gauge(cluster, 3, 'holdfast_alarms', 'alarm="corrupt"')).toBeGreaterThan(0);
    expect(await gauge(cluster, 3, 'holdfast_alarms', 'alarm="nospace"')).toBe(0);
    const read = cluster.loop.settle(member.range(get('a')).catch((error: unknown) => error));
    expect(await read).toMatchObject({ code: 'CORRUPT' });
    expect(cluster.fatals).toEqual([]);
  });
});

describe('The storage quota', () => {
  test('raises an alarm that refuses growth, and lifts it once there is room', async () => {
    const cluster = new VirtualCluster(1, 3, { quotaBytes: 20_000 });
    const member = await cluster.start(1);
    await cluster.leader();
    for (let i = 0; i < 8; i++) {
      await write(cluster, `key${i}`, 'x'.repeat(4000));
    }
    await cluster.loop.runUntil(() => member.administration.alarms().length > 0, 20_000);

    expect(member.administration.alarms()).toMatchObject([{ memberId: 1, alarm: 'nospace' }]);
    await cluster.loop.run(200);
    expect(await gauge(cluster, 1, 'holdfast_alarms', 'alarm="nospace"')).toBe(1);
    expect(await gauge(cluster, 1, 'holdfast_quota_bytes')).toBe(20_000);
    expect(await gauge(cluster, 1, 'holdfast_state_bytes')).toBeGreaterThan(20_000);
    expect(await write(cluster, 'more', 'x')).toMatchObject({ kind: 'refused', code: 'NO_SPACE' });

    for (let i = 0; i < 8; i++) {
      await cluster.loop.settle(
        member.propose({ type: 'deleteRange', key: bytes(`key${i}`), prevKv: false }),
      );
    }
    await cluster.loop.settle(member.propose({ type: 'compact', revision: member.revision }));
    await cluster.loop.runUntil(() => member.administration.alarms().length === 0, 30_000);

    expect(await write(cluster, 'more', 'x')).toMatchObject({ kind: 'ok' });
  });
});

describe('Who may take part', () => {
  test('a blank member of a new cluster waits for the others', async () => {
    const cluster = new VirtualCluster(3, 4);
    await cluster.start(1);
    await cluster.start(2);
    await cluster.loop.run(20_000);
    expect(cluster.members.map((each) => each.leader)).toEqual([0, 0]);

    await cluster.start(3);

    expect(await cluster.leader()).not.toBe(0);
  });

  test('a member that has data does not wait for more than a majority', async () => {
    const cluster = await started(3, 5);
    for (const id of [1, 2, 3]) {
      await cluster.loop.settle(cluster.member(id).stop());
    }
    await cluster.start(1);
    await cluster.start(2);

    await cluster.loop.runUntil(() => cluster.member(1).leader !== 0, 20_000);

    expect(cluster.member(1).leader).not.toBe(3);
  });

  test('a member that comes back with another data directory is refused and stops', async () => {
    const cluster = new VirtualCluster(3, 6);
    for (const id of [1, 2, 3]) {
      await cluster.start(id, { incarnations: registry() });
    }
    await cluster.leader();
    await cluster.loop.settle(cluster.member(3).stop());

    await cluster.start(3, { transport: cluster.network.transport(3, { incarnation: 99 }) });
    await cluster.loop.runUntil(() => cluster.fatals.length > 0, 10_000);

    expect(cluster.fatals).toMatchObject([{ code: 'DATA_DIR_MISMATCH' }]);
  });

  test('a member that has joined and lost its disk finds too few that listen', async () => {
    const cluster = new VirtualCluster(3, 9);
    for (const id of [1, 2, 3]) {
      await cluster.start(id, { incarnations: registry() });
    }
    const leader = cluster.member(await cluster.leader());
    const [heard = 0, deaf = 0] = [1, 2, 3].filter((id) => id !== leader.memberId);
    cluster.network.isolate(deaf);
    const { id } = await cluster.loop.settle(
      leader.administration.addMember({
        ...{ peerUrls: ['http://n4'], isLearner: true, autoPromote: false },
      }),
    );
    cluster.addSeat(id);
    const joined = await cluster.start(id, { incarnations: registry() });
    await cluster.loop.runUntil(() => joined.leader !== 0, 10_000);
    await cluster.loop.settle(joined.stop());

    // It comes back without its data, and only who never heard of it can be reached.
    cluster.network.heal();
    cluster.network.isolate(leader.memberId);
    cluster.network.isolate(heard);
    cluster.addSeat(id);
    const logged: unknown[] = [];
    await cluster.start(id, {
      transport: cluster.network.transport(id, { incarnation: 99, peers: [] }),
      logger: { info: (fields) => logged.push(fields), warn: ignore, error: ignore },
    });
    await cluster.loop.run(10_000);

    expect(logged).toContainEqual({ event: 'waiting-for-members', needed: 2, listening: 1 });
    expect(cluster.fatals).toEqual([]);
    cluster.network.heal();
    await cluster.loop.runUntil(() => cluster.fatals.length > 0, 10_000);
    expect(cluster.fatals).toMatchObject([{ code: 'DATA_DIR_MISMATCH' }]);
  });

  test('a member that joins asks for the cluster as long as it has no data', async () => {
    const cluster = await started(3, 10);
    const leader = cluster.member(await cluster.leader());
    const { id } = await cluster.loop.settle(
      leader.administration.addMember({
        ...{ peerUrls: ['http://n4'], isLearner: true, autoPromote: false },
      }),
    );
    cluster.addSeat(id);
    let asked = 0;
    const findCluster = async (): Promise<readonly MemberRecord[]> => {
      asked++;
      return Promise.resolve(leader.members().map((each) => ({ ...each, autoPromote: false })));
    };

    cluster.network.isolate(id);
    const waiting = await cluster.start(id, { findCluster });
    await cluster.loop.run(1000);
    await cluster.loop.settle(waiting.stop());
    cluster.network.heal();
    const joined = await cluster.start(id, { findCluster });
    await cluster.loop.runUntil(() => joined.leader !== 0, 10_000);
    await cluster.loop.settle(joined.stop());
    expect(asked).toBe(2);
    await cluster.start(id, { findCluster });

    expect(asked).toBe(2);
  });

  test('a member that hears nothing learns of its removal when it dials again', async () => {
    const cluster = await started(3, 7);
    const leader = cluster.member(await cluster.leader());
    const deaf = (leader.memberId % 3) + 1;
    cluster.network.deafen(deaf);

    await cluster.loop.settle(leader.administration.removeMember(deaf));
    await cluster.loop.runUntil(() => cluster.fatals.length > 0, 20_000);

    expect(cluster.fatals).toMatchObject([{ code: 'MEMBER_REMOVED' }]);
  });

  test('a member that was removed while it was away is refused and stops', async () => {
    const cluster = await started(3, 7);
    const leader = cluster.member(await cluster.leader());
    const away = (leader.memberId % 3) + 1;
    cluster.network.isolate(away);
    await cluster.loop.settle(leader.administration.removeMember(away));
    await cluster.loop.run(2000);
    expect(cluster.fatals).toEqual([]);

    await cluster.loop.settle(cluster.member(away).stop());
    cluster.network.heal();
    await cluster.start(away);
    await cluster.loop.runUntil(() => cluster.fatals.length > 0, 20_000);

    expect(cluster.fatals).toMatchObject([{ code: 'MEMBER_REMOVED' }]);
    expect(await write(cluster, 'a', '1')).toMatchObject({ kind: 'ok' });
  });
});

test('a leader whose disk stalls hands over within an election timeout', async () => {
  const cluster = await started(3, 8);
  const leader = await cluster.leader();
  const { term } = cluster.member(leader);
  const log = cluster.log(leader);
  let open: () => void = () => undefined;
  log.gate = new Promise((resolve) => {
    open = resolve;
  });
  const waiting = cluster.member(leader).propose(put('a', '1'));
  const beforeMs = cluster.loop.nowMs();

  const next = await cluster.leader(leader);

  expect(cluster.loop.nowMs() - beforeMs).toBeLessThanOrEqual(1000);
  expect(cluster.member(next).term).toBe(term + 1);
  const samples = samplesOf(await cluster.metrics(leader).render());
  expect(samples.find(({ name }) => name.includes('handover'))?.value).toBe(1);
  log.gate = undefined;
  open();
  expect(await cluster.loop.settle(waiting)).toMatchObject({ kind: 'ok' });
});

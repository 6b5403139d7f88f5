/** Members that come and go, and catch up by snapshots: the real driver under virtual time. */
import { describe, expect, test } from 'vitest';
import { must } from '../../src/base/index.ts';
import type { Member } from '../../src/replica/index.ts';
import { VirtualCluster } from '../harness/virtual-cluster.ts';
import { get, put } from './commands.ts';

const soon = { entriesMax: 20, marginEntries: 5, bytesMax: 1024 * 1024 };

async function started(size: number, seed: number, logCompaction = soon): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(size, seed, { logCompaction });
  await cluster.startAll();
  await cluster.leader();
  return cluster;
}

async function add(cluster: VirtualCluster, via: Member, isLearner: boolean): Promise<Member> {
  const { id } = await cluster.loop.settle(
    via.administration.addMember({
      peerUrls: [`http://new${Math.random()}`],
      isLearner,
      autoPromote: false,
    }),
  );
  cluster.addSeat(id);
  return cluster.start(id);
}

async function write(cluster: VirtualCluster, member: Member, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await cluster.loop.settle(member.propose(put(`key${i % 50}`, `value${i}`)));
  }
}

async function readKey(cluster: VirtualCluster, member: Member, key: string): Promise<unknown> {
  const { result } = await cluster.loop.settle(member.range(get(key)));
  const [kv] = result.kvs;
  return kv === undefined ? undefined : new TextDecoder().decode(kv.value);
}

function voters(member: Member): number[] {
  return member
    .members()
    .filter((each) => !each.isLearner)
    .map((each) => each.id);
}

describe('membership of running members', () => {
  test('a member that is added replays the log and votes', async () => {
    const cluster = await started(3, 1);
    const added = await add(cluster, cluster.member(1), false);

    await cluster.loop.runUntil(() => added.leader !== 0 && voters(added).length === 4, 10_000);
    await cluster.loop.settle(added.propose(put('a', '1')));

    expect(await readKey(cluster, added, 'a')).toBe('1');
    expect(cluster.fatals).toEqual([]);
  });

  test('an addition is not told to be done before a majority has it', async () => {
    const cluster = await started(3, 3);
    const leader = cluster.member(await cluster.leader());
    const other = [1, 2, 3].find((id) => id !== leader.memberId) ?? 0;
    cluster.network.isolate(other);
    let isDone = false;
    const adding = leader.administration
      .addMember({ peerUrls: ['http://new'], isLearner: false, autoPromote: false })
      .then(() => {
        isDone = true;
      });

    // Three of four would have to have it, and two are there.
    await cluster.loop.run(3000);
    expect(isDone).toBe(false);

    cluster.network.heal();
    await cluster.loop.settle(adding);
    expect(voters(leader)).toHaveLength(4);
  });

  test('a learner catches up by a snapshot, and is promoted', async () => {
    const cluster = await started(3, 2);
    await write(cluster, cluster.member(2), 200);
    await cluster.loop.run(3000);
    const compacted = await cluster.leader();
    expect(cluster.log(compacted).sizeBytes()).toBeLessThan(8000);

    const learner = await add(cluster, cluster.member(1), true);
    await cluster.loop.runUntil(() => learner.revision === cluster.member(1).revision, 20_000);
    expect(learner.status().isLearner).toBe(true);
    await cluster.loop.settle(cluster.member(3).administration.promoteMember(learner.memberId));

    expect(learner.status().isLearner).toBe(false);
    expect(voters(learner)).toHaveLength(4);
    expect(await readKey(cluster, learner, 'key49')).toBe('value199');
  });

  test('the leader removes itself, and another one leads on', async () => {
    const cluster = await started(3, 3);
    const leader = await cluster.leader();
    const other = must(
      cluster.members.find((each) => each.memberId !== leader),
      'a follower',
    );

    await cluster.loop.settle(cluster.member(leader).administration.removeMember(leader));
    await cluster.leader(leader);
    await cluster.loop.settle(other.propose(put('a', '2')));
    await cluster.loop.run(5000);

    expect(voters(other)).toHaveLength(2);
    expect(cluster.fatals).toMatchObject([{ code: 'MEMBER_REMOVED' }]);
  });

  test('a member is replaced by another one in one change, by a joint configuration', async () => {
    const cluster = await started(3, 4);
    const leader = cluster.member(await cluster.leader());
    const leaving = must(
      cluster.members.find((each) => each !== leader),
      'a follower',
    );
    const replacement = { peerUrls: ['http://new'], isLearner: false, autoPromote: false };

    const added = await cluster.loop.settle(
      leader.administration.replaceMember(leaving.memberId, replacement),
    );
    cluster.addSeat(added.id);
    const joined = await cluster.start(added.id);
    await cluster.loop.settle(joined.propose(put('a', '3')));

    expect(voters(joined)).toHaveLength(3);
    expect(voters(joined)).not.toContain(leaving.memberId);
  });

  test('refusals are told: unknown members, voters, learners that are behind', async () => {
    const cluster = await started(3, 5);
    const member = cluster.member(1);
    const failure = async (call: Promise<unknown>): Promise<unknown> =>
      cluster.loop.settle(
        call.then(
          () => 'done',
          (error: unknown) => error,
        ),
      );

    expect(await failure(member.administration.removeMember(77))).toMatchObject({
      code: 'MEMBER_NOT_FOUND',
    });
    expect(await failure(member.administration.promoteMember(2))).toMatchObject({
      code: 'NOT_LEARNER',
    });
    const { id } = await cluster.loop.settle(
      member.administration.addMember({
        peerUrls: ['http://new'],
        isLearner: true,
        autoPromote: false,
      }),
    );
    expect(await failure(member.administration.promoteMember(id))).toMatchObject({
      code: 'LEARNER_NOT_READY',
    });
    const again = { peerUrls: ['http://new'], isLearner: true, autoPromote: false };
    expect(await failure(member.administration.addMember(again))).toMatchObject({
      code: 'PEER_URL_EXISTS',
    });
  });

  test('a learner that is meant to vote is promoted once it has caught up', async () => {
    const cluster = await started(3, 6);
    const { id } = await cluster.loop.settle(
      cluster
        .member(2)
        .administration.addMember({ peerUrls: ['http://new'], isLearner: true, autoPromote: true }),
    );
    cluster.addSeat(id);
    const learner = await cluster.start(id);

    await cluster.loop.runUntil(() => voters(learner).length === 4, 20_000);

    expect(learner.status().isLearner).toBe(false);
  });

  test('a follower that was away for long catches up by a snapshot and loses nothing', async () => {
    const cluster = await started(3, 7);
    const leader = await cluster.leader();
    const away = leader === 1 ? 2 : 1;
    cluster.network.isolate(away);
    await write(cluster, cluster.member(leader), 300);
    await cluster.loop.run(3000);
    cluster.network.heal();

    const { revision } = cluster.member(leader);
    await cluster.loop.runUntil(() => cluster.member(away).revision === revision, 30_000);

    expect(await readKey(cluster, cluster.member(away), 'key49')).toBe('value299');
    expect(cluster.fatals).toEqual([]);
  });
});

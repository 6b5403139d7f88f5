/** An input that a member cannot take, whatever brings it, stops that member in good order. */
import { describe, expect, test, vi } from 'vitest';
import { must } from '../../src/base/index.ts';
import { defaultRaftOptions } from '../../src/raft/index.ts';
import type { MemberOptions } from '../../src/replica/index.ts';
import { MemberList } from '../../src/replica/member-list.ts';
import { Snapshots } from '../../src/replica/snapshots.ts';
import type { Transport, TransportHandler } from '../../src/transport/index.ts';
import { VirtualCluster } from '../harness/virtual-cluster.ts';
import { bytes, put } from './commands.ts';

const broken = new Error('broken');

function breaks(): never {
  throw broken;
}

async function refusalOf(answer: Promise<unknown>): Promise<unknown> {
  return answer.catch((error: unknown) => error);
}

/** A member alone that leads, its ports in the hands of the test, and writes that wait. */
async function start(options: Partial<MemberOptions> = {}) {
  const cluster = new VirtualCluster(1, 1, options);
  const transport = cluster.network.transport(1, { peers: [] });
  let handler: TransportHandler | undefined;
  const held: Transport = {
    ...transport,
    start: async (given) => {
      handler = given;
      await transport.start(given);
    },
  };
  const member = await cluster.start(1, { transport: held });
  await cluster.leader();
  let open = (): void => undefined;
  cluster.log(1).gate = new Promise((resolve) => {
    open = resolve;
  });
  const write = async (key: string): Promise<unknown> =>
    member.propose(put(key, 'value')).catch((error: unknown) => error);
  const [, answer] = [write('first'), write('second')];
  await cluster.loop.run(1);
  return { cluster, member, transport: held, handler: must(handler, 'it listens'), answer, open };
}

type Started = Awaited<ReturnType<typeof start>>;

/** The member has said why it cannot go on, has answered its callers, takes no more and stops. */
async function expectStopped(
  { cluster, member, answer, open }: Started,
  why: unknown,
): Promise<void> {
  expect(cluster.fatals).toEqual([why]);
  expect(await cluster.loop.settle(answer)).toMatchObject({ code: 'STOPPED', outcome: 'unknown' });
  const refused = member.propose(put('key', 'v')).catch((error: unknown) => error);
  expect(await refused).toMatchObject({ code: 'STOPPED', outcome: 'rejected' });
  open();
  await cluster.loop.settle(member.stop());
  expect(cluster.loop.pendingTimers).toBe(0);
  expect(cluster.fatals).toEqual([why]);
}

describe('a member stops, and says why, when it cannot take', () => {
  test('a tick', async () => {
    const started = await start();
    vi.spyOn(started.transport, 'links').mockImplementation(breaks);

    await started.cluster.loop.run(200);

    await expectStopped(started, broken);
  });

  test('messages', async () => {
    const started = await start();
    const { member, handler, cluster } = started;
    const { term } = member;

    handler.onMessages([{ type: 'Heartbeat', from: 2, to: 1, term, commitIndex: 0, readRound: 0 }]);
    await cluster.loop.run(1);

    const why: unknown = expect.objectContaining({
      message: `two leaders in term ${term}: 1, 2`,
    });
    await expectStopped(started, why);
  });

  test('news of a peer', async () => {
    const started = await start();
    const { handler, cluster } = started;

    handler.onAnnounced(2, {
      get clientUrls() {
        return breaks();
      },
      build: '',
      levels: { oldest: 1, newest: 1 },
    });
    await cluster.loop.run(1);

    await expectStopped(started, broken);
  });

  test('a question who is listened to', async () => {
    const started = await start();
    const { handler, cluster } = started;

    const answer = handler.admit({
      ...{ id: 2, incarnation: 1 },
      get levels() {
        return breaks();
      },
    });

    expect(await cluster.loop.settle(refusalOf(answer))).toMatchObject({ code: 'STOPPED' });
    await expectStopped(started, broken);
  });

  test('a question what its cluster is', async () => {
    const started = await start();
    vi.spyOn(MemberList.prototype, 'all').mockImplementationOnce(breaks);

    const answer = (async () => started.handler.describe())();

    expect(await started.cluster.loop.settle(refusalOf(answer))).toMatchObject({ code: 'STOPPED' });
    await expectStopped(started, broken);
  });

  test('a call for its snapshot', async () => {
    const started = await start();
    vi.spyOn(Snapshots.prototype, 'open').mockImplementationOnce(breaks);

    const answer = started.handler.onSnapshotRequested(2, 1, 1);

    expect(await started.cluster.loop.settle(refusalOf(answer))).toMatchObject({ code: 'STOPPED' });
    await expectStopped(started, broken);
  });

  test('a turn', async () => {
    const started = await start();
    const { handler, cluster } = started;

    handler.onUnreachable(2);
    vi.spyOn(cluster.loop, 'nowMs').mockImplementationOnce(breaks);
    await cluster.loop.run(1);

    await expectStopped(started, broken);
  });

  test('entries that it has read, which are others than it has stored', async () => {
    // One entry is applied at a time, and none stays in memory until its turn.
    const raft = {
      ...{ ...defaultRaftOptions, applyingBytesMax: 1 },
      ...{ cacheBytesMax: 0, unappliedBytesMax: 0 },
    };
    const started = await start({ raft });
    const { cluster, open } = started;
    vi.spyOn(cluster.log(1), 'read').mockImplementation(async () => [
      { type: 'normal', index: 4711, term: 1, data: bytes('') },
    ]);

    open();
    await cluster.loop.run(100);

    const why: unknown = expect.objectContaining({
      message: expect.stringContaining('entries to apply are committed') as string,
    });
    await expectStopped(started, why);
  });
});

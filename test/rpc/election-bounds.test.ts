/** What bounds calls of the Election service, over real gRPC in front of a fake member. */
import { once } from 'node:events';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { FakeMember } from './fake-member.ts';
import { FakeWatchStream } from './fake-watch-stream.ts';
import { answerTo, refusalOf, serve, type Serving } from './serving.ts';

const leader = { name: Buffer.from('name'), key: Buffer.from('name/7'), rev: '9', lease: '7' };

let member: FakeMember;
let serving: Serving;
let timersOfServer: number;

beforeEach(async () => {
  member = new FakeMember();
  member.onPropose = async () =>
    Promise.resolve({
      ...{ kind: 'ok', revision: 20 },
      result: { type: 'txn', succeeded: true, responses: [] },
    });
  serving = await serve(member, { epochMs: () => 1000 });
  timersOfServer = serving.timers.pendingTimers;
});

afterEach(async () => {
  await serving.close();
});

test('proclaiming and resigning last no longer than their callers want', async () => {
  const deadline = Date.now() + 3_600_000;

  await answerTo((done) => serving.election.Proclaim({ leader }, { deadline }, done));
  await answerTo((done) => serving.election.Resign({ leader }, { deadline }, done));

  const bounds = member.asked.map(({ options }) => options?.deadlineMs ?? 0);
  expect(bounds).toHaveLength(2);
  expect(Math.min(...bounds)).toBeGreaterThan(0);
});

test('a campaign that has written a value, and then fails, may have had an effect', async () => {
  const old = { key: Buffer.from('name/7'), value: Buffer.from('old'), createRevision: 9 };
  const kv = { ...old, modRevision: 9, version: 1, lease: 7n, ttlMs: 0 };
  const known = { type: 'range', kvs: [kv], count: 1, more: false } as const;
  member.onPropose = async () =>
    Promise.resolve({
      ...{ kind: 'ok', revision: 20 },
      result: { type: 'txn', succeeded: false, responses: [known] },
    });
  member.onRange = async () => Promise.reject(new KvError('TIMEOUT'));

  const request = { name: Buffer.from('name'), lease: '7', value: Buffer.from('new') };
  const error = await refusalOf((done) => serving.election.Campaign(request, done));

  expect(error.metadata.get('holdfast-outcome')).toEqual(['unknown']);
});

describe('observing', () => {
  let watches: FakeWatchStream;

  beforeEach(() => {
    watches = new FakeWatchStream();
    member.onRange = async () =>
      Promise.resolve({ result: { type: 'range', kvs: [], count: 0, more: false }, revision: 10 });
    member.onOpenWatchStream = () => watches;
  });

  async function observeWith(hasleader: string): Promise<{ readonly ended: Promise<unknown[]> }> {
    const metadata = new Metadata();
    metadata.set('hasleader', hasleader);
    const call = serving.election.Observe({ name: Buffer.from('name') }, metadata);
    call.resume();
    const ended = once(call, 'error');
    await vi.waitUntil(() => watches.asked.length > 0);
    return { ended };
  }

  test('ends for a client that wants a leader, once there is none', async () => {
    const { ended } = await observeWith('true');

    member.leader = 0;
    await serving.timers.run(10_000);

    const [error] = (await ended) as [ServiceError];
    expect(error).toMatchObject({ code: status.UNAVAILABLE, details: 'etcdserver: no leader' });
    expect(watches.isClosed).toBe(true);
    expect(serving.timers.pendingTimers).toBe(timersOfServer);
  });

  test('goes on for a client that does not say that it wants one', async () => {
    const { ended } = await observeWith('false');

    member.leader = 0;
    await serving.timers.run(10_000);
    expect(watches.isClosed).toBe(false);

    await serving.server.stop(0);
    expect((await ended)[0]).toMatchObject({ details: new KvError('STOPPED').message });
  });
});

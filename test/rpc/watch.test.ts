/** Watches over real gRPC, from a member whose streams tell what the test lays out. */
import { once } from 'node:events';
import { type ClientDuplexStream, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import type { WatchEvent } from '../../src/replica/index.ts';
import { FakeMember } from './fake-member.ts';
import { FakeWatchStream } from './fake-watch-stream.ts';
import { serve, type Serving } from './serving.ts';

type Call = ClientDuplexStream<object, object>;

let member: FakeMember;
let serving: Serving;
let stream: FakeWatchStream;
let call: Call;
let responses: Record<string, unknown>[];

const text = (value: string): Buffer => Buffer.from(value);

function open(metadata = new Metadata()): Call {
  const opened = serving.watch.Watch(metadata) as unknown as Call;
  opened.on('data', (response: Record<string, unknown>) => responses.push(response));
  opened.on('error', () => undefined);
  return opened;
}

beforeEach(async () => {
  member = new FakeMember();
  stream = new FakeWatchStream();
  member.onOpenWatchStream = () => stream;
  serving = await serve(member);
  responses = [];
  call = open();
});

afterEach(async () => {
  call.cancel();
  await serving.close();
});

async function eventually(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function asked(count: number): Promise<unknown[]> {
  await eventually(() => stream.asked.length >= count);
  return stream.asked;
}

async function received(count: number): Promise<Record<string, unknown>[]> {
  await eventually(() => responses.length >= count);
  return responses;
}

async function failure(): Promise<ServiceError> {
  const [error] = (await once(call, 'error')) as [ServiceError];
  return error;
}

function putOf(key: string, value: string, modRevision: number): WatchEvent {
  const numbers = { createRevision: 2, modRevision, version: 1, lease: 0n, ttlMs: 0 };
  const kv = { key: text(key), value: text(value), ...numbers };
  return { type: 'put', isExpiry: false, kv };
}

describe('a stream of watches', () => {
  test('tells of each notice that it has left, however many messages it takes', async () => {
    call.write({ create_request: { key: text('a'), fragment: true } });
    await asked(1);
    const large = Array.from({ length: 4 }, (_, at) => putOf('a', 'x'.repeat(800_000), at + 2));

    stream.tell({ type: 'created', watchId: 0, revision: 1 });
    stream.tell({ type: 'events', watchId: 0, revision: 5, parts: [large] });
    stream.tell({ type: 'progress', revision: 5 });
    await received(4);
    await eventually(() => stream.sentTimes > 2);

    expect(responses.length).toBeGreaterThan(3);
    expect(stream.sentTimes).toBe(3);
  });

  test('creates them as asked, with all that a request can say', async () => {
    call.write({
      create_request: {
        ...{ key: text('a'), range_end: text('b'), start_revision: 5, progress_notify: true },
        ...{ filters: ['NODELETE'], prev_kv: true, watch_id: 7, keys_only: true },
        ranges: [{ key: text('c') }],
      },
    });
    call.write({ create_request: {} });
    call.write({ create_request: { filters: ['NOPUT'], ranges: [{ key: text('x') }] } });

    expect(await asked(3)).toEqual([
      {
        create: 7,
        ranges: [
          { key: text('a'), rangeEnd: text('b') },
          { key: text('c'), rangeEnd: undefined },
        ],
        ...{ startRevision: 5, wantsPuts: true, wantsDeletes: false },
        ...{ prevKv: true, keysOnly: true, progressNotify: true },
      },
      {
        create: 0,
        ranges: [{ key: Uint8Array.of(0), rangeEnd: undefined }],
        ...{ startRevision: 0, wantsPuts: true, wantsDeletes: true },
        ...{ prevKv: false, keysOnly: false, progressNotify: false },
      },
      expect.objectContaining({
        ...{ wantsPuts: false, wantsDeletes: true },
        ranges: [{ key: text('x'), rangeEnd: undefined }],
      }),
    ]);
  });

  test('cancels watches, and asks for progress', async () => {
    call.write({ cancel_request: { watch_id: 3 } });
    call.write({ progress_request: {} });

    expect(await asked(2)).toEqual([{ cancel: 3 }, 'progress']);
  });

  test('says what becomes of watches as etcd says it', async () => {
    stream.tell(
      { type: 'created', watchId: 4, revision: 7 },
      { type: 'rejected', revision: 7, reason: 'mvcc: watcher range is empty' },
      { type: 'canceled', watchId: 4, revision: 8 },
      { type: 'canceled', watchId: 5, revision: 8, compactRevision: 6 },
      { type: 'progress', watchId: 6, revision: 9 },
      { type: 'progress', revision: 9 },
    );

    const told = await received(6);

    expect(told[0]).toMatchObject({
      header: { cluster_id: String(member.clusterId), member_id: '1001', revision: '7' },
      ...{ watch_id: '4', created: true, canceled: false, events: [] },
    });
    expect(told[1]).toMatchObject({
      ...{ watch_id: '-1', created: true, canceled: true },
      cancel_reason: 'mvcc: watcher range is empty',
    });
    expect(told[2]).toMatchObject({ watch_id: '4', canceled: true, compact_revision: '0' });
    expect(told[3]).toMatchObject({
      ...{ watch_id: '5', canceled: true, compact_revision: '6' },
      cancel_reason: 'etcdserver: mvcc: required revision has been compacted',
    });
    expect(told[4]).toMatchObject({ watch_id: '6', header: { revision: '9' }, created: false });
    expect(told[4]).toMatchObject({ watch_id: '6', complete: false });
    expect(told[5]).toMatchObject({ watch_id: '-1', header: { revision: '9' }, canceled: false });
    expect(told[5]).toMatchObject({ complete: true });
  });

  test('brings events, of deletions the key alone, with what was before', async () => {
    const { kv } = putOf('a', '1', 3);
    const gone = { ...kv, value: text(''), createRevision: 0, modRevision: 4, version: 0 };
    stream.tell({
      ...{ type: 'events', watchId: 1, revision: 4 },
      parts: [[putOf('a', '1', 3)], [{ type: 'delete', isExpiry: true, kv: gone, prevKv: kv }]],
    });

    const [response] = await received(1);

    expect(response).toMatchObject({
      ...{ watch_id: '1', fragment: false, header: { revision: '4' } },
      events: [
        { type: 'PUT', kv: { key: text('a'), value: text('1'), mod_revision: '3' }, prev_kv: null },
        {
          type: 'DELETE',
          expired: true,
          kv: { key: text('a'), mod_revision: '4', version: '0' },
          prev_kv: { value: text('1'), mod_revision: '3' },
        },
      ],
    });
    expect(await serving.metrics.render()).toContain('holdfast_watch_events_sent_total 2');
  });

  test('cuts what is too long in parts for those who ask for it, in order', async () => {
    call.write({ create_request: { key: text('a'), fragment: true } });
    call.write({ create_request: { key: text('b') } });
    await asked(2);
    const events = [1, 2, 3].map((at) => putOf('a', 'x'.repeat(300_000), at));
    stream.tell(
      { type: 'created', watchId: 0, revision: 1 },
      { type: 'created', watchId: 1, revision: 1 },
      { type: 'events', watchId: 0, revision: 3, parts: [events] },
      { type: 'events', watchId: 1, revision: 3, parts: [events] },
    );

    const told = (await received(6)).slice(2);

    expect(told.map((each) => [each['watch_id'], each['fragment']])).toEqual([
      ['0', true],
      ['0', true],
      ['0', false],
      ['1', false],
    ]);
    expect((told[3]?.['events'] as unknown[]).length).toBe(3);
  });

  test('reads no more requests while too many answers wait', async () => {
    stream.pendingBeside = 2000;
    for (let i = 0; i < 50; i++) {
      call.write({ cancel_request: { watch_id: i + 1 } });
    }
    await asked(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(stream.asked.length).toBeLessThan(50);

    stream.pendingBeside = 0;
    stream.tell({ type: 'progress', revision: 9 });

    expect(await asked(50)).toHaveLength(50);
  });

  test('goes on when the client has no more requests', async () => {
    call.end();
    await new Promise((resolve) => setTimeout(resolve, 20));
    stream.tell({ type: 'progress', revision: 9 });

    expect(await received(1)).toHaveLength(1);
    expect(stream.isClosed).toBe(false);
  });

  test('ends when the client goes', async () => {
    call.write({ progress_request: {} });
    await asked(1);

    call.cancel();
    await eventually(() => stream.isClosed);

    expect(serving.defects).toEqual([]);
  });
});

describe('a stream of watches fails', () => {
  test('with what the member says', async () => {
    const ended = failure();
    stream.tell(new KvError('UNHEALTHY', { message: 'etcdserver: unhealthy cluster' }));

    expect(await ended).toMatchObject({ code: status.UNAVAILABLE });
    expect(stream.isClosed).toBe(true);
  });

  test('when the member takes none', async () => {
    member.onOpenWatchStream = () => {
      throw new KvError('STOPPED');
    };
    const refused = open();

    const [error] = (await once(refused, 'error')) as [ServiceError];

    expect(error).toMatchObject({ code: status.UNAVAILABLE });
  });

  test('when an id is beyond what the store can count', async () => {
    const ended = failure();
    call.write({ create_request: { key: text('a'), watch_id: '9223372036854775807' } });

    expect(await ended).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining('watch_id') as unknown,
    });
  });

  test('when a watch has more ranges than one may have', async () => {
    const ended = failure();
    const ranges = Array.from({ length: 1001 }, () => ({ key: text('a') }));
    call.write({ create_request: { ranges } });

    expect(await ended).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining('at most 1000 ranges') as unknown,
    });
  });

  test('when the client wants a leader and there is none, at once or after a while', async () => {
    const metadata = new Metadata();
    metadata.set('hasleader', 'true');
    call = open(metadata);
    call.write({ progress_request: {} });
    await asked(1);
    const ended = failure();

    member.leader = 0;
    await serving.timers.run(10_000);
    expect(await ended).toMatchObject({ details: 'etcdserver: no leader' });
    const late = open(metadata);

    const [error] = (await once(late, 'error')) as [ServiceError];
    expect(error).toMatchObject({ code: status.UNAVAILABLE });
  });

  test('when the server stops, which does not wait for it', async () => {
    call.write({ progress_request: {} });
    await asked(1);
    const ended = failure();

    await serving.server.stop(60_000);

    expect(await ended).toMatchObject({ code: status.UNAVAILABLE });
  });
});

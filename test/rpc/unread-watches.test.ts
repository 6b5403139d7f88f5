/** A member with many streams of watches that nobody reads: a process, over real gRPC. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClientDuplexStream, credentials, makeClientConstructor } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { must } from '../../src/base/index.ts';
import type { WatchClient } from '../../src/wire/generated/etcdserverpb/Watch.ts';
import type { WatchRequest__Input } from '../../src/wire/generated/etcdserverpb/WatchRequest.ts';
import type { WatchResponse } from '../../src/wire/generated/etcdserverpb/WatchResponse.ts';
import { services } from '../../src/wire/index.ts';
import { connectKv, type KvClient, waitForLeader } from '../harness/kv-client.ts';
import { ProcessCluster } from '../harness/processes.ts';

const boundBytes = 1024 * 1024;
const unreadStreams = 120;
const puts = 300;
const valueBytes = 8000;
/** What a put takes while it waits, about, and some more. */
const eventBytes = valueBytes + 1000;
/** Long enough for a slow machine: what is waited for comes by itself. */
const patience = { timeout: 60_000, interval: 50 };

type Call = ClientDuplexStream<WatchRequest__Input, WatchResponse>;
type Connection = WatchClient & { close(): void };

let directory: string;
let cluster: ProcessCluster;
let kv: KvClient;
let connections: Connection[];
let calls: Call[];

const connect = (): Connection => {
  const Constructor = makeClientConstructor(services['etcdserverpb.Watch'], 'Watch');
  const connection = new Constructor(
    must(cluster.endpoints[0], 'it'),
    credentials.createInsecure(),
    {
      'grpc.use_local_subchannel_pool': 1,
    },
  );
  connections.push(connection as unknown as Connection);
  return connection as unknown as Connection;
};

/** A watch of all the puts; it is not read until somebody listens. */
function watch(connection: Connection): Call {
  const call = connection.Watch() as unknown as Call;
  call.on('error', () => undefined);
  call.write({ create_request: { key: Buffer.from('a'), start_revision: 1 } });
  calls.push(call);
  return call;
}

/** The revisions that a watch is told of, from now on. */
function heardBy(call: Call): readonly number[] {
  const revisions: number[] = [];
  call.on('data', ({ events }: WatchResponse) => {
    revisions.push(...events.map((event) => Number(event.kv?.mod_revision)));
  });
  return revisions;
}

async function gauge(name: string): Promise<number> {
  const { metricsPort } = must(cluster.members[0], 'it');
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
  const text = await response.text();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(must(line, name).slice(name.length));
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-unread-'));
  cluster = await ProcessCluster.create(
    [join(directory, 'n1')],
    [`--max-watch-bytes=${boundBytes}`],
  );
  await cluster.startAll();
  kv = connectKv(must(cluster.endpoints[0], 'it'));
  await waitForLeader([kv], 20_000);
  connections = [];
  calls = [];
});

afterEach(async () => {
  for (const connection of connections) {
    connection.close();
  }
  kv.close();
  await cluster.stopAll();
  await rm(directory, { recursive: true, force: true });
});

test('what they wait for is bounded together; others go on, and all of them hear all', async () => {
  const unread = connect();
  const idle = Array.from({ length: unreadStreams }, () => watch(unread));
  const lively = heardBy(watch(connect()));
  await vi.waitFor(async () => {
    expect(await gauge('holdfast_watch_streams')).toBe(unreadStreams + 1);
  }, patience);
  const revisions: number[] = [];
  let held = 0;

  for (let at = 0; at < puts; at++) {
    const answer = await kv.put('a', 'x'.repeat(valueBytes), 10_000);
    revisions.push(answer.kind === 'ok' ? answer.revision : 0);
    if (at % 10 === 0) {
      held = Math.max(held, await gauge('holdfast_watch_queue_bytes'));
    }
  }
  await vi.waitFor(() => {
    expect(lively).toEqual(revisions);
  }, patience);

  held = Math.max(held, await gauge('holdfast_watch_queue_bytes'));
  expect(await gauge('holdfast_watch_queue_bytes_max')).toBe(boundBytes);
  expect(held, 'they are not read').toBeGreaterThan(boundBytes / 2);
  expect(held).toBeLessThan(boundBytes + (unreadStreams + 1) * eventBytes);

  const heard = idle.map((call) => heardBy(call));
  await vi.waitFor(() => {
    expect(heard.every(({ length }) => length === puts)).toBe(true);
  }, patience);
  for (const each of heard) {
    expect(each).toEqual(revisions);
  }

  for (const call of calls) {
    call.cancel();
  }
  await vi.waitFor(async () => {
    expect(await gauge('holdfast_watch_streams')).toBe(0);
    expect(await gauge('holdfast_watch_queue_bytes')).toBe(0);
  }, patience);
}, 180_000);

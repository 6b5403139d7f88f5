/** Messages that never become whole, over raw HTTP/2. */
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { CommandResult } from '../../src/kv/index.ts';
import { services } from '../../src/wire/index.ts';
import { farLimits } from './admitting.ts';
import { FakeMember } from './fake-member.ts';
import { serve, type Serving } from './serving.ts';

const { Put } = services['etcdserverpb.KV'];
const done: CommandResult = {
  kind: 'ok',
  revision: 8,
  result: { type: 'put', prevKv: undefined },
};

let serving: Serving;
let session: ClientHttp2Session;

beforeEach(async () => {
  const member = new FakeMember();
  member.onPropose = async () => Promise.resolve(done);
  serving = await serve(member, {
    limits: { ...farLimits, inflightBytes: { client: 200_000, member: 1_000_000 } },
  });
  session = connect(`http://127.0.0.1:${serving.port}`);
  session.on('error', () => undefined);
});

afterEach(async () => {
  session.destroy();
  await serving.close();
});

function open(path: string): ClientHttp2Stream {
  const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc' };
  const stream = session.request({ ...headers, te: 'trailers' });
  stream.on('error', () => undefined);
  stream.resume();
  return stream;
}

/** As gRPC frames it. */
function frame(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

async function inflightBytes(): Promise<number> {
  await serving.timers.run(100);
  const [, bytes] = /^holdfast_inflight_bytes (\d+)$/m.exec(await serving.metrics.render()) ?? [];
  return Number(bytes);
}

const message = frame(
  Put.requestSerialize({ key: Buffer.from('key'), value: Buffer.alloc(60_000) }),
);
const most = message.subarray(0, message.length - 100);

describe.each([Put.path, '/etcdserverpb.Lease/LeaseKeepAlive'])(
  'what is not whole yet: %s',
  (path) => {
    test('counts while it is held, and no more once its call has ended', async () => {
      const streams = [open(path), open(path)];
      for (const stream of streams) {
        stream.write(most);
      }

      await vi.waitFor(async () => expect(await inflightBytes()).toBe(2 * (most.length - 5)));
      for (const stream of streams) {
        stream.close();
      }

      await vi.waitFor(async () => expect(await inflightBytes()).toBe(0));
    });
  },
);

test('calls on which only most of a message has come are refused beyond the limit', async () => {
  const refused = vi.fn();
  const streams = Array.from({ length: 6 }, () => open(Put.path));
  for (const stream of streams) {
    stream.on('response', refused);
    stream.write(most);
  }
  // 200,000 bytes hold three of them.
  await vi.waitFor(() => expect(refused).toHaveBeenCalledTimes(3));

  expect(refused.mock.calls.map(([headers]) => headers as object)).toEqual(
    Array(3).fill(
      expect.objectContaining({ 'grpc-status': '8', 'holdfast-reason': 'bytes' }) as unknown,
    ),
  );
  expect(await inflightBytes()).toBe(3 * (most.length - 5));
});

test('a stream that goes on is ended beyond twice the limit alone', async () => {
  const refused = vi.fn();
  const streams = Array.from({ length: 8 }, () => open('/holdfast.v1.Pipeline/Operate'));
  for (const stream of streams) {
    stream.on('trailers', refused);
    stream.write(most);
  }
  // 400,000 bytes hold six of them.
  await vi.waitFor(() => expect(refused).toHaveBeenCalledTimes(2));

  expect(await inflightBytes()).toBe(6 * (most.length - 5));
});

test('a message that comes in pieces counts once, and is answered', async () => {
  const stream = open(Put.path);
  const trailers = once(stream, 'trailers');
  for (let at = 0; at < message.length; at += 7000) {
    stream.write(message.subarray(at, at + 7000));
    await new Promise((resolve) => setImmediate(resolve));
  }
  stream.end();

  expect((await trailers)[0]).toMatchObject({ 'grpc-status': '0' });
  await vi.waitFor(async () => expect(await inflightBytes()).toBe(0));
});

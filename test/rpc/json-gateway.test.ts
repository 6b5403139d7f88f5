/** The JSON gateway over real HTTP on loopback, in front of a fake member. */
import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { KvError } from '../../src/base/index.ts';
import { nodeEventLoop } from '../../src/cli/event-loop.ts';
import { FakeMember } from './fake-member.ts';
import { serve, type Serving } from './serving.ts';

let member: FakeMember;
let serving: Serving;
let agent: Agent;

beforeEach(async () => {
  member = new FakeMember();
  member.onPropose = async () =>
    Promise.resolve({ kind: 'ok', revision: 9, result: { type: 'put', prevKv: undefined } });
  serving = await serve(member, { timers: nodeEventLoop });
  agent = new Agent({ keepAlive: true });
});

afterEach(async () => {
  agent.destroy();
  await serving.close();
  expect(serving.defects).toEqual([]);
});

interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function begin(path: string, { method = 'POST', headers = {} }: Asked = {}): ClientRequest {
  const begun = request({ port: serving.port, path, method, headers, agent });
  begun.on('error', () => undefined);
  return begun;
}

async function answerOf(begun: ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(begun, 'response')) as [IncomingMessage];
  return response;
}

async function ask(path: string, body: unknown, asked?: Asked) {
  const begun = begin(path, asked);
  begun.end(typeof body === 'string' ? body : JSON.stringify(body));
  const response = await answerOf(begun);
  const { statusCode, headers } = response;
  return { status: statusCode, headers, body: await text(response) };
}

const put = { key: 'Zm9v', value: 'YmFy' };

describe('a call by JSON', () => {
  test('is done as by gRPC, and answered', async () => {
    const { status, headers, body } = await ask('/v3/kv/put', put);

    expect([status, headers['content-type']]).toEqual([200, 'application/json']);
    expect(JSON.parse(body)).toMatchObject({ header: { revision: '9', raft_term: '3' } });
    expect(member.asked).toMatchObject([
      { method: 'propose', command: { type: 'put', key: Buffer.from('foo') } },
    ]);
  });

  test('that fails says why, and whether it may have happened', async () => {
    member.onPropose = async () => Promise.reject(new KvError('TIMEOUT', { outcome: 'unknown' }));

    const { status, headers, body } = await ask('/v3/kv/put', put);

    expect(status).toBe(503);
    expect(headers).toMatchObject({
      'grpc-trailer-holdfast-code': 'TIMEOUT',
      'grpc-trailer-holdfast-outcome': 'unknown',
    });
    const message = 'etcdserver: request timed out';
    expect(JSON.parse(body)).toEqual({ error: message, message, code: 14 });
  });

  test('that makes no sense is refused, with nothing done', async () => {
    const { status, headers, body } = await ask('/v3/kv/put', { key: 5 });

    expect(status).toBe(400);
    expect(headers['grpc-trailer-holdfast-outcome']).toBe('rejected');
    expect(body).toContain('is base64 in a string');
    expect(member.asked).toEqual([]);
  });

  test('may be one of several attempts, named by a header', async () => {
    member.onPropose = async () =>
      Promise.resolve({
        ...{ kind: 'ok', revision: 9, isRepeated: true },
        result: { type: 'put', prevKv: undefined },
      });

    const { headers } = await ask('/v3/kv/put', put, { headers: { 'Idempotency-Key': 'pay-1' } });

    expect(member.asked).toMatchObject([
      { command: { type: 'once', id: { type: 'key', key: Buffer.from('pay-1') } } },
    ]);
    expect(headers['grpc-metadata-holdfast-repeated']).toBe('true');
  });

  test('may carry a deadline, and any metadata', async () => {
    const headers = {
      'Grpc-Timeout': '2S',
      'Grpc-Metadata-Idempotency-Key': 'pay-2',
    };

    await ask('/v3/kv/put', put, { headers });

    const [asked] = member.asked;
    expect(asked).toMatchObject({ command: { id: { key: Buffer.from('pay-2') } } });
    expect(asked?.options?.deadlineMs).toBeGreaterThan(0);
    expect(asked?.options?.deadlineMs).toBeLessThanOrEqual(2000);
  });

  test('that is answered before it is whole ends its connection, and is kept no more', async () => {
    const begun = begin('/v3/kv/put');
    const closed = new Promise((resolve) => begun.once('close', resolve));
    begun.write('{"key":5}');
    begun.write(' '.repeat(1024 * 1024));

    const response = await answerOf(begun);

    expect(response.headers.connection).toBe('close');
    response.resume();
    await closed;
  });

  test('that is too large is refused before it is read', async () => {
    const begun = begin('/v3/kv/put');
    begun.write(`{"key":"${'A'.repeat(1024 * 1024)}`);

    const response = await answerOf(begun);

    expect(response.statusCode).toBe(400);
    expect(await text(response)).toContain('request is too large');
    begun.destroy();
  });

  test('with a header that is no metadata is refused, and the next is not', async () => {
    const { status } = await ask('/v3/kv/put', put, { headers: { 'Grpc-Metadata-Upgrade': 'x' } });

    expect(status).toBe(400);
    expect((await ask('/v3/kv/put', put)).status).toBe(200);
  });

  test('whose answer there is no room for says that it was carried out', async () => {
    const value = Buffer.alloc(22 * 1024 * 1024);
    const kv = {
      ...{ key: Buffer.from('foo'), value, createRevision: 1, modRevision: 1 },
      ...{ version: 1, lease: 0n, ttlMs: 0 },
    };
    member.onPropose = async () =>
      Promise.resolve({ kind: 'ok', revision: 9, result: { type: 'put', prevKv: kv } });

    const { status, headers, body } = await ask('/v3/kv/put', { ...put, prev_kv: true });

    expect(status).toBe(429);
    expect(headers['grpc-trailer-holdfast-outcome']).toBe('unknown');
    expect(body).toContain('read it in pages');
    member.onPropose = async () =>
      Promise.resolve({ kind: 'ok', revision: 9, result: { type: 'put', prevKv: undefined } });
    expect((await ask('/v3/kv/put', put)).status).toBe(200);
  });

  test('has room for its answer though another connection does not read its own', async () => {
    const kvOf = (bytes: number) => ({
      ...{ key: Buffer.from('foo'), value: Buffer.alloc(bytes), createRevision: 1 },
      ...{ modRevision: 1, version: 1, lease: 0n, ttlMs: 0 },
    });
    const answersWith = (bytes: number): void => {
      member.onPropose = async () =>
        Promise.resolve({ kind: 'ok', revision: 9, result: { type: 'put', prevKv: kvOf(bytes) } });
    };
    answersWith(20 * 1024 * 1024);
    const unread = begin('/v3/kv/put');
    unread.end(JSON.stringify({ ...put, prev_kv: true }));
    await answerOf(unread);

    answersWith(5 * 1024 * 1024);
    const { status } = await ask('/v3/kv/put', { ...put, prev_kv: true });

    expect(status).toBe(200);
  });

  test('of a page in a browser is refused, and nothing done', async () => {
    const headers = { origin: 'http://elsewhere.example', 'content-type': 'text/plain' };

    const { status, body } = await ask('/v3/kv/put', put, { headers });

    expect([status, member.asked]).toEqual([403, []]);
    expect(body).toContain('Origin');
  });

  test('counts for its own connection, not for all that come by JSON', async () => {
    const clients = async (): Promise<string | undefined> =>
      /holdfast_clients (\d+)/.exec(await serving.metrics.render())?.[1];
    member.onPropose = async () => new Promise(() => undefined);
    begin('/v3/kv/put').end(JSON.stringify(put));
    begin('/v3/kv/put').end(JSON.stringify(put));

    await vi.waitFor(async () => expect(await clients()).toBe('2'));
  });
});

describe('a path that is no method', () => {
  test.each([
    ['/v3/kv/nothing', 'POST', 404],
    ['/v3/kv/put', 'GET', 405],
    ['/', 'GET', 404],
    ['/health', 'GET', 200],
    ['/version', 'GET', 200],
    ['/metrics', 'GET', 200],
    ['/health', 'POST', 405],
  ])('%s is answered to %s with %i', async (path, method, status) => {
    expect((await ask(path, '', { method })).status).toBe(status);
  });
});

describe('a stream by JSON', () => {
  test('has a line for each answer, and ends with its client’s requests', async () => {
    member.onKeepAlive = async (id) => Promise.resolve({ ttlSeconds: 60, id } as never);
    const begun = begin('/v3/lease/keepalive');
    begun.write('{"ID":7}');
    const response = await answerOf(begun);
    begun.end('{"ID":"8"}');

    const lines = (await text(response)).trim().split('\n');

    expect(response.statusCode).toBe(200);
    expect(lines.map((line): unknown => JSON.parse(line))).toMatchObject([
      { result: { ID: '7' } },
      { result: { ID: '8' } },
    ]);
  });

  test('ends with its client', async () => {
    const streams = async (): Promise<string | undefined> =>
      /holdfast_client_streams (\d+)/.exec(await serving.metrics.render())?.[1];
    const begun = begin('/v3/lease/keepalive');
    begun.write('{"ID":7}');
    await vi.waitFor(async () => expect(await streams()).toBe('1'));

    begun.destroy();

    await vi.waitFor(async () => expect(await streams()).toBe('0'));
  });

  test('that cannot begin says so with its status', async () => {
    const { status, body } = await ask('/v3/watch', { create_request: { key: 5 } });

    expect(status).toBe(400);
    expect(JSON.parse(body)).toMatchObject({ error: { grpc_code: 3, http_code: 400 } });
  });
});

test('a server that stops ends connections on which nothing happens', async () => {
  await ask('/v3/kv/put', put);
  const idle = connect(serving.port, '127.0.0.1');
  idle.write('GET /version HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(idle, 'data');
  const closed = once(idle, 'close');

  await serving.server.stop(60_000);

  await closed;
});

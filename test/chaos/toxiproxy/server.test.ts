/**
 * What clients of Toxiproxy and connections through it see: of our server, or of the one at
 * `TOXIPROXY_URL`, which must be in no other use: all of its proxies are removed.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Toxiproxy } from 'toxiproxy-node-client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { splitAddress } from '../../../chaos/toxiproxy/address.ts';
import { ToxiproxyServer } from '../../../chaos/toxiproxy/server.ts';

const runningUrl = process.env['TOXIPROXY_URL'] ?? '';
const isOurs = runningUrl === '';

let server: Pick<ToxiproxyServer, 'url' | 'stop'>;
let echo: Server;
let upstream: string;
/** What the upstream has accepted, the newest last. */
let accepted: Socket[];
const sockets: Socket[] = [];

async function startServer(): Promise<typeof server> {
  if (isOurs) {
    return ToxiproxyServer.start({ host: 'localhost', port: 0, random: () => 0.5 });
  }
  const client = new Toxiproxy(runningUrl);
  const stop = async () => {
    for (const proxy of Object.values(await client.getAll())) {
      await proxy.remove();
    }
  };
  await stop();
  return { url: runningUrl, stop };
}

beforeEach(async () => {
  server = await startServer();
  accepted = [];
  echo = createServer((socket) => {
    accepted.push(socket);
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  upstream = `127.0.0.1:${(echo.address() as { readonly port: number }).port}`;
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) {
    socket.destroy();
  }
  await server.stop();
  echo.close();
});

interface Got {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
}

async function call(method: string, path: string, body?: unknown): Promise<Got> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { 'user-agent': 'test' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  expect(response.headers.get('x-toxiproxy-request-id')).toMatch(/\S/);
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: await response.text(),
  };
}

async function create(name = 'echo', listen = '127.0.0.1:0'): Promise<string> {
  const { body, status } = await call('POST', '/proxies', { name, listen, upstream });
  expect(status, body).toBe(201);
  return (JSON.parse(body) as { readonly listen: string }).listen;
}

/** A connection that has passed something, with its other end. */
async function established(listen: string): Promise<{ client: Socket; server: Socket }> {
  const client = await dial(listen);
  await roundTrip(client, 'a');
  const server = accepted.at(-1);
  if (server === undefined) {
    throw new Error('the upstream must have accepted it');
  }
  return { client, server };
}

async function addToxic(
  type: string,
  attributes: Readonly<Record<string, number>>,
  stream = 'downstream',
  name = `${type}_${stream}`,
): Promise<void> {
  const { body, status } = await call('POST', '/proxies/echo/toxics', {
    ...{ type, stream, name, attributes },
  });
  expect(status, body).toBe(200);
}

async function dial(listen: string): Promise<Socket> {
  const [host, port] = splitAddress(listen);
  const socket = connect({ host, port });
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** Everything that comes until the end, and how that came. */
async function readAll(socket: Socket): Promise<{ readonly text: string; readonly end: string }> {
  let text = '';
  socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
  return new Promise((resolve) => {
    socket.once('end', () => {
      resolve({ text, end: 'FIN' });
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve({ text, end: error.code ?? '' });
    });
  });
}

async function roundTrip(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return bytes.toString();
}

describe('the HTTP API', () => {
  test('tells its version as the real one does', async () => {
    expect(await call('GET', '/version')).toEqual({
      status: 200,
      type: 'application/json;charset=utf-8',
      body: isOurs
        ? '{"version": "2.12.0"}\n'
        : (expect.stringMatching(/^\{"version": "\d+\.\d+\.\d+"\}\n$/) as string),
    });
  });

  test('shows a proxy with its bound address and the stray field of the real one', async () => {
    const listen = await create();

    const { body } = await call('GET', '/proxies/echo');

    expect(body).toBe(
      `{"name":"echo","listen":"${listen}","upstream":"${upstream}","enabled":true,` +
        '"Logger":{},"toxics":[]}',
    );
    expect(JSON.parse((await call('GET', '/proxies')).body)).toHaveProperty('echo');
  });

  test.each([
    ['POST', '/proxies', '', 400, 'bad request body: EOF'],
    ['POST', '/proxies', '{"name"', 400, 'bad request body: unexpected EOF'],
    [
      'POST',
      '/proxies',
      'x',
      400,
      "bad request body: invalid character 'x' looking for beginning of value",
    ],
    [
      'POST',
      '/proxies',
      { name: 1 },
      400,
      'bad request body: json: cannot unmarshal number into Go struct field ' +
        'Proxy.name of type string',
    ],
    [
      'POST',
      '/proxies',
      '{name: 1}',
      400,
      "bad request body: invalid character 'n' looking for beginning of object key string",
    ],
    ['POST', '/proxies', { upstream: 'a:1' }, 400, 'missing required field: name'],
    ['POST', '/proxies', { name: 'a' }, 400, 'missing required field: upstream'],
    ['POST', '/proxies', { name: 'echo', upstream: 'a:1' }, 409, 'proxy already exists'],
    ['GET', '/proxies/none', undefined, 404, 'proxy not found'],
    ['DELETE', '/proxies/none', undefined, 404, 'proxy not found'],
    ['GET', '/proxies/none/toxics', undefined, 404, 'proxy not found'],
    ['GET', '/proxies/echo/toxics/none', undefined, 404, 'toxic not found'],
    ['POST', '/proxies/echo/toxics', { type: 'fire' }, 400, 'invalid toxic type'],
    [
      'POST',
      '/proxies/echo/toxics',
      { type: 'fire', stream: 'sideways' },
      400,
      'stream was invalid, can be either upstream or downstream',
    ],
    ['POST', '/proxies/echo/toxics', { type: 'noop' }, 409, 'toxic already exists'],
    [
      'POST',
      '/proxies/echo/toxics',
      '{"type":"latency","attributes":{"latency":1e3}}',
      400,
      'bad request body: json: cannot unmarshal number 1e3 into Go struct field ' +
        'LatencyToxic.attributes.latency of type int64',
    ],
    [
      'POST',
      '/proxies/echo/toxics',
      { type: 'latency', attributes: [] },
      400,
      'bad request body: json: cannot unmarshal array into Go struct field ' +
        'ToxicWrapper.attributes of type toxics.NoopToxic',
    ],
    [
      'POST',
      '/proxies',
      { name: 'b', listen: 'x', upstream: 'a:1' },
      500,
      'listen tcp: address x: missing port in address',
    ],
  ])('%s %s %j is refused with %i', async (method, path, body, status, error) => {
    await create();
    await call('POST', '/proxies/echo/toxics', { type: 'noop' });

    expect(await call(method, path, body)).toEqual({
      status,
      type: 'text/plain; charset=utf-8',
      body: `${JSON.stringify({ error, status })}\n`,
    });
  });

  test('an address in use is a 500 in the words of Go', async () => {
    const listen = await create();

    const { status, body } = await call('POST', '/proxies', { name: 'b', listen, upstream });

    expect(status).toBe(500);
    expect(JSON.parse(body)).toEqual({
      error: `listen tcp ${listen}: bind: address already in use`,
      status: 500,
    });
    expect((await call('GET', '/proxies/b')).status).toBe(404);
  });

  test.each([
    ['GET', '/nowhere', 404, '404 page not found\n'],
    ['GET', '/proxies/', 404, '404 page not found\n'],
    ['GET', '/proxies/a%2Fb', 404, '404 page not found\n'],
    ['DELETE', '/version', 405, ''],
  ])('%s %s is turned away with %i, and has no number', async (method, path, status, body) => {
    const response = await fetch(`${server.url}${path}`, { method });

    expect({ status: response.status, body: await response.text() }).toEqual({ status, body });
    expect(response.headers.get('x-toxiproxy-request-id')).toBeNull();
  });

  test('browsers are turned away', async () => {
    const headers = { 'user-agent': 'Mozilla/5.0' };
    expect((await fetch(`${server.url}/version`, { headers })).status).toBe(403);
  });

  test('names of fields are found in any case; what follows a body is not looked at', async () => {
    const { status, body } = await call('POST', '/proxies', '{"NAME":"<a>","UpStream":"a:1"} more');

    expect(status, body).toBe(201);
    expect(body).toContain('"name":"\\u003ca\\u003e"');
  });

  test('a toxic has its defaults, and is named after type and stream', async () => {
    await create();

    const added = await call('POST', '/proxies/echo/toxics', {
      type: 'latency',
      stream: 'UpStream',
      attributes: { latency: 7, color: 'red' },
    });
    const changed = await call('PATCH', '/proxies/echo/toxics/latency_UpStream', {
      name: 'other',
      toxicity: 0.5,
      attributes: { jitter: 2 },
    });

    expect(added).toEqual({
      status: 200,
      type: 'application/json',
      body:
        '{"attributes":{"latency":7,"jitter":0},"name":"latency_UpStream","type":"latency",' +
        '"stream":"UpStream","toxicity":1}',
    });
    expect(JSON.parse(changed.body)).toMatchObject({
      name: 'latency_UpStream',
      toxicity: 0.5,
      attributes: { latency: 7, jitter: 2 },
    });
    expect(await call('DELETE', '/proxies/echo/toxics/latency_UpStream')).toMatchObject({
      status: 204,
      body: '',
    });
  });

  test('toxics of the upstream are listed first', async () => {
    await create();
    for (const stream of ['downstream', 'upstream']) {
      await call('POST', '/proxies/echo/toxics', { type: 'noop', stream });
    }

    const { body } = await call('GET', '/proxies/echo/toxics');

    const names = (JSON.parse(body) as { readonly name: string }[]).map(({ name }) => name);
    expect(names).toEqual(['noop_upstream', 'noop_downstream']);
  });

  test('populating keeps what is as wanted', async () => {
    const listen = await create();
    await call('POST', '/proxies/echo/toxics', { type: 'noop' });

    const kept = await call('POST', '/populate', [{ name: 'echo', listen, upstream }]);

    expect(kept.status).toBe(201);
    const shown = JSON.parse((await call('GET', '/proxies/echo')).body) as object;
    expect(shown).toMatchObject({ enabled: true, toxics: [{ type: 'noop' }] });
    if (isOurs) {
      // Before 2.12 Toxiproxy answered with what was asked for, without its toxics.
      expect(JSON.parse(kept.body)).toEqual({ proxies: [shown] });
    }
  });

  test('populating tells what it made before an error', async () => {
    const listen = await create();

    const failed = await call('POST', '/populate', [
      { name: 'second', listen: '127.0.0.1:0', upstream },
      { name: 'third', listen, upstream },
    ]);
    const empty = await call('POST', '/populate', []);
    const wrong = await call('POST', '/populate', [{ name: 'a', upstream }, { name: 'b' }]);

    expect(failed.status).toBe(500);
    expect(JSON.parse(failed.body)).toMatchObject({ proxies: [{ name: 'second' }] });
    expect(empty.body).toBe('{"proxies":null}');
    expect((await call('POST', '/populate', 'null')).body).toBe('{"proxies":null}');
    expect(JSON.parse(wrong.body)).toEqual({
      error: 'missing required field: upstream at proxy 2',
      status: 400,
      proxies: null,
    });
  });

  test('a proxy that cannot be replaced stays, disabled', async () => {
    const listen = await create();
    const taken = await create('taken');

    const { status } = await call('POST', '/populate', [{ name: 'echo', listen: taken, upstream }]);

    expect(status).toBe(500);
    const shown = JSON.parse((await call('GET', '/proxies/echo')).body) as object;
    expect(shown).toMatchObject({ listen, enabled: false });
  });
});

describe('toxiproxy-node-client', () => {
  test('creates, disables, moves and removes proxies and toxics', async () => {
    const client = new Toxiproxy(server.url);
    const proxy = await client.createProxy({ name: 'p', listen: '127.0.0.1:0', upstream });

    expect(await client.getVersion()).toContain('version');
    const toxic = await proxy.addToxic({
      name: 'slow',
      type: 'latency',
      stream: 'downstream',
      toxicity: 1,
      attributes: { latency: 1, jitter: 0 },
    });
    await proxy.update({ enabled: false, listen: proxy.listen, upstream });
    expect((await client.get('p')).enabled).toBe(false);
    await client.reset();
    expect((await client.get('p')).enabled).toBe(true);
    await expect(toxic.remove()).rejects.toThrow('404');
    await proxy.remove();

    expect(await client.getAll()).toEqual({});
    const made = await client.populate([{ name: 'q', listen: '127.0.0.1:0', upstream }]);
    expect(Object.keys(made)).toEqual(['q']);
  });
});

describe('connections', () => {
  test('pass both ways, and a close is passed on', async () => {
    const socket = await dial(await create());

    expect(await roundTrip(socket, 'hello')).toBe('hello');
    const all = readAll(socket);
    socket.end('bye');

    expect((await all).end).toBe('FIN');
  });

  test('large data arrives whole through a proxy that must hold back', async () => {
    const listen = await create();
    await call('POST', '/proxies/echo/toxics', {
      type: 'latency',
      attributes: { latency: 5 },
    });
    const socket = await dial(listen);
    const size = 8 * 1024 * 1024;
    let got = 0;
    const done = new Promise<void>((resolve) => {
      socket.on('data', (bytes: Buffer) => {
        got += bytes.length;
        if (got >= size) {
          resolve();
        }
      });
    });

    socket.write(Buffer.alloc(size, 'x'));
    await done;

    expect(got).toBe(size);
  });

  test('disabling ends live connections and refuses new ones; toxics are kept', async () => {
    const listen = await create();
    await call('POST', '/proxies/echo/toxics', { type: 'noop' });
    const socket = await dial(listen);
    await roundTrip(socket, 'a');
    const all = readAll(socket);

    await call('POST', '/proxies/echo', { enabled: false });

    expect((await all).end).toBe('FIN');
    await expect(dial(listen)).rejects.toThrow('ECONNREFUSED');
    await call('POST', '/proxies/echo', { enabled: true });
    expect(await roundTrip(await dial(listen), 'b')).toBe('b');
    expect(JSON.parse((await call('GET', '/proxies/echo')).body)).toMatchObject({
      listen,
      toxics: [{ type: 'noop' }],
    });
  });

  test('an upstream that refuses closes the accepted connection', async () => {
    const listen = await create();
    echo.close();

    expect((await readAll(await dial(listen))).end).toBe('FIN');
  });

  test('an upstream that is no address closes the accepted connection', async () => {
    const { body } = await call('POST', '/proxies', {
      ...{ name: 'lost', listen: '127.0.0.1:0', upstream: 'nowhere' },
    });
    const { listen } = JSON.parse(body) as { readonly listen: string };

    expect((await readAll(await dial(listen))).end).toBe('FIN');
  });

  test('a latency toxic delays answers, also of connections that are open', async () => {
    const socket = await dial(await create());
    await roundTrip(socket, 'a');
    await call('POST', '/proxies/echo/toxics', { type: 'latency', attributes: { latency: 50 } });
    const startMs = performance.now();

    await roundTrip(socket, 'b');

    // A timer may fire a fraction of a millisecond early.
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(49);
  });

  test('a removed latency lets go what it held', async () => {
    const socket = await dial(await create());
    await call('POST', '/proxies/echo/toxics', {
      type: 'latency',
      attributes: { latency: 3_600_000 },
    });
    const answer = roundTrip(socket, 'held');
    await call('GET', '/version');

    await call('DELETE', '/proxies/echo/toxics/latency_downstream');

    expect(await answer).toBe('held');
  });

  test('a removed timeout closes what it silenced', async () => {
    const socket = await dial(await create());
    await call('POST', '/proxies/echo/toxics', { type: 'timeout', attributes: { timeout: 0 } });
    socket.write('lost');
    const all = readAll(socket);
    await call('GET', '/version');

    await call('DELETE', '/proxies/echo/toxics/timeout_downstream');

    expect(await all).toEqual({ text: '', end: 'FIN' });
  });

  test('the delays of several latencies add up', async () => {
    const socket = await dial(await create());
    await roundTrip(socket, 'a');
    await addToxic('latency', { latency: 40 }, 'downstream', 'one');
    await addToxic('latency', { latency: 40 }, 'downstream', 'two');
    const startMs = performance.now();

    await roundTrip(socket, 'b');

    expect(performance.now() - startMs).toBeGreaterThanOrEqual(78);
  });

  test('a latency that is changed lets go the chunk that it has in hand', async () => {
    const socket = await dial(await create());
    await addToxic('latency', { latency: 3_600_000 });
    const answer = roundTrip(socket, 'held');
    await vi.waitFor(() => {
      expect(accepted.at(-1)?.bytesWritten).toBe(4);
    });
    await call('GET', '/version');

    await call('POST', '/proxies/echo/toxics/latency_downstream', {
      attributes: { latency: 3_600_000 },
    });

    expect(await answer).toBe('held');
  });

  test.each(['upstream', 'downstream'])('a timeout of the %s passes on the end', async (stream) => {
    const listen = await create();
    const { client, server: other } = await established(listen);
    await addToxic('timeout', { timeout: 0 }, stream);
    const ended = once(stream === 'upstream' ? other : client, 'end');
    client.resume();

    if (stream === 'upstream') {
      client.end('lost');
    } else {
      other.end('lost');
    }

    await ended;
  });

  test('reset_peer resets a connection that began under it', async () => {
    const listen = await create();
    await addToxic('reset_peer', { timeout: 0 });
    const socket = await dial(listen);
    const end = readAll(socket);
    socket.write('a');

    expect((await end).end).toBe('ECONNRESET');
  });

  test('reset_peer closes a connection that was open before', async () => {
    const { client } = await established(await create());
    await addToxic('reset_peer', { timeout: 0 });
    const end = readAll(client);
    client.write('a');

    expect((await end).end).toBe('FIN');
  });

  test('a connection that began under reset_peer is reset without the toxic, too', async () => {
    const listen = await create();
    await addToxic('reset_peer', { timeout: 0 });
    const socket = await dial(listen);
    await vi.waitFor(() => {
      expect(accepted).toHaveLength(1);
    });
    await call('DELETE', '/proxies/echo/toxics/reset_peer_downstream');
    expect(await roundTrip(socket, 'a')).toBe('a');
    const end = readAll(socket);

    await call('POST', '/proxies/echo', { enabled: false });

    expect((await end).end).toBe('ECONNRESET');
  });

  test('limit_data ends after its bytes, counted while it is changed', async () => {
    const listen = await create();
    await addToxic('limit_data', { bytes: 4 });
    const socket = await dial(listen);
    expect(await roundTrip(socket, 'abc')).toBe('abc');
    await call('POST', '/proxies/echo/toxics/limit_data_downstream', { attributes: { bytes: 5 } });
    const end = readAll(socket);
    socket.write('def');

    expect(await end).toEqual({ text: 'de', end: 'FIN' });
  });
});

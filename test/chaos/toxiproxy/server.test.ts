import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Toxiproxy } from 'toxiproxy-node-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { splitAddress } from '../../../chaos/toxiproxy/proxy.ts';
import { ToxiproxyServer } from '../../../chaos/toxiproxy/server.ts';

let server: ToxiproxyServer;
let echo: Server;
let upstream: string;
const sockets: Socket[] = [];

beforeEach(async () => {
  server = await ToxiproxyServer.start({ host: 'localhost', port: 0, random: () => 0.5 });
  echo = createServer((socket) => {
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
      body: '{"version": "2.12.0"}\n',
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
      'bad request body: json: cannot unmarshal number into Go struct field .name of type string',
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

  test('unknown paths, wrong methods and browsers are turned away', async () => {
    expect(await call('GET', '/nowhere')).toMatchObject({
      status: 404,
      body: '404 page not found\n',
    });
    expect(await call('DELETE', '/version')).toMatchObject({ status: 405, body: '' });
    const browser = await fetch(`${server.url}/version`, {
      headers: { 'user-agent': 'Mozilla/5.0' },
    });
    expect(browser.status).toBe(403);
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

  test('populating keeps what is as wanted, and tells what it made before an error', async () => {
    const listen = await create();
    await call('POST', '/proxies/echo/toxics', { type: 'noop' });

    const kept = await call('POST', '/populate', [{ name: 'echo', listen, upstream }]);
    const failed = await call('POST', '/populate', [
      { name: 'second', listen: '127.0.0.1:0', upstream },
      { name: 'third', listen, upstream },
    ]);
    const empty = await call('POST', '/populate', []);
    const wrong = await call('POST', '/populate', [{ name: 'a', upstream }, { name: 'b' }]);

    expect(kept.status).toBe(201);
    expect(JSON.parse(kept.body)).toMatchObject({ proxies: [{ toxics: [{ type: 'noop' }] }] });
    expect(failed.status).toBe(500);
    expect(JSON.parse(failed.body)).toMatchObject({ proxies: [{ name: 'second' }] });
    expect(empty.body).toBe('{"proxies":null}');
    expect(JSON.parse(wrong.body)).toEqual({
      error: 'missing required field: upstream at proxy 2',
      status: 400,
      proxies: null,
    });
  });
});

describe('toxiproxy-node-client', () => {
  test('creates, disables, moves and removes proxies and toxics', async () => {
    const client = new Toxiproxy(server.url);
    const proxy = await client.createProxy({ name: 'p', listen: '127.0.0.1:0', upstream });

    expect(await client.getVersion()).toContain('2.12.0');
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

  test('reset_peer resets, limit_data ends after its bytes', async () => {
    const listen = await create();
    await call('POST', '/proxies/echo/toxics', { type: 'reset_peer', attributes: { timeout: 0 } });
    const reset = await dial(listen);
    const resetEnd = readAll(reset);
    reset.write('a');
    expect((await resetEnd).end).toBe('ECONNRESET');

    await call('POST', '/reset');
    await call('POST', '/proxies/echo/toxics', { type: 'limit_data', attributes: { bytes: 1 } });
    const limited = await dial(listen);
    const limitedEnd = readAll(limited);
    limited.write('abc');

    expect(await limitedEnd).toEqual({ text: 'a', end: 'FIN' });
  });
});

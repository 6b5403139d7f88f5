import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  blackHole,
  Links,
  type LinkToxic,
  prefixOf,
  ToxiproxyService,
} from '../../chaos/topology/links.ts';
import { ToxiproxyServer } from '../../chaos/toxiproxy/server.ts';

let toxiproxy: ToxiproxyServer;
let echo: Server;
let links: Links;
let address: string;

beforeEach(async () => {
  toxiproxy = await ToxiproxyServer.start({ host: 'localhost', port: 0, random: () => 0.5 });
  echo = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  links = new Links(toxiproxy.url, 'test');
  const { port } = echo.address() as { readonly port: number };
  address = await links.add('n1>n2', `127.0.0.1:${port}`);
});

afterEach(async () => {
  await links.remove();
  await toxiproxy.stop();
  echo.close();
});

/** What comes back, or how the connection failed. */
async function roundTrip(): Promise<string> {
  const [host = '', port = ''] = address.split(':');
  const socket = connect({ host, port: Number(port) });
  socket.write('hello');
  return new Promise((resolve) => {
    const settle = (what: string) => {
      socket.destroy();
      resolve(what);
    };
    socket.once('data', (bytes: Buffer) => {
      settle(bytes.toString());
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      settle(error.code ?? '');
    });
    socket.once('end', () => {
      settle('end');
    });
  });
}

describe('Links', () => {
  test('carry until they are disturbed, and again after that', async () => {
    expect(await roundTrip()).toBe('hello');

    const end = await links.disturb(
      ['n1>n2'],
      [{ type: 'limit_data', stream: 'downstream', attributes: { bytes: 1 } }],
    );
    expect(await roundTrip()).toBe('h');
    await end();

    expect(await roundTrip()).toBe('hello');
  });

  test('are told to be disturbed by the server itself', async () => {
    expect(await links.toxicsOn(['n1>n2'])).toBe(0);

    const end = await links.disturb(['n1>n2'], blackHole);
    expect(await links.toxicsOn(['n1>n2'])).toBe(2);
    await end();

    expect(await links.toxicsOn(['n1>n2'])).toBe(0);
  });

  test('refuse until they are to take connections again', async () => {
    const end = await links.refuse(['n1>n2']);
    expect(await roundTrip()).toBe('ECONNREFUSED');
    await end();

    expect(await roundTrip()).toBe('hello');
  });

  test('healing ends everything, and ending twice does nothing', async () => {
    const end = await links.disturb(
      ['n1>n2'],
      [{ type: 'reset_peer', stream: 'upstream', attributes: { timeout: 0 } }],
    );
    await links.refuse(['n1>n2']);

    await links.heal();
    await end();

    expect(await roundTrip()).toBe('hello');
  });

  test('healing those of a server that ran before ends what an earlier run has left', async () => {
    const earlier = new Links(toxiproxy.url, '');
    const { port } = echo.address() as { readonly port: number };
    address = await earlier.add('n2>n3', `127.0.0.1:${port}`);
    // The proxy of a compose file has no prefix.
    const later = new Links(toxiproxy.url, '');
    await earlier.disturb(['n2>n3'], blackHole);
    await later.adopt('-n2>n3');

    await later.heal();

    expect(await later.toxicsOn(['-n2>n3'])).toBe(0);
    expect(await roundTrip()).toBe('hello');
    await later.remove();
  });

  test('an unknown link is named together with those that there are', async () => {
    await expect(links.refuse(['n9>n8'])).rejects.toThrow('no link n9>n8; there are n1>n2');
  });

  test('what Toxiproxy refuses is told with the link and its answer', async () => {
    const odd = { type: 'fire', stream: 'upstream', attributes: {} } as unknown as LinkToxic;

    await expect(links.disturb(['n1>n2'], [odd])).rejects.toThrow(
      'Toxiproxy did not take fire on n1>n2: Request failed with status code 400',
    );
  });
});

describe('ToxiproxyService', () => {
  test('takes the running server that it is told of, and its version', async () => {
    await using service = await ToxiproxyService.start(1, `${toxiproxy.url}/`);

    expect(service).toMatchObject({ url: toxiproxy.url, version: '2.12.0' });
  });

  test('removes what runs that were killed have left there, and nothing else', async () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    const names = [prefixOf('1', pid), prefixOf('1'), prefixOf('1', 1), `of-hf${pid}`];
    const { port } = echo.address() as { readonly port: number };
    const kept = await Promise.all(
      names.map(async (name) => {
        const those = new Links(toxiproxy.url, name);
        await those.add('n1>n2', `127.0.0.1:${port}`);
        return those;
      }),
    );

    await using service = await ToxiproxyService.start(1, toxiproxy.url);

    const answer = await fetch(`${service.url}/proxies`);
    const left = Object.keys((await answer.json()) as object);
    expect(left.sort()).toEqual(['test', ...names.slice(1)].map((it) => `${it}-n1-to-n2`).sort());
    await Promise.all(kept.slice(1).map(async (those) => those.remove()));
  });

  test('says what is wrong where no Toxiproxy is', async () => {
    await expect(ToxiproxyService.start(1, `${toxiproxy.url}/proxies`)).rejects.toThrow(
      /^no Toxiproxy at http:.*, which TOXIPROXY_URL names: it answers 404 with /,
    );

    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as { readonly port: number };
    closed.close();
    const url = `http://127.0.0.1:${port}`;
    await expect(ToxiproxyService.start(1, url)).rejects.toThrow('ECONNREFUSED');
  });
});

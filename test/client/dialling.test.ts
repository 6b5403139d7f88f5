/** Connections of grpc-js that end with a signal while they are being made. */
import { getEventListeners, once } from 'node:events';
import {
  type AddressInfo,
  connect,
  createServer,
  type NetConnectOpts,
  type Socket,
} from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Client, credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { dialled } from '../../src/client/dialling.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
setFlagsFromString('--no-expose-gc');

function dial(address: string, signal: AbortSignal, redialMs = 1000): Client {
  const { target, options } = dialled(address, signal);
  const client = new Client(target, credentials.createInsecure(), {
    ...options,
    'grpc.initial_reconnect_backoff_ms': redialMs,
    'grpc.min_reconnect_backoff_ms': redialMs,
    'grpc.max_reconnect_backoff_ms': redialMs,
  });
  onTestFinished(() => client.close());
  return client;
}

async function isReady(client: Client): Promise<string | undefined> {
  return new Promise((resolve) => {
    client.waitForReady(Date.now() + 10_000, (error) => resolve(error?.message));
  });
}

describe('a channel that is dialled', () => {
  test.each(['localhost', '127.0.0.1'])('finds %s', async (host) => {
    const server = new Server();
    onTestFinished(() => server.forceShutdown());
    const port = await new Promise<number>((resolve) => {
      const bound = (_: Error | null, at: number): void => resolve(at);
      server.bindAsync('localhost:0', ServerCredentials.createInsecure(), bound);
    });

    expect(await isReady(dial(`${host}:${port}`, new AbortController().signal))).toBeUndefined();
  });

  test('gives up the connection that it makes when its signal fires', async () => {
    const silent = createServer();
    onTestFinished(() => void silent.close());
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const controller = new AbortController();
    const client = dial(`127.0.0.1:${(silent.address() as AddressInfo).port}`, controller.signal);
    client.getChannel().getConnectivityState(true);
    const [socket] = (await once(silent, 'connection')) as [Socket];
    socket.on('error', () => undefined).resume();
    collectGarbage();

    controller.abort();

    await once(socket, 'close');
    expect(socket.destroyed).toBe(true);
  });

  test('leaves nothing behind of the connections that it has made', async () => {
    let connections = 0;
    const closing = createServer((socket) => {
      connections++;
      socket.destroy();
    });
    onTestFinished(() => void closing.close());
    closing.listen(0, '127.0.0.1');
    await once(closing, 'listening');
    const { signal } = new AbortController();
    const client = dial(`127.0.0.1:${(closing.address() as AddressInfo).port}`, signal, 1);

    await vi.waitFor(
      () => {
        client.getChannel().getConnectivityState(true);
        expect(connections).toBeGreaterThan(30);
      },
      { timeout: 20_000, interval: 1 },
    );

    expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1);
  });

  test('keeps no socket that has been', async () => {
    const { signal } = new AbortController();
    const [given] = Object.values(dialled('n1:1', signal).options) as [AbortSignal];
    const sockets: WeakRef<Socket>[] = [];
    const open = async (): Promise<void> => {
      const socket = connect({ host: '127.0.0.1', port: 1, signal: given } as NetConnectOpts);
      sockets.push(new WeakRef(socket));
      await once(socket, 'close').catch(() => undefined);
    };
    for (let count = 0; count < 20; count++) {
      await open();
    }
    await setImmediate();
    collectGarbage();

    // The last one may be held by what was called last.
    expect(sockets.filter((socket) => socket.deref() !== undefined).length).toBeLessThan(3);
  });
});

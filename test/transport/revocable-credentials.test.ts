import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { ChannelCredentials, Client, credentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeRevocable } from '../../src/transport/revocable-credentials.ts';

/** A server that takes connections and never says a word. */
let silent: Server;
let port: number;
let accepted: Promise<Socket>;

beforeEach(async () => {
  silent = createServer();
  accepted = once(silent, 'connection').then(([socket]) => socket as Socket);
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  ({ port } = silent.address() as { readonly port: number });
});

afterEach(async () => {
  silent.close();
  await once(silent, 'close');
});

/** Calls something on the silent server; resolves to the status the call ends in. */
function callOver(channelCredentials: ChannelCredentials): {
  readonly client: Client;
  readonly ended: Promise<status>;
} {
  const client = new Client(`127.0.0.1:${port}`, channelCredentials, {
    'grpc.use_local_subchannel_pool': 1,
  });
  const same = (bytes: Buffer): Buffer => bytes;
  const ended = new Promise<status>((resolve) => {
    client.makeUnaryRequest('/a/B', same, same, Buffer.alloc(0), (error) => {
      resolve(error?.code ?? status.OK);
    });
  });
  return { client, ended };
}

describe('revocable credentials', () => {
  test('are credentials to grpc-js', () => {
    const { credentials: revocable } = makeRevocable(credentials.createInsecure());

    expect(revocable).toBeInstanceOf(ChannelCredentials);
  });

  test('close a connection that has had no answer yet, once they are revoked', async () => {
    const { credentials: revocable, revoke } = makeRevocable(credentials.createInsecure());
    const { client, ended } = callOver(revocable);
    const socket = await accepted;
    const closed = once(socket.resume(), 'close');

    client.close();
    revoke();

    await closed;
    expect([status.UNAVAILABLE, status.CANCELLED]).toContain(await ended);
  });

  test('close a connection that comes about after they were revoked', async () => {
    const { credentials: revocable, revoke } = makeRevocable(credentials.createInsecure());

    revoke();
    const { client } = callOver(revocable);
    const socket = await accepted;
    await once(socket.resume(), 'close');

    client.close();
  });

  test('may be revoked twice, and without a connection', () => {
    const { revoke } = makeRevocable(credentials.createInsecure());

    revoke();

    expect(() => revoke()).not.toThrow();
  });
});

/**
 * One outgoing link over a real connection, in virtual time: what is waited for is real input only.
 */
import { once } from 'node:events';
import { createServer, type Server as TcpServer, type Socket } from 'node:net';
import { credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Prng } from '../../src/base/index.ts';
import { refusalError } from '../../src/transport/handshake.ts';
import {
  OutgoingLink,
  type PeerEvent,
  type PeerLinkOptions,
} from '../../src/transport/peer-link.ts';
import { freePorts } from '../harness/processes.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';
import { FakePeer, type FakePeerOptions } from './fake-peer.ts';

/** Always draws the largest number, so that a backoff is its bound. */
const largest: Prng = { nextUint32: () => 0xffff_ffff, nextInt: (_lo, hi) => hi - 1 };
const messageBytes = 64 * 1024;

let loop: VirtualLoop;
let delays: number[];
let events: PeerEvent[];
let unreachable: number;
let down: number;
let refused: string[];
let link: OutgoingLink;
let peer: FakePeer | undefined;

beforeEach(() => {
  loop = new VirtualLoop();
  delays = [];
  events = [];
  unreachable = 0;
  down = 0;
  refused = [];
  peer = undefined;
});

afterEach(() => {
  link.stop();
  peer?.close();
});

/** A link to `port` that has not been started. */
function linkTo(port: number, options: Partial<PeerLinkOptions> = {}): OutgoingLink {
  return new OutgoingLink(
    { id: 2, name: 'n2', address: `127.0.0.1:${port}` },
    {
      identity: {
        clusterId: 77,
        memberId: 1,
        ...{ build: '0.1.0-test', levels: { oldest: 1, newest: 2 } },
        incarnation: 4242,
        clientUrls: ['http://a:1', 'http://b:2'],
        peerUrls: ['http://p:3'],
      },
      credentialsOf: () => credentials.createInsecure(),
      timers: {
        nowMs: () => loop.nowMs(),
        every: (periodMs, callback) => loop.every(periodMs, callback),
        after: (delayMs, callback) => {
          delays.push(delayMs);
          return loop.after(delayMs, callback);
        },
      },
      prng: largest,
      queueBytesMax: 1024 * 1024,
      onUnreachable: () => unreachable++,
      onDown: () => down++,
      onRefused: (reason) => refused.push(reason),
      onEvent: (event) => events.push(event),
      ...options,
    },
  );
}

/** Starts a peer and a link that is connected to it. */
async function connected(
  peerOptions: FakePeerOptions = {},
  options: Partial<PeerLinkOptions> = {},
): Promise<FakePeer> {
  peer = await FakePeer.listen(0, peerOptions);
  link = linkTo(peer.port, options);
  link.start();
  await until(() => link.state.isConnected);
  return peer;
}

/** Waits for real input; virtual time stands still. */
async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(condition()).toBe(true), { timeout: 10_000, interval: 1 });
}

function send(...messages: readonly string[]): readonly number[] {
  return link.send(messages.map((message) => Buffer.from(message)));
}

describe('dialling', () => {
  test('says who dials whom, in which cluster, and where clients reach this member', async () => {
    const { dialled } = await connected();

    expect(dialled[0]?.getMap()).toMatchObject({
      'holdfast-cluster': '77',
      'holdfast-from': '1',
      'holdfast-to': '2',
      'holdfast-protocol': '2.4',
      'holdfast-encodings': '4-4',
      'holdfast-levels': '1-2',
      'holdfast-build': '0.1.0-test',
      'holdfast-incarnation': '4242',
      'holdfast-client-urls': 'http://a:1,http://b:2',
      'holdfast-peer-urls': 'http://p:3',
    });
    expect(events).toEqual([{ type: 'peer-connected', peer: 'n2' }]);
  });

  test('is tried again after a backoff that doubles from 50 ms to a second', async () => {
    const [port = 0] = await freePorts(1);
    link = linkTo(port);
    link.start();

    for (let attempts = 1; attempts <= 8; attempts++) {
      await until(() => delays.length === attempts);
      await loop.run(delays.at(-1) ?? 0);
    }

    expect(delays.slice(0, 8)).toEqual([50, 100, 200, 400, 800, 1000, 1000, 1000]);
  });

  test('that fails again for the same reason is told once', async () => {
    const [port = 0] = await freePorts(1);
    link = linkTo(port);
    link.start();

    for (let attempts = 1; attempts <= 4; attempts++) {
      await until(() => delays.length === attempts);
      await loop.run(delays.at(-1) ?? 0);
    }

    expect(events).toMatchObject([{ type: 'peer-unreachable', peer: 'n2' }]);
    expect(down).toBe(0);
  });

  test('succeeds once the peer is there', async () => {
    const [port = 0] = await freePorts(1);
    link = linkTo(port);
    link.start();
    await until(() => delays.length === 1);

    peer = await FakePeer.listen(port);
    await loop.run(50);
    await until(() => link.state.isConnected);

    expect(events.map(({ type }) => type)).toEqual(['peer-unreachable', 'peer-connected']);
  });

  test('does not wait out the backoff when the peer has just shown up', async () => {
    const [port = 0] = await freePorts(1);
    link = linkTo(port);
    link.start();
    await until(() => delays.length === 1);

    peer = await FakePeer.listen(port);
    link.dialNow();
    await until(() => link.state.isConnected);

    expect(loop.nowMs()).toBe(0);
  });

  test('a peer that is connected already is not dialled again', async () => {
    const { dialled } = await connected();

    link.dialNow();
    send('a');
    await until(() => peer?.messages.length === 1);

    expect(dialled).toHaveLength(1);
  });

  test('that is refused says why, once, and is tried again', async () => {
    peer = await FakePeer.listen(0, { refusal: 'this member has cluster id 78' });
    link = linkTo(peer.port);
    link.start();

    await until(() => delays.length === 1);
    await loop.run(50);
    await until(() => delays.length === 2);

    expect(events).toEqual([
      {
        type: 'peer-refused',
        peer: 'n2',
        reason: '9 FAILED_PRECONDITION: this member has cluster id 78',
      },
    ]);
    expect(link.state.isConnected).toBe(false);
    expect(peer.dialled).toHaveLength(2);
  });

  test.each(['removed', 'lost-data'] as const)(
    'that is refused as %s goes on slowly, and is told once',
    async (refusal) => {
      peer = await FakePeer.listen(0, { refusal: refusalError(1, refusal) });
      link = linkTo(peer.port);
      link.start();

      for (let attempts = 1; attempts <= 6; attempts++) {
        await until(() => delays.length === attempts);
        await loop.run(delays.at(-1) ?? 0);
      }

      expect(delays.slice(0, 6)).toEqual([5000, 10_000, 20_000, 40_000, 60_000, 60_000]);
      expect(refused).toEqual([refusal]);
      expect(events).toMatchObject([{ type: 'peer-refused', peer: 'n2' }]);
    },
  );

  test('refused since the member is not known, it goes on as if nobody were there', async () => {
    peer = await FakePeer.listen(0, { refusal: refusalError(1, 'unknown-member') });
    link = linkTo(peer.port);
    link.start();

    for (let attempts = 1; attempts <= 6; attempts++) {
      await until(() => delays.length === attempts);
      await loop.run(delays.at(-1) ?? 0);
    }

    expect(delays.slice(0, 6)).toEqual([50, 100, 200, 400, 800, 1000]);
    expect(refused).toEqual([]);
  });

  test('that is refused is told again when the answer changes, and goes faster again', async () => {
    peer = await FakePeer.listen(0, { refusal: refusalError(1, 'removed') });
    link = linkTo(peer.port);
    link.start();
    const answers = ['lost-data', 'unknown-member', 'removed'] as const;
    for (const [i, refusal] of answers.entries()) {
      await until(() => delays.length === i + 1);
      peer.behave({ refusal: refusalError(1, refusal) });
      await loop.run(delays.at(-1) ?? 0);
    }
    await until(() => delays.length === 4);

    expect(refused).toEqual(['removed', 'lost-data', 'removed']);
    expect(delays).toEqual([5000, 10_000, 1000, 5000]);
  });

  test('that gets no answer is given up, and tried anew on another connection', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket));
    const port = await listenOn(silent);
    link = linkTo(port);
    link.start();
    await until(() => sockets.length === 1);

    await loop.run(2500);

    expect(events).toMatchObject([{ type: 'peer-unreachable', reason: 'no answer for 2000 ms' }]);
    await until(() => sockets.length === 2);
    link.stop();
    await closeAll(silent, sockets);
  });
});

describe('sending', () => {
  test('keeps the order, and what is sent at once travels at once', async () => {
    const { batches } = await connected();

    send('a', 'b');
    send('c');
    await until(() => batches.flat().length === 3);

    expect(batches).toEqual([['a', 'b'], ['c']]);
    expect(link.state).toMatchObject({ queuedBytes: 0, droppedMessages: 0 });
  });

  test('drops what nobody is there to take, and counts it', async () => {
    const [port = 0] = await freePorts(1);
    link = linkTo(port);
    link.start();

    expect(send('a', 'b')).toEqual([0, 1]);

    expect(link.state).toMatchObject({ queuedBytes: 0, droppedMessages: 2 });
    expect(unreachable).toBe(0);
  });

  test('to a peer that takes nothing queues so much, drops the rest, and says so', async () => {
    const { lastStream } = await connected();
    lastStream.pause();
    const numbered = (i: number): string => String(i).padEnd(messageBytes, '.');
    let sent = 0;

    while (link.state.droppedMessages < 5) {
      send(numbered(sent++));
      await new Promise(setImmediate);
    }

    expect(link.state.queuedBytes).toBe(1024 * 1024);
    expect(unreachable).toBe(5);
    expect(send(numbered(0), '')).toEqual([0]);
    lastStream.resume();
    await until(() => peer?.messages.length === sent - 4);
    expect(peer?.messages).toEqual([
      ...Array.from({ length: sent - 5 }, (_, i) => numbered(i)),
      '',
    ]);
    expect(link.state.queuedBytes).toBe(0);
  });

  test('takes a message larger than the whole queue when the queue is empty', async () => {
    await connected({}, { queueBytesMax: 10 });

    send('longer than ten bytes');
    await until(() => peer?.messages.length === 1);

    expect(link.state.droppedMessages).toBe(0);
  });

  test('splits what is longer than 4 MiB into several batches', async () => {
    const { batches } = await connected({}, { queueBytesMax: 64 * 1024 * 1024 });
    const message = 'x'.repeat(1024 * 1024);

    send(...Array.from({ length: 9 }, () => message));
    await until(() => batches.flat().length === 9);

    expect(batches.map((batch) => batch.length)).toEqual([4, 4, 1]);
  });
});

describe('a broken link', () => {
  test('is told with its reason, and mended when the peer is back', async () => {
    const { port } = await connected();

    peer?.close();
    await until(() => delays.length === 1);
    expect(link.state.isConnected).toBe(false);
    expect(events.at(-1)).toMatchObject({ type: 'peer-disconnected', peer: 'n2' });
    expect(unreachable).toBe(1);

    peer = await FakePeer.listen(port);
    await loop.run(50);
    await until(() => link.state.isConnected);
    send('after');
    await until(() => peer?.messages.length === 1);
    expect(peer.messages).toEqual(['after']);
  });

  test('that has carried an answer starts again with the shortest backoff', async () => {
    const { port } = await connected();
    peer?.close();
    for (let attempts = 1; attempts <= 3; attempts++) {
      await until(() => delays.length === attempts);
      await loop.run(delays.at(-1) ?? 0);
    }
    peer = await FakePeer.listen(port);
    await until(() => delays.length === 4);
    await loop.run(delays.at(-1) ?? 0);
    await until(() => link.state.isConnected);
    await loop.run(500);
    await until(() => link.state.roundTripMs !== undefined);

    delays = [];
    peer.close();
    await until(() => delays.length === 1);

    expect(delays).toEqual([50]);
  });

  test('that breaks before it has carried an answer is dialled ever less often', async () => {
    await connected();
    for (let breaks = 1; breaks <= 4; breaks++) {
      peer?.lastStream.end();
      await until(() => delays.length === breaks);
      await loop.run(delays.at(-1) ?? 0);
      await until(() => link.state.isConnected);
    }

    expect(delays).toEqual([50, 100, 200, 400]);
  });

  test('to a host that refuses connections tells once that the peer is down', async () => {
    await connected();

    peer?.close();
    for (let attempts = 1; attempts <= 4; attempts++) {
      await until(() => delays.length === attempts);
      await loop.run(delays.at(-1) ?? 0);
    }

    expect(down).toBe(1);
  });

  test('loses what has waited, and counts it', async () => {
    const { lastStream } = await connected();
    lastStream.pause();
    while (link.state.queuedBytes < 512 * 1024) {
      send('x'.repeat(messageBytes));
      await new Promise(setImmediate);
    }
    const waiting = link.state.queuedBytes / messageBytes;

    peer?.close();
    await until(() => !link.state.isConnected);

    expect(link.state).toMatchObject({ queuedBytes: 0, droppedMessages: waiting });
  });

  test('by an end of the stream is dialled again', async () => {
    const { lastStream } = await connected();

    lastStream.end();
    await until(() => delays.length === 1);

    expect(events.at(-1)).toMatchObject({
      type: 'peer-disconnected',
      reason: 'the peer ended the stream',
    });
  });

  test('by bytes that are no batch does no harm', async () => {
    const { lastStream } = await connected();

    lastStream.write(Buffer.from('2001', 'hex'));
    await until(() => delays.length === 1);

    expect(events.at(-1)).toMatchObject({ type: 'peer-disconnected' });
    await loop.run(50);
    await until(() => link.state.isConnected);
  });
});

describe('pings', () => {
  test('measure the round trip', async () => {
    const { streams } = await connected();
    const [stream] = streams;
    stream?.pause();

    await loop.run(500);
    await loop.run(30);
    stream?.resume();
    await until(() => link.state.roundTripMs !== undefined);

    expect(link.state.roundTripMs).toBe(30);
  });

  test('without an echo for two seconds give up the link', async () => {
    await connected({ echoes: false });
    await loop.run(500);
    await until(() => peer?.pings === 1);

    await loop.run(1500);
    expect(link.state.isConnected).toBe(true);
    await loop.run(500);

    expect(link.state.isConnected).toBe(false);
    expect(events.at(-1)).toEqual({
      type: 'peer-disconnected',
      peer: 'n2',
      reason: 'no echo for 2000 ms',
    });
    expect(unreachable).toBe(1);
    await until(() => peer?.cancelled === 1);
  });

  test('that wait behind much data do not give up a peer that keeps taking it', async () => {
    const { lastStream } = await connected({}, { queueBytesMax: 64 * 1024 * 1024 });
    lastStream.pause();
    const messages = 12;
    for (let i = 0; i < messages; i++) {
      send('x'.repeat(2 * 1024 * 1024));
    }
    await loop.run(500);

    // The peer takes one message in 400 ms, so the ping reaches it after five seconds.
    lastStream.on('data', () => lastStream.pause());
    for (let taken = 1; taken <= messages; taken++) {
      lastStream.resume();
      await until(() => peer?.messages.length === taken);
      await loop.run(400);
    }

    expect(events).toEqual([{ type: 'peer-connected', peer: 'n2' }]);
  });
});

describe('stopping', () => {
  test('ends the stream and every timer, and may be repeated', async () => {
    const { dialled } = await connected();

    link.stop();
    link.stop();
    await until(() => peer?.cancelled === 1);
    await loop.run(60_000);

    expect(loop.pendingTimers).toBe(0);
    expect(link.state.isConnected).toBe(false);
    expect(dialled).toHaveLength(1);
    expect(events).toEqual([{ type: 'peer-connected', peer: 'n2' }]);
  });

  test('closes the connection', async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket));
    const port = await listenOn(silent);
    link = linkTo(port);
    link.start();
    await until(() => sockets.length === 1);
    const closed = Promise.all(sockets.map(async (socket) => once(socket.resume(), 'close')));

    link.stop();

    await closed;
    await closeAll(silent, sockets);
  });

  test('while waiting to dial dials no more', async () => {
    const [port = 0] = await freePorts(1);
    link = linkTo(port);
    link.start();
    await until(() => delays.length === 1);

    link.stop();
    link.dialNow();
    await loop.run(60_000);

    expect(loop.pendingTimers).toBe(0);
    expect(delays).toHaveLength(1);
  });

  test('drops what is sent afterwards', async () => {
    await connected();

    link.stop();
    send('late');

    expect(link.state).toMatchObject({ queuedBytes: 0, droppedMessages: 1 });
  });
});

async function listenOn(server: TcpServer): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function closeAll(server: TcpServer, sockets: readonly Socket[]): Promise<void> {
  for (const socket of sockets) {
    socket.destroy();
  }
  server.close();
  await once(server, 'close');
}

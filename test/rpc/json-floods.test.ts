/**
 * Clients of the JSON gateway that send without end what nobody takes: they are held back. The
 * connection is within the process, so that what has been taken of it is known.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeEventLoop } from '../../src/cli/event-loop.ts';
import { RpcServer } from '../../src/rpc/index.ts';
import type { Listener } from '../../src/tls/index.ts';
import { heldPair } from '../harness/held-pair.ts';
import { FakeMember } from './fake-member.ts';
import { FakeWatchStream } from './fake-watch-stream.ts';
import { plainOptions } from './serving.ts';

/** Of all that a client would send. */
const floodBytes = 16 * 1024 * 1024;
/** What may be on its way through buffers of HTTP/1, HTTP/2 and gRPC. */
const takenBytesMax = 512 * 1024;
const pieceBytes = 16 * 1024;
/** Without anything having been taken: nothing will be. */
const quietTurns = 1000;

let member: FakeMember;
let server: RpcServer;
let client: Duplex;
/** Renewals that the member has been asked for. */
let asked: number;
/** Turns of the event loop in which nothing has been taken, by whomever. */
let turns: number;
/** What becomes of a renewal. */
let renewed: () => Promise<number>;

beforeEach(async () => {
  member = new FakeMember();
  asked = 0;
  renewed = async () => Promise.resolve(60_000);
  member.onKeepAlive = async () => {
    [asked, turns] = [asked + 1, 0];
    return renewed();
  };
  let take: (socket: Socket, protocol: 'http/1') => void = () => undefined;
  const listener: Pick<Listener, 'open' | 'stop' | 'ended'> = {
    open: async (onConnection) => {
      take = onConnection;
      return Promise.resolve(0);
    },
    stop: () => undefined,
    ended: async () => Promise.resolve(),
  };
  const listen = [listener as Listener];
  server = new RpcServer({ ...plainOptions(member), listen, timers: nodeEventLoop });
  await server.start();
  const [near, far] = heldPair();
  client = near;
  client.on('error', () => undefined);
  take(far as unknown as Socket, 'http/1');
});

afterEach(async () => {
  client.destroy();
  await server.stop(0);
});

async function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** A chunk of many times the same message. */
function chunkOf(message: string): string {
  const piece = message.repeat(Math.ceil(pieceBytes / message.length));
  return `${piece.length.toString(16)}\r\n${piece}\r\n`;
}

function begin(path: string): void {
  const headers = ['Host: x', 'Connection: close', 'Transfer-Encoding: chunked'];
  client.write(`POST ${path} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
}

/** Sends a message again and again, as long as it is taken; returns the bytes that were. */
async function flood(path: string, message: string): Promise<number> {
  begin(path);
  const chunk = chunkOf(message);
  let [sentBytes, takenBytes] = [0, 0];
  for (turns = 0; turns < quietTurns; turns++) {
    while (sentBytes < floodBytes && client.writableLength < client.writableHighWaterMark) {
      sentBytes += chunk.length;
      client.write(chunk, () => {
        takenBytes += chunk.length;
        turns = 0;
      });
    }
    await nextTurn();
  }
  return takenBytes;
}

describe('a client that floods a stream of JSON', () => {
  test('is held back while its renewals wait for the member', async () => {
    renewed = async () => new Promise(() => undefined);

    const takenBytes = await flood('/v3/lease/keepalive', '{"ID":7}\n');

    expect(asked).toBe(1024);
    expect(takenBytes).toBeLessThan(takenBytesMax);
  });

  test('is held back while its watches wait for the member', async () => {
    const watches = new FakeWatchStream();
    member.onOpenWatchStream = () => watches;
    watches.pendingBeside = 1001;

    const takenBytes = await flood('/v3/watch', '{"progress_request":{}}\n');

    expect(watches.asked).toEqual(['progress']);
    expect(takenBytes).toBeLessThan(takenBytesMax);
  });

  test('is held back while it does not read its answers', async () => {
    const takenBytes = await flood('/v3/lease/keepalive', '{"ID":7}\n');

    expect(asked).toBeGreaterThan(1024);
    expect(takenBytes).toBeLessThan(takenBytesMax);
  });

  test('is served all of it while it reads', async () => {
    const text = { answers: '' };
    client.on('data', (piece: Buffer) => {
      text.answers += piece.toString();
    });
    begin('/v3/lease/keepalive');
    const chunk = chunkOf('{"ID":7}\n');
    for (let count = 0; count < 4; count++) {
      client.write(chunk);
    }
    client.write('0\r\n\r\n');

    await once(client, 'end');

    expect(asked).toBeGreaterThan(7000);
    expect(text.answers.match(/"ID":"7"/g)).toHaveLength(asked);
  });
});

/** Fetching over real connections through a forwarder that the test can cut; time is virtual. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createPrng, KvError } from '../../src/base/index.ts';
import { GrpcTransport, type TransportHandler } from '../../src/transport/index.ts';
import { fetchSnapshot } from '../../src/transport/snapshot-fetch.ts';
import { plainListeners } from '../harness/listeners.ts';
import { freePorts } from '../harness/processes.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';

let loop: VirtualLoop;
let forwarder: Server;
let sockets: Socket[];
let connections: number;
let owner: GrpcTransport;
let source: () => AsyncIterable<Uint8Array>;
let abort: AbortController;
let address: string;
/** Whether the member that sends answers on its link. */
let isReachable: boolean;

const handler: TransportHandler = {
  onMessages: () => undefined,
  onUnreachable: () => undefined,
  onDown: () => undefined,
  onAnnounced: () => undefined,
  onRefused: () => undefined,
  admit: async () => 'ok',
  onSnapshotRequested: async () => source(),
  describe: () => ({ clusterId: 1, members: [], removedIds: [], appliedIndex: 0 }),
};

beforeEach(async () => {
  loop = new VirtualLoop();
  sockets = [];
  connections = 0;
  isReachable = true;
  abort = new AbortController();
  const [port = 0, forwarded = 0] = await freePorts(2);
  owner = new GrpcTransport({
    clusterId: 1,
    memberId: 1,
    ...{ build: '0.1.0-test', levels: { oldest: 1, newest: 2 } },
    incarnation: 1,
    clientUrls: [],
    peerUrls: [],
    peers: [],
    listen: plainListeners('peers', [`127.0.0.1:${port}`]),
    credentialsOf: () => credentials.createInsecure(),
    timers: loop,
    prng: createPrng(1),
    snapshotBytesPerSecondMax: Number.POSITIVE_INFINITY,
    onEvent: () => undefined,
  });
  await owner.start(handler);
  forwarder = createServer((socket) => {
    connections++;
    const onward = connect(port, '127.0.0.1');
    sockets.push(socket, onward);
    socket.pipe(onward).pipe(socket);
    socket.on('error', () => onward.destroy());
    onward.on('error', () => socket.destroy());
  });
  forwarder.listen(forwarded, '127.0.0.1');
  await once(forwarder, 'listening');
  address = `127.0.0.1:${forwarded}`;
});

afterEach(async () => {
  await owner.stop();
  forwarder.close();
  for (const socket of sockets) {
    socket.destroy();
  }
});

function fetch(): AsyncGenerator<Uint8Array> {
  return fetchSnapshot({
    identity: {
      ...{ clusterId: 1, memberId: 2, incarnation: 1, clientUrls: [], peerUrls: [] },
      ...{ build: '0.1.0-test', levels: { oldest: 1, newest: 2 } },
    },
    peer: { id: 1, name: 'n1', address },
    minIndex: 1,
    formatVersionMax: 3,
    credentials: credentials.createInsecure(),
    timers: loop,
    isReachable: () => isReachable,
    signal: abort.signal,
  });
}

async function* pieces(count: number, bytes: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) {
    yield Buffer.alloc(bytes, i);
  }
}

/** Yields once, then waits until the transfer is over. */
async function* stuck(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('begun');
  await new Promise<void>((resolve) => {
    release = resolve;
  });
}

let release: () => void = () => undefined;

async function failureOf(reading: Promise<unknown>): Promise<KvError> {
  const error: unknown = await reading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof KvError)) {
    throw new Error(`not a KvError: ${String(error)}`);
  }
  return error;
}

describe('fetching a snapshot', () => {
  test('gives every byte in order, on one connection that is closed afterwards', async () => {
    source = () => pieces(40, 300 * 1024);
    const hashes = new Map<number, number>();

    for await (const chunk of fetch()) {
      for (const at of [0, chunk.length - 1]) {
        const byte = chunk[at] ?? -1;
        hashes.set(byte, (hashes.get(byte) ?? 0) + (at === 0 ? chunk.length : 0));
      }
    }

    expect([...hashes]).toEqual(Array.from({ length: 40 }, (_, i) => [i, 300 * 1024]));
    expect(connections).toBe(1);
    await vi.waitFor(() => expect(sockets.every((socket) => socket.closed)).toBe(true));
    expect(loop.pendingTimers).toBe(0);
  });

  test('reads little ahead of who takes it', async () => {
    let made = 0;
    source = async function* () {
      for (; made < 400; made++) {
        yield Buffer.alloc(256 * 1024);
      }
    };

    let taken = 0;
    let aheadMax = 0;
    for await (const chunk of fetch()) {
      taken += chunk.length / (256 * 1024);
      aheadMax = Math.max(aheadMax, made - taken);
      await new Promise(setImmediate);
    }

    // 4 MiB of window, 16 messages at the receiver, a few at the sender, and the sockets between.
    expect(taken).toBe(400);
    expect(aheadMax).toBeLessThan(100);
  });

  test('that loses its connection fails as one that cannot be reached', async () => {
    source = stuck;
    const reading = fetch();
    await reading.next();

    for (const socket of sockets) {
      socket.destroy();
    }

    const error = await failureOf(reading.next());
    expect(error.code).toBe('UNHEALTHY');
    expect(error.message).toMatch(/^fetching the snapshot of n1 failed: /);
    expect(error.cause).toBeInstanceOf(Error);
    release();
  });

  test('that gets nothing for long gives up', async () => {
    source = stuck;
    const reading = fetch();
    await reading.next();
    const next = failureOf(reading.next());

    await loop.run(20_000);

    expect(await next).toMatchObject({ code: 'TIMEOUT', message: 'n1 sent nothing for 20000 ms' });
    expect(loop.pendingTimers).toBe(0);
    release();
  });

  test('that gets nothing from one who does not answer elsewhere gives up soon', async () => {
    source = stuck;
    const reading = fetch();
    await reading.next();
    const next = failureOf(reading.next());
    isReachable = false;

    await loop.run(3000);

    expect(await next).toMatchObject({
      code: 'UNHEALTHY',
      message: 'n1 sent nothing for 3000 ms, and does not answer',
    });
    expect(loop.pendingTimers).toBe(0);
    release();
  });

  test('goes on with what comes from one who does not answer elsewhere', async () => {
    let isSilent = false;
    source = async function* () {
      yield Buffer.from('begun');
      isSilent = true;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      yield Buffer.from('ended');
    };
    const reading = fetch();
    isReachable = false;
    await reading.next();
    const next = reading.next();
    await vi.waitFor(() => expect(isSilent).toBe(true));
    await loop.run(2900);
    release();

    expect(await next).toMatchObject({ value: Buffer.from('ended') });
    await loop.run(60_000);
    expect(await reading.next()).toMatchObject({ done: true });
  });

  test('may take as long as it likes with what it has', async () => {
    source = () => pieces(3, 10);
    const reading = fetch();

    await reading.next();
    await loop.run(3_600_000);
    await reading.next();

    expect(await reading.next()).toMatchObject({ done: false });
    expect(await reading.next()).toMatchObject({ done: true });
  });

  test('ends with the reason it was told to stop for, if that is a code', async () => {
    source = stuck;
    const reading = fetch();
    await reading.next();
    const next = failureOf(reading.next());

    abort.abort(new KvError('STOPPED'));

    expect((await next).code).toBe('STOPPED');
    release();
  });
});

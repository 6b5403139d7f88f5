/** Members that talk over real sockets on loopback; time is virtual. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createPrng, KvError } from '../../src/base/index.ts';
import type { NodeId } from '../../src/raft/index.ts';
import { encodeBatch } from '../../src/transport/batch.ts';
import { encodings, MessageEncoder } from '../../src/transport/codec.ts';
import {
  GrpcTransport,
  type GrpcTransportOptions,
  type PeerEvent,
  type PeerMessage,
  type TransportHandler,
} from '../../src/transport/index.ts';
import { plainListeners } from '../harness/listeners.ts';
import { freePorts } from '../harness/processes.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';

/** A transport and everything it has told. */
interface Member {
  readonly transport: GrpcTransport;
  readonly handler: TransportHandler;
  readonly received: PeerMessage[];
  readonly unreachable: NodeId[];
  readonly down: NodeId[];
  readonly announced: (readonly [NodeId, readonly string[]])[];
  readonly events: PeerEvent[];
}

const clusterId = 4711;

let loop: VirtualLoop;
let ports: number[];
let members: Member[];
let clients: Client[];

beforeEach(async () => {
  loop = new VirtualLoop();
  ports = await freePorts(4);
  members = [];
  clients = [];
});

afterEach(async () => {
  for (const client of clients) {
    client.close();
  }
  await Promise.all(members.map(async ({ transport }) => transport.stop()));
});

/** Member `id` of three; it listens on `ports[id]` and has the others as peers. */
function member(id: NodeId, options: Partial<GrpcTransportOptions> = {}): Member {
  const events: PeerEvent[] = [];
  const transport = new GrpcTransport({
    clusterId,
    memberId: id,
    ...{ build: '0.1.0-test', levels: { oldest: 1, newest: 2 } },
    incarnation: 100 + id,
    clientUrls: [`http://client.n${id}:2379`],
    peerUrls: [`http://${addressOf(id)}`],
    peers: [1, 2, 3]
      .filter((each) => each !== id)
      .map((each) => ({ id: each, name: `n${each}`, address: addressOf(each) })),
    listen: plainListeners('peers', [addressOf(id)]),
    credentialsOf: () => credentials.createInsecure(),
    timers: loop,
    prng: createPrng(id),
    onEvent: (event) => {
      events.push(event);
    },
    ...options,
  });
  const told: Omit<Member, 'handler'> = {
    transport,
    received: [],
    unreachable: [],
    down: [],
    announced: [],
    events,
  };
  const handler: TransportHandler = {
    onMessages: (messages) => told.received.push(...messages),
    onUnreachable: (peer) => told.unreachable.push(peer),
    onDown: (peer) => told.down.push(peer),
    onAnnounced: (peer, { clientUrls }) => told.announced.push([peer, clientUrls]),
    admit: async () => 'ok',
    onRefused: () => undefined,
    onSnapshotRequested: async () => Promise.reject(new KvError('NOT_IMPLEMENTED')),
    describe: () => ({ clusterId, members: [], removedIds: [], appliedIndex: 0 }),
  };
  const made = { ...told, handler };
  members.push(made);
  return made;
}

async function started(id: NodeId, options: Partial<GrpcTransportOptions> = {}): Promise<Member> {
  const made = member(id, options);
  await made.transport.start(made.handler);
  return made;
}

function addressOf(id: NodeId): string {
  return `127.0.0.1:${ports[id]}`;
}

function isConnected({ transport }: Member, peer: NodeId): boolean {
  return transport.links().some((link) => link.peer.id === peer && link.isConnected);
}

/** Waits for real input while virtual time goes on slowly. */
async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(
    async () => {
      await loop.run(10);
      expect(condition()).toBe(true);
    },
    { timeout: 10_000, interval: 1 },
  );
}

/** Two members with a link each way. */
async function pair(): Promise<readonly [Member, Member]> {
  const one = await started(1);
  const two = await started(2);
  await until(() => isConnected(one, 2) && isConnected(two, 1));
  return [one, two];
}

function heartbeat(from: NodeId, to: NodeId, commitIndex: number): PeerMessage {
  return { type: 'Heartbeat', from, to, term: 3, commitIndex, readRound: 0 };
}

function commitIndexes({ received }: Member): readonly unknown[] {
  return received.map((message) => 'commitIndex' in message && message.commitIndex);
}

/** A stream to member 2 as any program could open it. */
function rawStream(
  headers: Readonly<Record<string, string>>,
): ClientDuplexStream<Buffer, Buffer> & { readonly refusal: Promise<ServiceError> } {
  const client = new Client(addressOf(2), credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  });
  clients.push(client);
  const metadata = new Metadata();
  const all = {
    'holdfast-cluster': String(clusterId),
    'holdfast-from': '1',
    'holdfast-to': '2',
    'holdfast-protocol': '2.4',
    'holdfast-incarnation': '5',
    'holdfast-client-urls': '',
    'holdfast-peer-urls': '',
    ...headers,
  };
  for (const [name, value] of Object.entries(all)) {
    metadata.set(name, value);
  }
  const same = (bytes: Buffer): Buffer => bytes;
  const stream = client.makeBidiStreamRequest('/holdfast.v1.Peer/Exchange', same, same, metadata);
  stream.on('data', () => undefined);
  const refusal = new Promise<ServiceError>((resolve) => {
    stream.on('error', (error) => {
      resolve(error as ServiceError);
    });
  });
  return Object.assign(stream, { refusal });
}

describe('delivery', () => {
  test('is in order, both ways', async () => {
    const [one, two] = await pair();
    const count = 2000;

    for (let i = 0; i < count; i += 10) {
      const numbers = Array.from({ length: 10 }, (_, k) => i + k);
      one.transport.send(numbers.map((n) => heartbeat(1, 2, n)));
      two.transport.send(numbers.map((n) => heartbeat(2, 1, n)));
    }
    await until(() => one.received.length === count && two.received.length === count);

    const all = Array.from({ length: count }, (_, i) => i);
    expect(commitIndexes(one)).toEqual(all);
    expect(commitIndexes(two)).toEqual(all);
  });

  test('is to the peer a message is addressed to', async () => {
    const [one, two] = await pair();
    const three = await started(3);
    await until(() => isConnected(one, 3));

    one.transport.send([heartbeat(1, 2, 20), heartbeat(1, 3, 30), heartbeat(1, 9, 90)]);
    await until(() => two.received.length === 1 && three.received.length === 1);

    expect(commitIndexes(two)).toEqual([20]);
    expect(commitIndexes(three)).toEqual([30]);
  });

  test('carries entries of any bytes, and of more than a batch holds', async () => {
    const [one, two] = await pair();
    const large = Buffer.alloc(20 * 1024 * 1024, 0xee);
    const append = {
      type: 'AppendEntries' as const,
      from: 1,
      to: 2,
      term: 3,
      prevLogIndex: 4,
      prevLogTerm: 2,
      commitIndex: 4,
      entries: [
        { term: 3, index: 5, type: 'normal' as const, data: large },
        { term: 3, index: 6, type: 'confChange' as const, data: Buffer.alloc(0) },
      ],
    };

    one.transport.send([append]);
    await until(() => two.received.length === 1);

    const [received] = two.received;
    const entries = received?.type === 'AppendEntries' ? received.entries : [];
    expect({ ...received, entries: [] }).toEqual({ ...append, entries: [] });
    expect(entries).toHaveLength(2);
    expect(large.equals(entries[0]?.data ?? Buffer.alloc(0))).toBe(true);
    expect(entries[1]).toEqual(append.entries[1]);
  });

  test('to a peer that is away drops, and says so in the state of the link', async () => {
    const one = await started(1);

    const messages = [heartbeat(1, 2, 1), heartbeat(1, 2, 2)];
    expect(one.transport.send(messages)).toEqual(messages);

    const [link] = one.transport.links();
    expect(link).toMatchObject({ peer: { name: 'n2' }, isConnected: false, droppedMessages: 2 });
  });

  test('goes on after the peer was away', async () => {
    const [one, two] = await pair();

    await two.transport.stop();
    await until(() => one.unreachable.length > 0 && one.down.length > 0);
    const again = await started(2);
    await until(() => isConnected(one, 2) && isConnected(again, 1));
    one.transport.send([heartbeat(1, 2, 5)]);
    await until(() => again.received.length === 1);

    expect(commitIndexes(again)).toEqual([5]);
    expect(one.unreachable).toEqual([2]);
    expect(one.down).toEqual([2]);
    expect(one.events.filter(({ peer }) => peer === 'n2').map(({ type }) => type)).toEqual(
      expect.arrayContaining(['peer-connected', 'peer-disconnected']),
    );
  });

  test('uses the address given for a peer, wherever that listens', async () => {
    const [, , , elsewhere = 0] = ports;
    ports[3] = 0;
    let connections = 0;
    const forwarder = createServer((socket) => {
      connections++;
      const onward = connect(ports[2] ?? 0, '127.0.0.1');
      socket.pipe(onward).pipe(socket);
      socket.on('error', () => onward.destroy());
      onward.on('error', () => socket.destroy());
    });
    forwarder.listen(elsewhere, '127.0.0.1');
    await once(forwarder, 'listening');
    const two = await started(2);

    const one = await started(1, {
      peers: [{ id: 2, name: 'n2', address: `127.0.0.1:${elsewhere}` }],
    });
    await until(() => isConnected(one, 2));
    one.transport.send([heartbeat(1, 2, 1)]);
    await until(() => two.received.length === 1);

    expect(connections).toBe(1);
    await one.transport.stop();
    await two.transport.stop();
    forwarder.close();
    await once(forwarder, 'close');
  });
});

describe('a snapshot whose sender is silent', () => {
  test('is waited for while the sender answers on its link, and given up soon if not', async () => {
    const [, , , elsewhere = 0] = ports;
    const sockets: Socket[] = [];
    let isHeld = false;
    const forwarder = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      if (!isHeld) {
        const onward = connect(ports[2] ?? 0, '127.0.0.1');
        sockets.push(onward);
        socket.pipe(onward).pipe(socket);
        onward.on('error', () => undefined);
      }
    });
    forwarder.listen(elsewhere, '127.0.0.1');
    await once(forwarder, 'listening');
    const two = member(2, { peers: [] });
    let release = (): void => undefined;
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from('begun');
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    };
    await two.transport.start({ ...two.handler, onSnapshotRequested: async () => source() });
    const one = await started(1, {
      peers: [{ id: 2, name: 'n2', address: `127.0.0.1:${elsewhere}` }],
    });
    await until(() => isConnected(one, 2));
    const chunks = one.transport.fetchSnapshot(2, { minIndex: 1 })[Symbol.asyncIterator]();
    const begun = chunks.next();
    let hasBegun = false;
    void begun.then(() => {
      hasBegun = true;
    });
    await until(() => hasBegun);
    let failure: unknown;
    const next = chunks.next().catch((error: unknown) => {
      failure = error;
    });

    const aliveMs = loop.nowMs();
    await until(() => loop.nowMs() - aliveMs > 6000);
    expect(failure).toBeUndefined();
    isHeld = true;
    sockets.forEach((socket) => socket.unpipe());
    const goneMs = loop.nowMs();
    await until(() => failure !== undefined);

    expect(failure).toMatchObject({
      code: 'UNHEALTHY',
      message: 'n2 sent nothing for 3000 ms, and does not answer',
    });
    expect(loop.nowMs() - goneMs).toBeLessThan(4000);
    await next;
    release();
    forwarder.close();
    sockets.forEach((socket) => socket.destroy());
  });
});

describe('a change of peers', () => {
  test('dials an address that has changed, and leaves the old one', async () => {
    const two = await started(2);
    const elsewhere = await started(3, {
      memberId: 2,
      listen: plainListeners('peers', [addressOf(3)]),
    });
    const one = await started(1, { peers: [{ id: 2, name: 'n2', address: addressOf(2) }] });
    await until(() => isConnected(one, 2));

    one.transport.setPeers([{ id: 2, name: 'moved', address: addressOf(3) }]);
    await until(() => isConnected(one, 2));
    one.transport.send([heartbeat(1, 2, 1)]);
    await until(() => elsewhere.received.length === 1);

    expect(two.received).toEqual([]);
    expect(one.events.at(-1)).toEqual({ type: 'peer-connected', peer: 'moved' });
  });

  test('of the name alone keeps the link', async () => {
    const [one, two] = await pair();
    const events = one.events.length;

    one.transport.setPeers([{ id: 2, name: 'renamed', address: addressOf(2) }]);
    one.transport.send([heartbeat(1, 2, 1)]);
    await until(() => two.received.length === 1);

    expect(one.transport.links().map(({ peer }) => peer.name)).toEqual(['renamed']);
    expect(one.events).toHaveLength(events);
  });

  test('before the start takes the place of the first list', async () => {
    const two = await started(2);
    const one = member(1, { peers: [] });
    one.transport.setPeers([{ id: 2, name: 'n2', address: addressOf(2) }]);

    await one.transport.start(one.handler);
    await until(() => isConnected(one, 2));

    expect(two.announced).toContainEqual([1, ['http://client.n1:2379']]);
  });

  test('ends the stream of a member that is no peer any more', async () => {
    const two = await started(2);
    const stream = rawStream({});
    await until(() => two.announced.length > 0);
    const ended = once(stream, 'end');

    two.transport.setPeers([]);

    await ended;
  });

  test('after the stop dials nobody', async () => {
    const two = await started(2);
    const one = await started(1, { peers: [] });
    await one.transport.stop();

    one.transport.setPeers([{ id: 2, name: 'n2', address: addressOf(2) }]);
    await loop.run(5000);

    expect(two.announced).toEqual([]);
    expect(isConnected(one, 2)).toBe(false);
  });
});

describe('a member that is not in the list', () => {
  /** Member 4 as a process that listens on `ports[at]`. */
  async function process4(at: number): Promise<Member> {
    return started(4, { listen: plainListeners('peers', [addressOf(at)]), peers: [] });
  }

  /** A stream of member 4 to member 2, which says that it is reached on `ports[at]`. */
  async function callFrom(at: number, { announced }: Member): Promise<void> {
    const before = announced.length;
    rawStream({ 'holdfast-from': '4', 'holdfast-peer-urls': `http://${addressOf(at)}` });
    await until(() => announced.length > before);
  }

  /** Whether what member 2 sends to member 4 comes to this process of it. */
  async function hears({ received }: Member, two: Member): Promise<void> {
    await until(() => {
      two.transport.send([heartbeat(2, 4, 1)]);
      return received.length > 0;
    });
  }

  test('is answered where it is now, once it says that it has moved', async () => {
    const two = await started(2);
    const former = await process4(1);
    await callFrom(1, two);
    await hears(former, two);
    const present = await process4(3);

    await callFrom(3, two);

    await hears(present, two);
  });

  test('is found again where its newest stream says, not where an older one did', async () => {
    const two = await started(2);
    const former = await process4(1);
    await callFrom(1, two);
    const present = await process4(3);
    await callFrom(3, two);
    // The link is closed, since nothing is sent; the streams that came in stay.
    await loop.run(120_000);

    await hears(present, two);

    expect(former.received).toEqual([]);
  });
});

describe('admission', () => {
  test('that cannot be decided tells the caller to come back', async () => {
    const two = member(2);
    const failing = vi
      .fn<TransportHandler['admit']>()
      .mockRejectedValueOnce(new KvError('DISK_FULL', { message: 'no room' }))
      .mockResolvedValue('ok');
    await two.transport.start({ ...two.handler, admit: failing });

    const one = await started(1);
    await until(() => isConnected(one, 2));

    expect(one.events.filter(({ peer }) => peer === 'n2').slice(0, 2)).toEqual([
      { type: 'peer-unreachable', peer: 'n2', reason: 'no room' },
      { type: 'peer-connected', peer: 'n2' },
    ]);
  });

  test('that comes after the caller has gone takes nothing', async () => {
    const two = member(2);
    let admit: (admission: 'ok') => void = () => undefined;
    let asked = 0;
    const later = async (): Promise<'ok'> =>
      new Promise((resolve) => {
        asked++;
        admit = resolve;
      });
    await two.transport.start({ ...two.handler, admit: later });
    const stream = rawStream({ 'holdfast-from': '9' });
    await until(() => asked === 1);

    stream.cancel();
    await stream.refusal;
    const next = rawStream({ 'holdfast-from': '8' });
    const admitFirst = admit;
    await until(() => asked === 2);
    admitFirst('ok');
    admit('ok');
    await until(() => two.announced.length > 0);

    expect(two.announced).toEqual([[8, []]]);
    next.cancel();
  });
});

describe('an announcement', () => {
  test('tells each peer where clients reach a member', async () => {
    const [one, two] = await pair();

    expect(one.announced).toContainEqual([2, ['http://client.n2:2379']]);
    expect(two.announced).toContainEqual([1, ['http://client.n1:2379']]);
  });

  test('may name several addresses, or none', async () => {
    const two = await started(2);
    await started(1, { clientUrls: ['http://a:1', 'http://b:2'] });
    await started(3, { clientUrls: [] });
    await until(() => two.announced.length >= 2);

    expect(two.announced).toContainEqual([1, ['http://a:1', 'http://b:2']]);
    expect(two.announced).toContainEqual([3, []]);
  });
});

describe('a member is refused', () => {
  test('of another cluster; it says so in its events, and neither hears the other', async () => {
    const two = await started(2);
    const stranger = await started(1, { clusterId: 815 });
    const refusals = ({ events }: Member): PeerEvent[] =>
      events.filter(({ type }) => type === 'peer-refused');
    await until(() => refusals(stranger).length > 0 && refusals(two).length > 0);

    expect(refusals(stranger)).toEqual([
      {
        type: 'peer-refused',
        peer: 'n2',
        reason: '9 FAILED_PRECONDITION: this member has cluster id 4711, but was dialled as 815',
      },
    ]);
    stranger.transport.send([heartbeat(1, 2, 1)]);
    two.transport.send([heartbeat(2, 1, 1)]);
    await loop.run(100);
    expect(two).toMatchObject({ received: [], announced: [] });
    expect(stranger).toMatchObject({ received: [], announced: [] });
  });

  test('that reaches another member than it meant', async () => {
    const two = await started(2);
    const one = await started(1, {
      peers: [{ id: 3, name: 'n3', address: addressOf(2) }],
    });
    await until(() => one.events.length > 0);

    expect(one.events).toEqual([
      {
        type: 'peer-refused',
        peer: 'n3',
        reason: '9 FAILED_PRECONDITION: this member has member id 2, but was dialled as 3',
      },
    ]);
    expect(two.announced).toEqual([]);
  });

  test.each([
    [{ 'holdfast-from': '2' }, 'a caller cannot be member 2'],
    [{ 'holdfast-from': '0' }, 'a caller cannot be member 0'],
    [{ 'holdfast-from': '' }, 'holdfast-from is no number: '],
    [{ 'holdfast-incarnation': '-1' }, 'holdfast-incarnation is no number: -1'],
    [
      { 'holdfast-protocol': '1' },
      'this member (build 0.1.0-test) speaks encodings 4-4 of peer messages, the caller (build ' +
        'unknown, so of 0.1.0 or before) none that is known here: they have none in common. Put ' +
        'a build between the two on the older one first (docs/upgrading.md).',
    ],
    [{ 'holdfast-to': '02' }, 'this member has member id 2, but was dialled as 02'],
  ])('that dials with %o', async (headers, details) => {
    const two = await started(2);

    const error = await rawStream(headers).refusal;

    expect(error).toMatchObject({ code: status.FAILED_PRECONDITION, details });
    expect(two.announced).toEqual([]);
  });
});

describe('members of different builds', () => {
  test('talk in what both speak, and know what the other reads while it is there', async () => {
    const one = await started(1, {
      ...{ encodings: { oldest: 4, newest: 5 }, levels: { oldest: 1, newest: 3 } },
    });
    const two = await started(2, { encodings: { oldest: 4, newest: 4 } });
    const three = await started(3, { encodings: { oldest: 5, newest: 6 } });
    await until(() => isConnected(one, 2) && isConnected(one, 3));
    await until(() => isConnected(two, 1) && isConnected(three, 1));

    one.transport.send([heartbeat(1, 2, 7), heartbeat(1, 3, 8)]);
    two.transport.send([heartbeat(2, 1, 9)]);
    three.transport.send([heartbeat(3, 1, 10)]);

    await until(() => one.received.length === 2);
    await until(() => two.received.length === 1 && three.received.length === 1);
    const newest = (): unknown => two.transport.links().map((link) => link.newestLevel);
    expect(newest()).toEqual([3, undefined]);
    await one.transport.stop();
    await until(() => !isConnected(two, 1));
    expect(newest()).toEqual([undefined, undefined]);
  });

  test('refuse each other when they have no encoding in common, naming both builds', async () => {
    const two = await started(2, { build: 'b2' });
    const three = await started(3, { build: 'b3', encodings: { oldest: 5, newest: 6 } });
    await until(() => three.events.some(({ type }) => type === 'peer-refused'));

    expect(three.events).toContainEqual({
      type: 'peer-refused',
      peer: 'n2',
      reason: expect.stringContaining(
        'this member (build b2) speaks encodings 4-4 of peer messages, the caller (build b3) 5-6',
      ) as string,
    });
    expect(isConnected(two, 3)).toBe(false);
  });
});

describe('a stream is ended', () => {
  const encoder = new MessageEncoder();

  function batchOf(...messages: readonly Buffer[]): Buffer {
    return encodeBatch({ messages, pingId: 0, pongId: 0 });
  }

  test.each([
    ['in the name of another member', heartbeat(3, 2, 1), 'a message from 3 to 2'],
    ['for another member', heartbeat(1, 3, 1), 'a message from 1 to 3'],
  ])('that carries a message %s', async (_what, message, reason) => {
    const two = await started(2);
    const stream = rawStream({});

    stream.write(
      batchOf(
        encoder.encode(heartbeat(1, 2, 7), encodings.newest),
        encoder.encode(message, encodings.newest),
      ),
    );

    expect(await stream.refusal).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(two.received).toEqual([]);
    expect(two.events.find(({ type }) => type === 'peer-refused')).toEqual({
      type: 'peer-refused',
      peer: 'n1',
      reason: `${reason} came on the stream of 1`,
    });
  });

  test('that carries bytes which are no message', async () => {
    const two = await started(2);
    const stream = rawStream({});

    stream.write(batchOf(Buffer.from('garbage')));

    expect(await stream.refusal).toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: 'malformed peer message: it has encoding 103, and its stream has 4',
    });
    expect(two.received).toEqual([]);
  });

  test('that carries more than its member takes, its sender says so, and both go on', async () => {
    const one = await started(1);
    const two = await started(2, { messageBytesMax: 1000 });
    await until(() => isConnected(one, 2) && isConnected(two, 1));
    const data = new Uint8Array(2000);

    one.transport.send([
      {
        ...{ type: 'AppendEntries', from: 1, to: 2, term: 3, prevLogIndex: 0, prevLogTerm: 0 },
        ...{ commitIndex: 0, entries: [{ type: 'normal', index: 1, term: 3, data }] },
      },
    ]);
    await until(() => one.events.some(({ type }) => type === 'peer-disconnected'));

    expect(one.events.find(({ type }) => type === 'peer-disconnected')).toEqual({
      ...{ type: 'peer-disconnected', peer: 'n2' },
      reason: expect.stringMatching(
        /^the peer takes messages of up to 1000 bytes, and was sent one of 20\d\d$/,
      ) as string,
    });
    await until(() => isConnected(one, 2));
    one.transport.send([heartbeat(1, 2, 8)]);
    await until(() => two.received.length > 0);
    expect(commitIndexes(two)).toEqual([8]);
  });

  test('that carries bytes which are no batch, and the member goes on', async () => {
    const two = await started(2);
    const stream = rawStream({});

    stream.write(Buffer.from('ffffffff', 'hex'));
    await stream.refusal;

    const next = rawStream({});
    next.write(batchOf(encoder.encode(heartbeat(1, 2, 8), encodings.newest)));
    await until(() => two.received.length === 1);
    expect(commitIndexes(two)).toEqual([8]);
  });

  test('that breaks off in the middle of a batch, and the member goes on', async () => {
    const two = await started(2);
    const socket: Socket = connect(ports[2] ?? 0, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\xff');
    socket.destroy();
    await once(socket, 'close');

    const stream = rawStream({});
    stream.write(batchOf(encoder.encode(heartbeat(1, 2, 8), encodings.newest)));
    await until(() => two.received.length === 1);

    expect(commitIndexes(two)).toEqual([8]);
  });
});

describe('start and stop', () => {
  test('a port that is taken is named', async () => {
    await started(2);
    const other = member(2);

    await expect(other.transport.start(other.handler)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(
        new RegExp(`^cannot listen for peers on ${addressOf(2)}: the port is in use`),
      ) as string,
    });
  });

  test('the ports bound are known, also when the system has chosen them', async () => {
    const one = await started(1, {
      listen: plainListeners('peers', ['127.0.0.1:0', addressOf(1)]),
    });

    expect(one.transport.ports).toEqual([expect.any(Number), ports[1]]);
    expect(one.transport.ports[0]).toBeGreaterThan(0);
  });

  test('stopping leaves no timer, no port and no connection, and may be repeated', async () => {
    const [one, two] = await pair();
    const raw = connect(ports[2] ?? 0, '127.0.0.1').resume();
    await once(raw, 'connect');
    const closed = once(raw, 'close');

    await two.transport.stop();
    await two.transport.stop();
    await closed;
    await one.transport.stop();

    expect(loop.pendingTimers).toBe(0);
    const again = createServer();
    again.listen(ports[2], '127.0.0.1');
    await once(again, 'listening');
    again.close();
    await once(again, 'close');
  });

  test('stopping before the start does no harm', async () => {
    await expect(member(1).transport.stop()).resolves.toBeUndefined();
  });

  test('after the stop nothing is sent, received or told', async () => {
    const [one, two] = await pair();
    await two.transport.stop();
    const before = two.received.length + two.unreachable.length + two.announced.length;

    two.transport.send([heartbeat(2, 1, 1)]);
    one.transport.send([heartbeat(1, 2, 1)]);
    await until(() => !isConnected(one, 2));
    await loop.run(1000);

    expect(two.received.length + two.unreachable.length + two.announced.length).toBe(before);
    expect(one.received).toEqual([]);
  });
});

import { once } from 'node:events';
import { createServer } from 'node:net';
import { credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createPrng, KvError } from '../../src/base/index.ts';
import { wireToNumber } from '../../src/transport/describe-cluster.ts';
import {
  type ClusterDescription,
  describeCluster,
  GrpcTransport,
} from '../../src/transport/index.ts';
import { plainListeners } from '../harness/listeners.ts';
import { freePorts } from '../harness/processes.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';

const description: ClusterDescription = {
  clusterId: 2 ** 53 - 1,
  members: [
    { id: 5, name: 'a', peerUrls: ['http://a:1'], clientUrls: ['http://a:2'], isLearner: false },
    {
      id: 2 ** 52,
      name: '',
      peerUrls: ['http://b:1', 'http://b:3'],
      clientUrls: [],
      isLearner: true,
    },
  ],
  removedIds: [6, 7],
  appliedIndex: 123,
};

let loop: VirtualLoop;
let address: string;
let transport: GrpcTransport | undefined;

beforeEach(async () => {
  loop = new VirtualLoop();
  const [port = 0] = await freePorts(1);
  address = `127.0.0.1:${port}`;
  transport = undefined;
});

afterEach(async () => transport?.stop());

async function serve(describeOwn: () => ClusterDescription): Promise<void> {
  transport = new GrpcTransport({
    clusterId: 1,
    memberId: 5,
    ...{ build: '0.1.0-test', levels: { oldest: 1, newest: 2 } },
    incarnation: 1,
    clientUrls: [],
    peerUrls: [],
    peers: [],
    listen: plainListeners('peers', [address]),
    credentialsOf: () => credentials.createInsecure(),
    timers: loop,
    prng: createPrng(1),
    onEvent: () => undefined,
  });
  await transport.start({
    onMessages: () => undefined,
    onUnreachable: () => undefined,
    onDown: () => undefined,
    onAnnounced: () => undefined,
    onRefused: () => undefined,
    admit: async () => 'removed',
    onSnapshotRequested: async () => Promise.reject(new KvError('NOT_IMPLEMENTED')),
    describe: describeOwn,
  });
}

async function ask(): Promise<ClusterDescription> {
  return describeCluster(address, {
    credentials: credentials.createInsecure(),
    timers: loop,
    timeoutMs: 3000,
  });
}

describe('describeCluster', () => {
  test('tells anybody what the member says', async () => {
    await serve(() => description);

    expect(await ask()).toEqual(description);
    expect(loop.pendingTimers).toBe(0);
  });

  test('tells the feature level, which a build that knows of none leaves out', async () => {
    let level: number | undefined = 2;
    await serve(() => ({ ...description, level }));
    expect((await ask()).level).toBe(2);

    level = undefined;
    expect((await ask()).level).toBeUndefined();
  });

  test('fails with the code of a member that has nothing to tell', async () => {
    await serve(() => {
      throw new KvError('NO_LEADER', { message: 'not yet' });
    });

    await expect(ask()).rejects.toMatchObject({
      code: 'NO_LEADER',
      message: `asking ${address} for its cluster failed: not yet`,
    });
  });

  test('fails where nobody listens', async () => {
    await expect(ask()).rejects.toMatchObject({ code: 'UNHEALTHY' });
  });

  test('gives up on who does not answer', async () => {
    let connections = 0;
    const silent = createServer((socket) => {
      connections++;
      socket.resume().on('error', () => undefined);
    });
    silent.listen(Number(address.split(':')[1]), '127.0.0.1');
    await once(silent, 'listening');
    const closed = once(silent, 'close');

    const asking = expect(ask()).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: `${address} did not describe its cluster within 3000 ms`,
    });
    await vi.waitFor(() => expect(connections).toBe(1));
    await loop.run(3000);
    await asking;

    // Which it can only be once the connection is.
    silent.close();
    await closed;
  });
});

describe('a number of an answer', () => {
  test('above 2^53-1 is refused', () => {
    expect(wireToNumber('9007199254740991', 'id')).toBe(2 ** 53 - 1);
    expect(() => wireToNumber('9007199254740992', 'id')).toThrow(/^id is above 2\^53-1/);
  });
});

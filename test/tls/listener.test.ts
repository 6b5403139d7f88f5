/** Listeners on real sockets: who is let in, and why not; time is virtual. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectTcp, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import { Certificates } from '../../src/tls/certificates.ts';
import { ConnectionBound } from '../../src/tls/connection-bound.ts';
import {
  handshakeMsMax,
  Listener,
  type ListenerOptions,
  type ListenPurpose,
  type Protocol,
} from '../../src/tls/listener.ts';
import type { RefusedConnection } from '../../src/tls/refusal-log.ts';
import type { TlsSettings } from '../../src/tls/settings.ts';
import { type Pair, TestCa, writeFiles } from '../harness/certificates.ts';
import { VirtualLoop } from '../harness/virtual-loop.ts';

let folder: string;
let ca: TestCa;
let server: Pair;
let alice: Pair;
let bob: Pair;
let loop: VirtualLoop;
let refused: RefusedConnection[];
let accepted: Socket[];
/** What each of them speaks. */
let spoken: Protocol[];
let listener: Listener | undefined;
let certificates: Certificates;
let dialled: Socket[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-listener-'));
  ca = await TestCa.create();
  [server, alice, bob] = [await ca.issue('n1'), await ca.issue('alice'), await ca.issue('bob')];
  const crl = await ca.revoke([bob.serial]);
  await writeFiles(folder, { cert: server.cert, key: server.key, ca: ca.pem, crl });
});

afterAll(async () => rm(folder, { recursive: true, force: true }));

beforeEach(() => {
  loop = new VirtualLoop();
  [refused, accepted, dialled, spoken] = [[], [], [], []];
});

afterEach(async () => {
  for (const socket of dialled) {
    socket.destroy();
  }
  await listener?.close();
  certificates.close();
});

async function listen(
  tls: Partial<TlsSettings> | 'plain',
  options: Partial<ListenerOptions> = {},
): Promise<number> {
  const file = (name: string) => ({ where: `--${name}-file`, path: join(folder, `${name}.pem`) });
  certificates = await Certificates.open(
    {
      ...{ use: 'client', cert: file('cert'), key: file('key'), ca: file('ca') },
      ...{ allowedCommonNames: [], allowedHostnames: [], cipherSuites: [] },
      ...{ versionMin: 'TLSv1.2', versionMax: 'TLSv1.3' },
      ...(tls === 'plain' ? {} : tls),
    },
    {
      timers: loop,
      epochMs: () => Date.now(),
      onEvent: () => undefined,
      onReload: () => undefined,
    },
  );
  listener = new Listener({
    ...{ purpose: 'clients', host: '127.0.0.1', port: 0, timers: loop },
    certificates: tls === 'plain' ? undefined : certificates,
    onRefused: (connection) => refused.push(connection),
    ...options,
  });
  return listener.open((socket, protocol) => {
    accepted.push(socket);
    spoken.push(protocol);
    socket.write('welcome');
  });
}

/** Dials by TLS; what the other side says first, or how it has failed. */
async function visit(port: number, options: ConnectionOptions = {}): Promise<string> {
  const socket: TLSSocket = connectTls({
    ...{ port, host: '127.0.0.1', ca: ca.pem, ALPNProtocols: ['h2'] },
    ...options,
  });
  dialled.push(socket);
  return outcomeOf(socket);
}

async function outcomeOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.on('data', (data: Buffer) => resolve(data.toString()));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.on('close', () => resolve('closed'));
  });
}

function shown({ cert, key }: Pair): ConnectionOptions {
  return { cert, key };
}

function plain(port: number): Socket {
  const socket = connectTcp(port, '127.0.0.1');
  dialled.push(socket);
  socket.on('error', () => undefined);
  return socket;
}

test.each(['plain', 'tls'] as const)(
  'a connection whose other side has vanished ends, by %s: it is asked for when it is silent',
  async (how) => {
    const asked = vi.spyOn(Socket.prototype, 'setKeepAlive');
    onTestFinished(() => asked.mockRestore());
    const port = await listen(how === 'plain' ? 'plain' : {});

    const socket = how === 'plain' ? plain(port) : undefined;
    socket?.write('hello');
    expect(await (socket ? outcomeOf(socket) : visit(port, shown(alice)))).toBe('welcome');

    expect(asked.mock.calls).toEqual([[true, 30_000]]);
  },
);

const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const post = 'POST /v3/kv/put HTTP/1.1\r\n\r\n';

describe('what a connection speaks', () => {
  test.each<[ListenPurpose, string, Protocol]>([
    ['clients', preface, 'http/2'],
    ['clients', post, 'http/1'],
    ['clients', 'GET / HTTP/1.1\r\n\r\n', 'http/1'],
    ['peers', preface, 'http/2'],
    ['peers', 'nonsense', 'http/2'],
    ['metrics', 'PRI', 'http/1'],
  ])(
    'is told by its first bytes, to %s, however they come: %j',
    async (purpose, said, protocol) => {
      const port = await listen('plain', { purpose });
      const [whole, inPieces] = [plain(port), plain(port)];
      whole.write(said);
      expect(await outcomeOf(whole)).toBe('welcome');

      for (const piece of [said.slice(0, 1), said.slice(1, 2), said.slice(2)]) {
        inPieces.write(piece);
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
      }
      expect(await outcomeOf(inPieces)).toBe('welcome');

      expect(spoken).toEqual([protocol, protocol]);
      const heard = accepted.map(async (socket) => {
        let text = String(socket.read() ?? '');
        while (text.length < said.length) {
          await once(socket, 'readable');
          text += String(socket.read() ?? '');
        }
        return text;
      });
      expect(await Promise.all(heard)).toEqual([said, said]);
    },
  );

  test.each<[string[], string, Protocol]>([
    [['h2'], '', 'http/2'],
    [['h2', 'http/1.1'], '', 'http/2'],
    [['http/1.1', 'h2'], '', 'http/2'],
    [['http/1.1'], '', 'http/1'],
    [[], preface, 'http/2'],
    [[], post, 'http/1'],
  ])('is agreed on by TLS where it is known: %j, %j', async (ALPNProtocols, said, protocol) => {
    const port = await listen({ ca: undefined });
    const socket = connectTls({ port, host: '127.0.0.1', ca: ca.pem, ALPNProtocols });
    dialled.push(socket);
    socket.write(said);

    expect(await outcomeOf(socket)).toBe('welcome');
    expect(spoken).toEqual([protocol]);
  });
});

describe('a listener in plain text', () => {
  test('tells beginners apart that come from one port to two of its addresses', async () => {
    const port = await listen('plain', { host: '0.0.0.0' });
    const from = (host: string, localPort?: number): Socket => {
      const socket = connectTcp({ port, host, localAddress: '127.0.0.1', localPort });
      dialled.push(socket);
      return socket;
    };
    const first = from('127.0.0.1');
    await once(first, 'connect');
    await vi.waitFor(() => expect(loop.pendingTimers).toBe(1));
    const second = from('127.0.0.2', first.localPort);
    await vi.waitFor(() => expect(loop.pendingTimers).toBe(2));

    first.write('hello');
    expect(await outcomeOf(first)).toBe('welcome');
    const closed = once(second, 'close');
    await loop.run(handshakeMsMax);
    second.resume();
    await closed;

    expect(first.destroyed).toBe(false);
    expect(accepted.map((socket) => socket.destroyed)).toEqual([false]);
  });

  test('hands over connections with all that they have sent', async () => {
    const port = await listen('plain');
    const socket = plain(port);
    socket.write('hello');

    expect(await outcomeOf(socket)).toBe('welcome');
    const [taken] = accepted;
    expect(String(taken?.read())).toBe('hello');
  });

  test('says that it speaks no TLS, to both sides', async () => {
    const port = await listen('plain');

    expect(await visit(port)).toMatch(/WRONG_VERSION|PACKET_LENGTH/);
    expect(refused).toMatchObject([
      { listener: 'clients', kind: 'tls-on-plain-port', isTold: true },
    ]);
    expect(refused[0]?.reason).toMatch(/say https:\/\/ in --listen-client-urls or http:\/\//);
    expect(accepted).toEqual([]);
  });

  test('listens on every address of a name', async () => {
    const port = await listen('plain', { host: 'localhost' });
    const socket = plain(port);
    socket.write('x');

    expect(await outcomeOf(socket)).toBe('welcome');
  });

  test.each([['256.0.0.1.invalid'], ['203.0.113.1']])('on %s does not start', async (host) => {
    await expect(listen('plain', { host })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`cannot listen for clients on ${host}:0`) as string,
    });
  });
});

describe('a listener by TLS', () => {
  test('takes anybody when it asks for no certificate', async () => {
    const port = await listen({ ca: undefined });

    expect(await visit(port)).toBe('welcome');
  });

  test('with a CA takes those with a certificate of it', async () => {
    const port = await listen({});

    expect(await visit(port, shown(alice))).toBe('welcome');
    expect(refused).toEqual([]);
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('by %s refuses who shows none', async (maxVersion) => {
    const port = await listen({});

    expect(await visit(port, { maxVersion })).not.toBe('welcome');
    await vi.waitFor(() => expect(refused).toHaveLength(1));
    expect(refused[0]?.reason).toBe('it shows no certificate, and one is asked for');
    expect(accepted).toEqual([]);
  });

  test('does not resume what it has refused, or anything else', async () => {
    const port = await listen({});
    const sessions: Buffer[] = [];
    const known = { port, host: '127.0.0.1', ca: ca.pem, ALPNProtocols: ['h2'] };
    const socket = connectTls({ ...known, ...shown(alice) });
    dialled.push(socket);
    socket.on('session', (session: Buffer) => sessions.push(session));
    await outcomeOf(socket);

    for (const session of [...sessions, socket.getSession()]) {
      const again = connectTls({ ...known, session });
      dialled.push(again);
      expect(await outcomeOf(again)).not.toBe('welcome');
    }
    expect(accepted).toHaveLength(1);
  });

  test.each<[string, () => Promise<Pair>, RegExp]>([
    ['a stranger’s', async () => (await TestCa.create('else')).issue('eve'), /of a CA that is not/],
    ['an expired', async () => ca.issue('old', { days: [-9, -1] }), /its certificate has expired/],
    ['a future', async () => ca.issue('young', { days: [1, 9] }), /is not good yet/],
    [
      'a server’s',
      async () => ca.issue('srv', { usages: ['server'] }),
      /extendedKeyUsage|not made/,
    ],
  ])('refuses %s certificate, and says so', async (_whose, issue, reason) => {
    const port = await listen({});

    expect(await visit(port, shown(await issue()))).not.toBe('welcome');
    await vi.waitFor(() => expect(refused).toHaveLength(1));
    expect(refused[0]).toMatchObject({
      kind: 'certificate',
      client: /^127\.0\.0\.1:\d+$/ as never,
    });
    expect(refused[0]?.reason).toMatch(reason);
    expect(accepted).toEqual([]);
  });

  test('refuses revoked certificates, and takes others', async () => {
    const crl = { where: '--client-crl-file', path: join(folder, 'crl.pem') };
    const port = await listen({ crl });

    expect(await visit(port, shown(bob))).not.toBe('welcome');
    expect(await visit(port, shown(alice))).toBe('welcome');
    expect(refused).toMatchObject([{ reason: 'its certificate has been revoked' }]);
  });

  test('goes by the revocation lists of all CAs that a file holds', async () => {
    const next = await TestCa.create('next CA');
    const [carol, dave] = [await next.issue('carol'), await next.issue('dave')];
    const paths = await writeFiles(folder, {
      bothCas: ca.pem + next.pem,
      bothLists: [await ca.revoke([bob.serial]), await next.revoke([dave.serial])].join('\n'),
    });
    const port = await listen({
      ca: { where: '--trusted-ca-file', path: paths.bothCas },
      crl: { where: '--client-crl-file', path: paths.bothLists },
    });

    expect(await visit(port, shown(alice))).toBe('welcome');
    expect(await visit(port, shown(carol))).toBe('welcome');
    expect(await visit(port, shown(bob))).not.toBe('welcome');
    expect(await visit(port, shown(dave))).not.toBe('welcome');
  });

  test('takes only the names that are allowed', async () => {
    const port = await listen({ allowedCommonNames: ['alice'] });

    expect(await visit(port, shown(bob))).not.toBe('welcome');
    expect(await visit(port, shown(alice))).toBe('welcome');
    expect(refused[0]?.reason).toMatch(/common name "bob", and only alice may connect/);
  });

  test('keeps to the versions and suites that are set', async () => {
    const port = await listen({ versionMin: 'TLSv1.3' });
    const old = await visit(port, { ...shown(alice), maxVersion: 'TLSv1.2' });

    expect(old).toMatch(/PROTOCOL_VERSION|ECONNRESET/);
    expect(await visit(port, shown(alice))).toBe('welcome');
    expect(refused[0]?.reason).toMatch(/no version of TLS that is allowed/);
  });

  test('says that a client does not speak TLS', async () => {
    const port = await listen({});
    plain(port).write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

    await vi.waitFor(() => expect(refused).toHaveLength(1));
    expect(refused[0]?.reason).toBe('it does not speak TLS');
  });

  test('says nothing of who only looks whether the port is open', async () => {
    const port = await listen({});
    const socket = plain(port);
    await once(socket, 'connect');
    socket.end();
    await once(socket, 'close');

    expect(refused).toEqual([]);
    expect(loop.pendingTimers).toBe(0);
  });

  test('shows new certificates to new connections; old ones live on', async () => {
    const port = await listen({});
    expect(await visit(port, shown(alice))).toBe('welcome');
    const [stays] = accepted;
    const renewed = await ca.issue('n1 renewed');
    await writeFiles(folder, { cert: renewed.cert, key: renewed.key });
    await certificates.reload();

    await visit(port, shown(alice));
    const latest = dialled.at(-1) as TLSSocket;

    expect(latest.getPeerX509Certificate()?.subject).toBe('CN=n1 renewed');
    expect(stays?.destroyed).toBe(false);
    await writeFiles(folder, { cert: server.cert, key: server.key });
  });

  test('trusts only the CAs of its newest bundle', async () => {
    const port = await listen({});
    const next = await TestCa.create('next CA');
    const carol = await next.issue('carol');
    expect(await visit(port, shown(carol))).not.toBe('welcome');
    await writeFiles(folder, { ca: next.pem });
    await certificates.reload();

    expect(await visit(port, shown(carol))).toBe('welcome');
    expect(await visit(port, shown(alice))).not.toBe('welcome');
    await writeFiles(folder, { ca: ca.pem });
  });
});

describe('handshakes', () => {
  test('that are not finished in time are cut off', async () => {
    const port = await listen({});
    const socket = plain(port);
    const closed = once(socket, 'close');
    socket.resume();
    await vi.waitFor(() => expect(loop.pendingTimers).toBe(1));
    socket.write(Buffer.of(0x16, 3, 1));

    await loop.run(handshakeMsMax);
    await closed;

    expect(refused).toMatchObject([{ kind: 'slow' }]);
    expect(loop.pendingTimers).toBe(0);
  });

  test('are bounded in number; one that stalls makes room for another', async () => {
    const port = await listen({}, { beginnersMax: 2 });
    const stalled = [plain(port), plain(port)];
    await vi.waitFor(() => expect(loop.pendingTimers).toBe(2));

    expect(await visit(port, shown(alice))).not.toBe('welcome');
    expect(refused).toMatchObject([{ kind: 'full' }]);
    await loop.run(2000);
    expect(await visit(port, shown(alice))).toBe('welcome');

    expect(refused.map(({ kind }) => kind)).toEqual(['full', 'slow']);
    expect(stalled.filter(({ destroyed }) => !destroyed).length).toBeLessThanOrEqual(2);
  });

  test('end when the listener is closed', async () => {
    const port = await listen({});
    const socket = plain(port);
    const closed = once(socket, 'close');
    socket.resume();
    await vi.waitFor(() => expect(loop.pendingTimers).toBe(1));

    await listener?.close();
    await closed;

    expect(loop.pendingTimers).toBe(0);
    expect(await visit(port, shown(alice))).toBe('ECONNREFUSED');
  });
});

describe('connections', () => {
  test.each(['plain', 'tls'] as const)('are bounded in number, by %s', async (kind) => {
    const bound = new ConnectionBound(2, 'use fewer');
    const port = await listen(kind === 'tls' ? {} : 'plain', { bound });
    const come = async (): Promise<string> => {
      if (kind === 'tls') {
        return visit(port, shown(alice));
      }
      const socket = plain(port);
      socket.write('hello');
      return outcomeOf(socket);
    };

    expect([await come(), await come()]).toEqual(['welcome', 'welcome']);
    expect(await come()).not.toBe('welcome');
    expect(refused).toMatchObject([
      { kind: 'connections', reason: '2 connections are open: use fewer', isTold: true },
    ]);

    accepted[0]?.destroy();
    await vi.waitFor(() => expect(bound.isFull).toBe(false));
    expect(await come()).toBe('welcome');
  });

  test('of several listeners are bounded together, and others have room of their own', async () => {
    const bound = new ConnectionBound(1, 'use fewer');
    const first = await listen('plain', { bound });
    const others = [bound, new ConnectionBound(1, 'use fewer')].map(
      (each) =>
        new Listener({
          ...{ purpose: 'peers', host: '127.0.0.1', port: 0, timers: loop, bound: each },
        }),
    );
    onTestFinished(async () => {
      await Promise.all(others.map(async (each) => each.close()));
    });
    const ports = await Promise.all(
      others.map(async (each) => each.open((socket) => void socket.write('welcome'))),
    );
    const outcomes: string[] = [];

    for (const port of [first, ...ports]) {
      const socket = plain(port);
      socket.write('hello');
      outcomes.push(await outcomeOf(socket));
    }

    expect(outcomes.map((outcome) => outcome === 'welcome')).toEqual([true, false, true]);
  });

  test('that say nothing in plain text are cut off, or make room for others before', async () => {
    const bound = new ConnectionBound(2, 'use fewer');
    const port = await listen('plain', { bound });
    const [first, second] = [plain(port), plain(port)];
    await vi.waitFor(() => expect(bound.isFull).toBe(true));
    const firstClosed = once(first, 'close');
    const secondClosed = once(second, 'close');

    await loop.run(2000);
    const speaking = plain(port);
    speaking.write('hello');
    expect(await outcomeOf(speaking)).toBe('welcome');
    first.resume();
    await firstClosed;

    await loop.run(handshakeMsMax - 2000);
    second.resume();
    await secondClosed;
    expect(refused.map(({ kind }) => kind)).toEqual(['slow', 'slow']);
    expect(loop.pendingTimers).toBe(0);
  });
});

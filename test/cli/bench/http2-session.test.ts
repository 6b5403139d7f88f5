import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Http2Session, type SessionOptions } from '../../../src/cli/bench/http2-session.ts';
import { TestCa } from '../../harness/certificates.ts';
import { frameMessage } from '../../../src/cli/bench/requests.ts';
import { answerWith, cutOff, type FakeCall, FakeMember } from './fake-member.ts';

interface Answer {
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly failure?: string;
}

async function startPeer(
  answer: (call: FakeCall) => void,
  options: Parameters<typeof FakeMember.start>[1] = {},
): Promise<FakeMember> {
  const member = await FakeMember.start(answer, options);
  onTestFinished(async () => member.stop());
  return member;
}

async function openSession(
  port: number,
  onClose: () => void = () => undefined,
  unusual: Partial<SessionOptions> = {},
): Promise<Http2Session> {
  const session = await Http2Session.open({
    ...{ host: '127.0.0.1', port, dialMaxMs: 5000, onClose },
    ...unusual,
  });
  onTestFinished(() => session.close());
  return session;
}

async function call(session: Http2Session, path: string, data: Buffer): Promise<Answer> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    const headers: Record<string, string> = {};
    const answer = (failure?: string): void => {
      resolve({
        body: Buffer.concat(pieces),
        headers,
        ...(failure === undefined ? {} : { failure }),
      });
    };
    session.request(path, data, {
      onData: (piece) => pieces.push(Buffer.from(piece)),
      onHeader: (name, value) => {
        headers[name] = value;
      },
      onEnd: () => answer(),
      onFailure: answer,
    });
  });
}

/** A server that says fixed bytes to whoever connects. */
async function startRawPeer(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Something that a test waits for. */
function createGate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

const echo = (fake: FakeCall): void => answerWith(fake, fake.body);

describe('Http2Session', () => {
  test('calls run side by side and each gets its own answer', async () => {
    const peer = await startPeer(echo);
    const session = await openSession(peer.endpoint.port);

    const answers = await Promise.all(
      Array.from({ length: 300 }, async (_, i) =>
        call(session, `/a.KV/M${i % 3}`, Buffer.from(`call ${i}`)),
      ),
    );

    expect(answers.map((answer) => String(answer.body))).toEqual(
      answers.map((_, i) => `call ${i}`),
    );
    expect(answers[0]?.headers).toMatchObject({ ':status': '200', 'grpc-status': '0' });
    expect(new Set(peer.calls.map((each) => each.path))).toEqual(
      new Set(['/a.KV/M0', '/a.KV/M1', '/a.KV/M2']),
    );
    expect(peer.calls[299]?.headers).toMatchObject({
      ':method': 'POST',
      ':authority': `127.0.0.1:${peer.endpoint.port}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
  });

  test.each([
    ['the usual windows', {}],
    ['a window of 100 bytes', { settings: { initialWindowSize: 100 } }],
    ['no header table', { settings: { headerTableSize: 0 } }],
    ['two streams at a time', { settings: { maxConcurrentStreams: 2 } }],
  ])('bodies of any size pass in both directions with %s', async (_, options) => {
    const peer = await startPeer(echo, options);
    const session = await openSession(peer.endpoint.port);
    const sizes = [0, 1, 16_384, 16_385, 65_535, 65_536, 500_000];
    const bodies = sizes.map((size, i) => Buffer.alloc(size, i + 1));

    const answers = await Promise.all(bodies.map(async (body) => call(session, '/a.KV/Put', body)));

    expect(answers.map((answer) => answer.failure)).toEqual(sizes.map(() => undefined));
    expect(answers.map((answer, i) => answer.body.equals(bodies[i] ?? Buffer.alloc(1)))).toEqual(
      sizes.map(() => true),
    );
  });

  test('a stream sends requests while answers arrive, until the peer ends it', async () => {
    const peer = await FakeMember.startStreaming((frame, stream) => {
      stream.write(frame);
      if (frame.toString('latin1').endsWith('bye')) {
        stream.end();
      }
    });
    onTestFinished(async () => peer.stop());
    const session = await openSession(peer.endpoint.port);
    const pieces: string[] = [];
    const ended = createGate();
    const streamId = session.openStream('/a.Watch/Watch', {
      onHeader: () => undefined,
      onData: (piece) => {
        pieces.push(piece.toString('latin1', 5));
        if (pieces.length === 1) {
          session.send(streamId, frameMessage(Buffer.from('bye')));
        }
      },
      onEnd: () => ended.open(),
      onFailure: () => undefined,
    });

    session.send(streamId, frameMessage(Buffer.from('hello')));
    await ended.opened;
    session.send(streamId, frameMessage(Buffer.from('into the void')));

    // The last frame is empty, and says that it is the last.
    expect(pieces.filter((piece) => piece !== '')).toEqual(['hello', 'bye']);
    expect(session.isOpen).toBe(true);
  });

  test('a stream beyond what the peer allows is refused', async () => {
    const peer = await startPeer(echo, { settings: { maxConcurrentStreams: 0 } });
    const session = await openSession(peer.endpoint.port);
    const listener = {
      ...{ onHeader: () => undefined, onData: () => undefined, onEnd: () => undefined },
      onFailure: () => undefined,
    };

    expect(() => session.openStream('/a', listener)).toThrow('takes only 0 calls');
  });

  test('headers with every visible character arrive as they were sent', async () => {
    const visible = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
    const peer = await startPeer((fake) =>
      answerWith(fake, Buffer.alloc(5), { 'grpc-status': '5', 'grpc-message': `.${visible}.` }),
    );
    const session = await openSession(peer.endpoint.port);

    const answers = [
      await call(session, '/a.KV/Put', Buffer.alloc(5)),
      await call(session, '/a.KV/Put', Buffer.alloc(5)),
    ];

    for (const { headers } of answers) {
      expect(headers).toMatchObject({ 'grpc-status': '5', 'grpc-message': `.${visible}.` });
    }
  });

  test('a call that the server resets fails, and the others go on', async () => {
    const peer = await startPeer((fake) => {
      if (fake.path === '/bad') {
        fake.stream.close(8);
      } else {
        echo(fake);
      }
    });
    const session = await openSession(peer.endpoint.port);

    const [bad, good] = await Promise.all([
      call(session, '/bad', Buffer.from('x')),
      call(session, '/good', Buffer.from('y')),
    ]);

    expect(bad.failure).toBe('the server reset the call (HTTP/2 error 8)');
    expect(String(good.body)).toBe('y');
    expect(session.isOpen).toBe(true);
  });

  test('a server that goes away finishes what it has begun, then the session closes', async () => {
    const held: FakeCall[] = [];
    const heldEnough = createGate();
    const peer = await startPeer((fake) => {
      held.push(fake);
      if (held.length === 2) {
        heldEnough.open();
      }
    });
    const closed = createGate();
    const session = await openSession(peer.endpoint.port, () => closed.open());
    const calls = [call(session, '/a', Buffer.from('1')), call(session, '/a', Buffer.from('2'))];
    await heldEnough.opened;

    for (const each of peer.sessions) {
      each.goaway(0);
    }
    held.forEach(echo);
    const answers = await Promise.all(calls);
    await closed.opened;

    expect(answers.map((answer) => String(answer.body))).toEqual(['1', '2']);
    expect(session.isOpen).toBe(false);
  });

  test('a lost connection fails every call under way and is reported once', async () => {
    const peer = await startPeer(cutOff);
    let closedCount = 0;
    const session = await openSession(peer.endpoint.port, () => {
      closedCount++;
    });

    const answers = await Promise.all(
      ['1', '2', '3'].map(async (text) => call(session, '/a', Buffer.from(text))),
    );

    expect(answers.every((answer) => answer.failure !== undefined)).toBe(true);
    expect(closedCount).toBe(1);
    expect(session.isOpen).toBe(false);
  });

  test('what does not speak HTTP/2 is refused by name of the trouble', async () => {
    const port = await startRawPeer((socket) => {
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });

    await expect(openSession(port)).rejects.toThrow('does not speak HTTP/2');
  });

  test('a malformed frame ends the session instead of the process', async () => {
    const port = await startRawPeer((socket) => {
      // Settings, then a window update whose four bytes are missing.
      socket.write(Buffer.from('000000040000000000' + '000000080000000000', 'hex'));
    });
    const closed = createGate();

    const session = await openSession(port, () => closed.open());
    await closed.opened;

    expect(session.isOpen).toBe(false);
  });

  test('a peer that stays silent is given up', async () => {
    const port = await startRawPeer(() => undefined);
    const silent = Http2Session.open({
      host: '127.0.0.1',
      port,
      dialMaxMs: 50,
      onClose: () => undefined,
    });

    await expect(silent).rejects.toThrow('no HTTP/2 answer within 0.05 s');
  });
});

describe('Http2Session by TLS', () => {
  test('requests of all sizes arrive, from whoever has a certificate', async () => {
    const ca = await TestCa.create();
    const peer = await startPeer(echo, {
      ...(await ca.issue('server')),
      ca: ca.pem,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const secureContext = createSecureContext({ ca: ca.pem, ...(await ca.issue('client')) });
    const session = await openSession(peer.endpoint.port, undefined, { secureContext });
    const bodies = [0, 1, 16_385, 500_000].map((size, i) => Buffer.alloc(size, i + 1));

    const answers = await Promise.all(bodies.map(async (body) => call(session, '/a.KV/Put', body)));

    expect(answers.map(({ failure }) => failure)).toEqual(bodies.map(() => undefined));
    expect(answers.map(({ body }, i) => body.equals(bodies[i] ?? Buffer.alloc(1)))).toEqual(
      bodies.map(() => true),
    );
    expect(peer.calls[0]?.headers[':scheme']).toBe('https');
  });

  test('each call has the token of its moment', async () => {
    const peer = await startPeer(echo);
    const tokens = [undefined, 'first', 'second'];
    const session = await openSession(peer.endpoint.port, undefined, {
      token: () => tokens.shift(),
    });

    for (let i = 0; i < 3; i++) {
      await call(session, '/a.KV/Put', Buffer.alloc(5));
    }

    expect(peer.calls.map(({ headers }) => headers['token'])).toEqual([
      undefined,
      'first',
      'second',
    ]);
  });

  test.each([
    ['of another CA', 'stranger', {}, 'TLS: its certificate is of a CA that is not trusted here'],
    ['for another host', 'own', { hosts: ['elsewhere'] }, 'TLS: its certificate is for another'],
  ] as const)('a certificate %s is refused with the reason', async (_, issuer, unusual, reason) => {
    const [own, stranger] = [await TestCa.create(), await TestCa.create('stranger')];
    const pair = await (issuer === 'own' ? own : stranger).issue('server', unusual);
    const peer = await startPeer(echo, pair);
    const secureContext = createSecureContext({ ca: own.pem });

    await expect(openSession(peer.endpoint.port, undefined, { secureContext })).rejects.toThrow(
      reason,
    );
  });

  test('a member that wants a certificate and one of plain text are told apart', async () => {
    const ca = await TestCa.create();
    const secureContext = createSecureContext({ ca: ca.pem });
    const wanting = await startPeer(echo, {
      ...(await ca.issue('server')),
      ca: ca.pem,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const plain = await startRawPeer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));

    await expect(openSession(wanting.endpoint.port, undefined, { secureContext })).rejects.toThrow(
      /TLS: it (asks for a certificate|has closed the connection)/,
    );
    await expect(openSession(plain, undefined, { secureContext })).rejects.toThrow(
      'TLS: it does not speak TLS',
    );
  });

  test('plain text to a member that speaks TLS says what to write', async () => {
    // What TLS answers to bytes that are not its own: an alert.
    const alert = Buffer.from('15030100020246' + '0000000000', 'hex');
    const port = await startRawPeer((socket) => socket.end(alert));

    await expect(openSession(port)).rejects.toThrow('write https:// and --cacert');
  });
});

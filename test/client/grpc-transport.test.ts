/** The way to members over real gRPC on loopback: connections, calls, streams, failures. */
import { once } from 'node:events';
import {
  type AddressInfo,
  connect as connectTo,
  createServer,
  type Server as NetServer,
  type Socket,
} from 'node:net';
import {
  Metadata,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  status,
} from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { nodeEnvironment } from '../../src/client/defaults.ts';
import { grpcTransport } from '../../src/client/grpc-transport.ts';
import type { CallResult, Link } from '../../src/client/ports.ts';
import { freePorts } from '../harness/processes.ts';

const codec = {
  requestSerialize: (text: string) => Buffer.from(text),
  requestDeserialize: (bytes: Buffer) => bytes.toString(),
  responseSerialize: (text: string) => Buffer.from(text),
  responseDeserialize: (bytes: Buffer) => bytes.toString(),
};
const echo = { path: '/test.Echo/Say', requestStream: false, responseStream: false, ...codec };
const chat = { path: '/test.Echo/Chat', requestStream: true, responseStream: true, ...codec };

let server: Server;
let port: number;
let link: Link;
const chats: ServerDuplexStream<string, string>[] = [];

beforeEach(async () => {
  server = new Server();
  server.addService(
    { Say: echo, Chat: chat },
    {
      Say: (call: ServerUnaryCall<string, string>, done: sendUnaryData<string>) => {
        if (call.request === 'fail') {
          const metadata = new Metadata();
          metadata.set('holdfast-code', 'NO_SPACE');
          metadata.set('holdfast-outcome', 'rejected');
          done({ code: status.RESOURCE_EXHAUSTED, details: 'full', metadata });
        } else if (call.request !== 'wait') {
          done(null, `${call.request} ${String(call.metadata.get('token')[0])}`);
        }
      },
      Chat: (call: ServerDuplexStream<string, string>) => {
        chats.push(call);
        call.on('data', (text: string) => call.write(`${text}!`));
        call.on('end', () => call.end());
      },
    },
  );
  port = await listen(0);
  link = grpcTransport(undefined).open(`127.0.0.1:${port}`);
});

afterEach(() => {
  link.close();
  server.forceShutdown();
});

async function listen(at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const credentials = ServerCredentials.createInsecure();
    server.bindAsync(`127.0.0.1:${at}`, credentials, (error, bound) => {
      if (error === null) {
        resolve(bound);
      } else {
        reject(error);
      }
    });
  });
}

/** Listens until the end of the test; returns where. */
async function bound(listener: NetServer): Promise<string> {
  const sockets: Socket[] = [];
  listener.on('connection', (socket) => {
    sockets.push(socket.on('error', () => undefined));
  });
  onTestFinished(() => {
    listener.close();
    sockets.forEach((socket) => socket.destroy());
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return `127.0.0.1:${(listener.address() as AddressInfo).port}`;
}

async function connect(to: Link): Promise<string | undefined> {
  return new Promise((resolve) => to.connect((problem) => resolve(problem)));
}

async function say(text: string): Promise<CallResult<string>> {
  return new Promise((resolve) => link.call(echo, text, { token: 'abc' }, resolve));
}

describe('a connection', () => {
  test('is made when it is asked for, and told when it is there', async () => {
    expect(await connect(link)).toBeUndefined();
    expect(await connect(link)).toBeUndefined();
  });

  test('that is refused says why', async () => {
    const [free = 0] = await freePorts(1);
    const other = grpcTransport(undefined).open(`127.0.0.1:${free}`);

    expect(await connect(other)).toContain('ECONNREFUSED');
    other.close();
  });

  test('in TLS to a member without says why', async () => {
    const other = grpcTransport({}).open(`127.0.0.1:${port}`);

    const problem = await connect(other);
    expect(problem).toMatch(/SSL|TLS|wrong version|packet length/i);
    expect(problem).toBe(problem?.trim());
    other.close();
  });

  test.each([
    ['TLS', 'resetAndDestroy', /cut off: does the member speak TLS\?\)$/],
    ['TLS', 'destroy', /cut off: does the member speak TLS\?\)$/],
    ['plain text', 'resetAndDestroy', /closed at once: does the member want TLS\?\)$/],
    ['plain text', 'destroy', /closed at once: does the member want TLS\?\)$/],
  ] as const)(
    'in %s that is cut off at once says what may be wrong: %s',
    async (way, cut, hint) => {
      const cutting = createServer((socket) => socket.once('data', () => socket[cut]()));
      cutting.listen(0, '127.0.0.1');
      await once(cutting, 'listening');
      onTestFinished(() => void cutting.close());
      const { port: cuttingPort } = cutting.address() as AddressInfo;
      const transport = grpcTransport(way === 'TLS' ? {} : undefined);
      const other = transport.open(`127.0.0.1:${cuttingPort}`);
      onTestFinished(() => other.close());

      const problem = await connect(other);

      expect(problem).toMatch(hint);
      expect(problem).not.toMatch(/\n|\d{4}-\d\d-\d\dT/);
    },
  );

  test('in TLS with a certificate that is none is a mistake of the options', () => {
    const key = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----';
    for (const tls of [
      { cert: 'x', key: 'x' },
      { cert: 'x', key },
      { cert: key, key },
    ]) {
      const refusal = /^tls: ca, cert and key have to be PEM, and fit together \(ERR_/;
      expect(() => grpcTransport(tls)).toThrow(
        expect.objectContaining({
          code: 'CONFIG_INVALID',
          message: expect.stringMatching(refusal) as string,
        }),
      );
    }
  });

  test('that is not there after a while is dialled anew', async () => {
    // What takes a connection and says nothing, at first: a member that is stopped, a proxy.
    const ends: Promise<unknown>[] = [];
    const dialled = createServer((socket) => {
      if (ends.push(once(socket.resume(), 'close')) > 1) {
        socket.pipe(connectTo(port, '127.0.0.1')).pipe(socket);
      }
    });
    const other = grpcTransport(undefined, nodeEnvironment().loop, 50).open(await bound(dialled));
    onTestFinished(() => other.close());

    expect(await connect(other)).toBe('no connection within 50 ms');
    expect(await connect(other)).toBeUndefined();
    await ends[0];
  });

  test.each([undefined, {}])('that is being made ends with its link: TLS %j', async (tls) => {
    const silent = createServer();
    const other = grpcTransport(tls).open(await bound(silent));
    const waiting = connect(other);
    const [socket] = (await once(silent, 'connection')) as [Socket];
    socket.resume();

    other.close();

    expect(await waiting).toBe('closed');
    await once(socket, 'close');
  });

  test('that many wait for is looked for once', async () => {
    const other = grpcTransport(undefined).open(`127.0.0.1:${port}`);
    onTestFinished(() => other.close());

    const all = Array.from({ length: 1000 }, async () => connect(other));

    expect(new Set(await Promise.all(all))).toEqual(new Set([undefined]));
  });

  test('of a closed link is not there', async () => {
    link.close();

    expect(await connect(link)).toBe('closed');
  });
});

describe('a call', () => {
  test('carries metadata and brings the answer', async () => {
    await connect(link);

    expect(await say('hello')).toEqual({ kind: 'ok', answer: 'hello abc' });
  });

  test('that fails says what the server said of it', async () => {
    await connect(link);

    expect(await say('fail')).toMatchObject({
      kind: 'failed',
      failure: {
        ...{ status: 'RESOURCE_EXHAUSTED', code: 'NO_SPACE', outcome: 'rejected' },
        ...{ message: 'full', wasSent: true },
      },
    });
  });

  test('that is cancelled ends', async () => {
    await connect(link);
    const ended = new Promise<CallResult<string>>((resolve) => {
      const call = link.call(echo, 'wait', {}, resolve);
      call.cancel();
    });

    expect(await ended).toMatchObject({ failure: { status: 'CANCELLED' } });
  });
});

describe('a stream', () => {
  test('brings what comes, and its end', async () => {
    await connect(link);
    const seen: unknown[] = [];
    await new Promise<void>((resolve) => {
      const call = link.stream(
        chat,
        {},
        {
          onAnswer: (answer: string) => void seen.push(answer),
          onEnd: (failure) => {
            seen.push(failure);
            resolve();
          },
        },
      );
      call.write('a');
      call.write('b');
      call.end();
    });

    expect(seen).toEqual(['a!', 'b!', undefined]);
  });

  test('that breaks off says so, once', async () => {
    await connect(link);
    const seen: unknown[] = [];
    await new Promise<void>((resolve) => {
      link
        .stream(
          chat,
          {},
          {
            onAnswer: () => server.forceShutdown(),
            onEnd: (failure) => {
              seen.push(failure);
              resolve();
            },
          },
        )
        .write('a');
    });

    expect(seen).toMatchObject([{ wasSent: true, code: undefined }]);
  });

  test('that is written to after its end fails as a call does', async () => {
    await connect(link);
    const failure = await new Promise((resolve) => {
      const call = link.stream(chat, {}, { onAnswer: () => undefined, onEnd: resolve });
      call.end();
      call.write('too late');
    });

    expect(failure).toMatchObject({ status: 'UNAVAILABLE', code: undefined, wasSent: true });
  });

  test('that the server does not have says so', async () => {
    await connect(link);
    const failure = await new Promise((resolve) => {
      const path = '/test.Echo/Unknown';
      link.stream({ ...chat, path }, {}, { onAnswer: () => undefined, onEnd: resolve });
    });

    expect(failure).toMatchObject({ status: 'UNIMPLEMENTED' });
  });
});

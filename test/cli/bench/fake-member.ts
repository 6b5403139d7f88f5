/** A gRPC server that answers as a test says, on `node:http2`: an HTTP/2 of another make. */
import { once } from 'node:events';
import {
  createSecureServer,
  createServer,
  type Http2SecureServer,
  type Http2Server,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Endpoint } from '../../../src/cli/bench/connection.ts';

/** What a call got: its headers as sent, and its whole body. */
export interface FakeCall {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
  readonly stream: ServerHttp2Stream;
}

export class FakeMember {
  readonly calls: FakeCall[] = [];
  readonly endpoint: Endpoint;
  readonly sessions = new Set<ServerHttp2Session>();
  readonly #server: Http2Server | Http2SecureServer;

  private constructor(server: Http2Server | Http2SecureServer, port: number) {
    this.#server = server;
    this.endpoint = { host: '127.0.0.1', port };
  }

  static async start(
    answer: (call: FakeCall) => void,
    options: ServerOptions | SecureServerOptions = {},
    port = 0,
  ): Promise<FakeMember> {
    const member = await FakeMember.#listen(options, port);
    member.#server.on('stream', (stream, headers) => {
      const pieces: Buffer[] = [];
      stream.on('error', () => undefined);
      stream.on('data', (piece: Buffer) => pieces.push(piece));
      stream.on('end', () => {
        const path = headers[':path'] ?? '';
        const call = { path, headers, body: Buffer.concat(pieces), stream };
        member.calls.push(call);
        answer(call);
      });
    });
    return member;
  }

  /** A member whose calls last: `answer` gets each frame that arrives, once it is whole. */
  static async startStreaming(
    answer: (frame: Buffer, stream: ServerHttp2Stream) => void,
  ): Promise<FakeMember> {
    const member = await FakeMember.#listen({}, 0);
    member.#server.on('stream', (stream) => {
      let received = Buffer.alloc(0);
      stream.on('error', () => undefined);
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc' },
        { waitForTrailers: true },
      );
      stream.on('data', (piece: Buffer) => {
        received = Buffer.concat([received, piece]);
        while (received.length >= 5 && received.length >= 5 + received.readUInt32BE(1)) {
          const end = 5 + received.readUInt32BE(1);
          answer(received.subarray(0, end), stream);
          received = received.subarray(end);
        }
      });
    });
    return member;
  }

  static async #listen(
    options: ServerOptions | SecureServerOptions,
    port: number,
  ): Promise<FakeMember> {
    // By TLS, if there is a key.
    const server = 'key' in options ? createSecureServer(options) : createServer(options);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const member = new FakeMember(
      server,
      typeof address === 'object' && address !== null ? address.port : 0,
    );
    server.on('session', (session) => {
      member.sessions.add(session);
      session.on('close', () => member.sessions.delete(session));
    });
    return member;
  }

  async stop(): Promise<void> {
    // What ends a test may come from within an answer: see `cutOff`.
    await nextTurn();
    for (const session of this.sessions) {
      session.destroy();
    }
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/**
 * Cuts the connection of a call, once what has come on it is handed out: within that, some Nodes
 * end the process (nodejs/node#64850).
 */
export function cutOff({ stream }: Pick<FakeCall, 'stream'>): void {
  setImmediate(() => stream.session?.destroy());
}

/** Answers as a gRPC server does: headers, a body, trailers with the status. */
export function answerWith(
  { stream }: FakeCall,
  body: Buffer,
  trailers: Readonly<Record<string, string>> = { 'grpc-status': '0' },
): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(body);
}

/** Answers as a gRPC server refuses: the status in the headers, and nothing else. */
export function refuseWith({ stream }: FakeCall, code: number, message: string): void {
  stream.respond(
    {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': String(code),
      'grpc-message': encodeURIComponent(message),
    },
    { endStream: true },
  );
}

/**
 * A connection of HTTP/1 as the gRPC server sees it: one of HTTP/2, within the process. So a call
 * that comes as JSON passes the same gate, checks and counts as any other.
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { status } from '@grpc/grpc-js';
import { assert, type EventLoop } from '../base/index.ts';
import { duplexPair } from './duplex-pair.ts';

/** A message's frame: a flag for compression, and its length. */
const headerBytes = 5;

/** Names of headers that HTTP/2 or gRPC make for themselves. */
const ownHeader = /^(:|grpc-(status|message|encoding|accept-encoding)$|content-type$|date$)/;

/** How a call ended. */
export interface CallEnd {
  readonly code: number;
  readonly message: string;
  /** What came with it besides, by lower-case names. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Who hears of a call. */
export interface CallHandler {
  /** The server's first words. */
  onMetadata(metadata: Readonly<Record<string, string>>): void;
  /** A message has come. */
  onMessage(message: Buffer): void;
  /** Messages may be sent again, after `send` said that they should wait. */
  onDrain(): void;
  /** The call is over; nothing follows. */
  onEnd(end: CallEnd): void;
}

/** See the module comment. */
export class GatewayConnection {
  readonly #session: ClientHttp2Session;

  /** `inject` hands the other end to the server. */
  constructor(inject: (connection: Duplex) => void, eventLoop: Pick<EventLoop, 'endOfTurn'>) {
    const [near, far] = duplexPair(eventLoop);
    inject(far);
    this.#session = connect('http://gateway', { createConnection: () => near });
    // Its streams say what became of them.
    this.#session.on('error', () => undefined);
  }

  /** Whether calls can be made: the server may have ended it. */
  get isOpen(): boolean {
    return !this.#session.closed && !this.#session.destroyed;
  }

  /**
   * Begins a call of the method at `path`.
   *
   * @throws {Error} the metadata holds what HTTP/2 does not take.
   */
  call(path: string, metadata: OutgoingHttpHeaders, handler: CallHandler): GatewayCall {
    const stream = this.#session.request({
      ...metadata,
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    return new GatewayCall(stream, handler);
  }

  /** Ends it, and all its calls. */
  close(): void {
    this.#session.destroy();
  }
}

/** One call. */
export class GatewayCall {
  readonly #stream: ClientHttp2Stream;
  readonly #handler: CallHandler;
  /** What has come of the message that is not whole yet. */
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** No message is whole before there are so many of them. */
  #bytesWanted = headerBytes;
  #end: CallEnd = { code: status.UNAVAILABLE, message: 'the server ended the call', metadata: {} };

  constructor(stream: ClientHttp2Stream, handler: CallHandler) {
    this.#stream = stream;
    this.#handler = handler;
    stream.on('response', (headers) => {
      if (headers['grpc-status'] === undefined) {
        handler.onMetadata(metadataOf(headers));
      } else {
        this.#end = endOf(headers);
      }
    });
    stream.on('trailers', (headers: IncomingHttpHeaders) => {
      this.#end = endOf(headers);
    });
    stream.on('data', (chunk: Buffer) => {
      this.#take(chunk);
    });
    stream.on('drain', () => {
      handler.onDrain();
    });
    stream.on('error', () => undefined);
    stream.on('close', () => {
      handler.onEnd(this.#end);
    });
  }

  /** Sends a message; false when the next one should wait. */
  send(message: Uint8Array): boolean {
    const header = Buffer.alloc(headerBytes);
    header.writeUInt32BE(message.length, 1);
    return this.#stream.write(Buffer.concat([header, message]));
  }

  /** Nothing more is sent. */
  endRequests(): void {
    this.#stream.end();
  }

  /** Takes no more messages, until `resume`. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** Nobody waits for it any more. */
  cancel(): void {
    this.#stream.close(constants.NGHTTP2_CANCEL);
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= this.#bytesWanted) {
      const all = Buffer.concat(this.#chunks);
      assert(all[0] === 0, 'the server compresses nothing that it was not asked to');
      const end = headerBytes + all.readUInt32BE(1);
      if (all.length < end) {
        this.#chunks = [all];
        this.#bytesWanted = end;
        return;
      }
      const rest = all.subarray(end);
      this.#chunks = [rest];
      this.#bytes = rest.length;
      this.#bytesWanted = headerBytes;
      this.#handler.onMessage(all.subarray(headerBytes, end));
    }
  }
}

function endOf(headers: IncomingHttpHeaders): CallEnd {
  const message = headers['grpc-message'];
  return {
    code: Number(headers['grpc-status']),
    message: typeof message === 'string' ? decodeURIComponent(message) : '',
    metadata: metadataOf(headers),
  };
}

function metadataOf(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name, value]) => typeof value === 'string' && !ownHeader.test(name))
      .map(([name, value]) => [name, String(value)]),
  );
}

/**
 * The client's end of one HTTP/2 connection (RFC 9113), in plain text or by TLS, for gRPC calls and
 * nothing else: with one request, or with any number of them.
 *
 * Why our own: the load generator shares the machine with what it measures, and a call through
 * `node:http2` costs it more CPU than the server spends on it (docs/performance.md has the
 * figures). What is left out: server push and priorities. Flow control in both directions, the
 * peer's settings, pings and GOAWAY are honoured.
 */
import { createConnection, isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import { tlsReason } from '../../tls/index.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import {
  defaultFrameBytesMax,
  defaultWindowBytes,
  frameFlag,
  frameType,
  setting,
  windowBytesMax,
  withoutPadding,
} from './frames.ts';
import { defaultTableBytes, HeaderDecoder, RequestHeaderEncoder } from './hpack.ts';

/** Received bytes after which the peer is given its window back. */
const windowRefillBytes = 1 << 30;
const receiveBufferBytes = 64 * 1024;

/** A member that wants TLS answers plain text with an alert of TLS. */
const plainHint = ' without TLS; if it speaks TLS, write https:// and --cacert';

/** What the owner of a call hears. */
export interface CallListener {
  /** A piece of the answer; the caller must copy what it keeps. */
  onData(piece: Buffer): void;
  /** Headers or trailers. */
  onHeader(name: string, value: string): void;
  /** The answer has ended regularly; nothing follows. */
  onEnd(): void;
  /** The call was cut off; nothing follows. */
  onFailure(reason: string): void;
}

/** Where to connect, and what to do when the connection has ended. */
export interface SessionOptions {
  readonly host: string;
  readonly port: number;
  /** By TLS with this, the member's certificate being for `host`; absent: in plain text. */
  readonly secureContext?: SecureContext | undefined;
  /** What each call says of who makes it, as it is then. */
  readonly token?: (() => string | undefined) | undefined;
  /** How long the peer has to answer in HTTP/2. */
  readonly dialMaxMs: number;
  /** Called once when an open session has ended, after all its calls have failed. */
  readonly onClose: () => void;
}

interface Stream {
  readonly listener: CallListener;
  sendWindowBytes: number;
  /** Since the peer was last given its window back. */
  receivedBytes: number;
}

/** The rest of a request that waits for the peer's window. */
interface PendingData {
  readonly streamId: number;
  readonly data: Buffer;
  /** Whether nothing follows on its stream. */
  readonly isEnd: boolean;
  sentBytes: number;
}

/** See the module comment. */
export class Http2Session {
  readonly #options: SessionOptions;
  #socket: Socket | undefined;
  readonly #decoder = new HeaderDecoder();
  readonly #reader = new FrameReader((type, flags, streamId, payload) => {
    this.#handleFrame(type, flags, streamId, payload);
  });
  readonly #writer = new FrameWriter((bytes) => {
    this.#socket?.write(bytes);
  });
  readonly #streams = new Map<number, Stream>();
  readonly #waiting: { path: string; data: Buffer; listener: CallListener }[] = [];
  readonly #pendingData: PendingData[] = [];
  readonly #onOpen: (error?: Error) => void;
  #encoder: RequestHeaderEncoder | undefined;
  #headerBlock: Buffer | undefined;
  #headerFlags = 0;
  #nextStreamId = 1;
  #sendWindowBytes = defaultWindowBytes;
  #receivedBytes = 0;
  #peerStreamsMax = Number.POSITIVE_INFINITY;
  #peerInitialWindowBytes = defaultWindowBytes;
  #peerFrameBytesMax = defaultFrameBytesMax;
  #peerTableBytes = defaultTableBytes;
  #isDraining = false;
  #isClosed = false;

  private constructor(options: SessionOptions, onOpen: (error?: Error) => void) {
    this.#options = options;
    this.#onOpen = onOpen;
  }

  /** @throws {Error} that says why no session came about */
  static async open(options: SessionOptions): Promise<Http2Session> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        session.#end(`no HTTP/2 answer within ${options.dialMaxMs / 1000} s`);
      }, options.dialMaxMs);
      const session: Http2Session = new Http2Session(options, (error) => {
        clearTimeout(timer);
        if (error === undefined) {
          resolve(session);
        } else {
          reject(error);
        }
      });
      session.#connect();
    });
  }

  /** Whether new calls can be made. */
  get isOpen(): boolean {
    return this.#encoder !== undefined && !this.#isDraining && !this.#isClosed;
  }

  /** Makes a call; `data` is the whole body of the request. */
  request(path: string, data: Buffer, listener: CallListener): void {
    if (this.#streams.size >= this.#peerStreamsMax) {
      this.#waiting.push({ path, data, listener });
      return;
    }
    this.#push(this.#begin(path, listener), data, true);
  }

  /**
   * Begins a call whose requests follow one by one; returns its stream for {@link send}. It lasts
   * until the peer, or the session, ends it.
   *
   * @throws {Error} the peer allows no more streams at a time
   */
  openStream(path: string, listener: CallListener): number {
    if (this.#streams.size >= this.#peerStreamsMax) {
      throw new Error(`the server takes only ${this.#peerStreamsMax} calls at a time`);
    }
    return this.#begin(path, listener);
  }

  /** Sends a request on a stream that is open; on one that has ended it goes nowhere. */
  send(streamId: number, data: Buffer): void {
    this.#push(streamId, data, false);
  }

  /** Ends the connection at once; calls under way fail. */
  close(): void {
    this.#end('connection closed');
  }

  #begin(path: string, listener: CallListener): number {
    const encoder = this.#encoder as RequestHeaderEncoder;
    const block = encoder.encode(path, this.#options.token?.());
    const streamId = this.#nextStreamId;
    this.#nextStreamId += 2;
    if (this.#nextStreamId > windowBytesMax) {
      this.#isDraining = true;
    }
    const sendWindowBytes = this.#peerInitialWindowBytes;
    this.#streams.set(streamId, { listener, sendWindowBytes, receivedBytes: 0 });
    this.#writer.write(frameType.headers, frameFlag.endHeaders, streamId, block);
    return streamId;
  }

  #push(streamId: number, data: Buffer, isEnd: boolean): void {
    this.#pendingData.push({ streamId, data, isEnd, sentBytes: 0 });
    this.#sendPending();
  }

  #connect(): void {
    const socket = dial(this.#options, (bytes) => {
      this.#receive(bytes);
    });
    socket.on('error', (error) => {
      const isSecured = this.#options.secureContext !== undefined;
      this.#end(isSecured ? `TLS: ${tlsReason(error)}` : error.message);
    });
    socket.on('close', () => {
      this.#end('the peer closed the connection');
    });
    this.#socket = socket;
    this.#writer.begin([
      [setting.enablePush, 0],
      [setting.initialWindow, windowBytesMax],
    ]);
    this.#writer.grant(0, windowBytesMax - defaultWindowBytes);
  }

  /** Ends the session and everything in it, once. */
  #end(reason: string): void {
    if (this.#isClosed) {
      return;
    }
    this.#isClosed = true;
    this.#reader.stop();
    this.#writer.stop();
    this.#socket?.destroy();
    const listeners = [
      ...[...this.#streams.values()].map((stream) => stream.listener),
      ...this.#waiting.map((call) => call.listener),
    ];
    this.#streams.clear();
    this.#waiting.length = 0;
    this.#pendingData.length = 0;
    for (const listener of listeners) {
      listener.onFailure(reason);
    }
    if (this.#encoder === undefined) {
      this.#onOpen(new Error(reason));
    } else {
      this.#options.onClose();
    }
  }

  #receive(received: Buffer): void {
    const problem = this.#reader.receive(received);
    if (problem !== undefined) {
      const isHello = this.#encoder === undefined && this.#options.secureContext === undefined;
      this.#end(isHello ? `${problem}${plainHint}` : problem);
    }
  }

  #handleFrame(type: number, flags: number, streamId: number, payload: Buffer): void {
    switch (type) {
      case frameType.data:
        this.#handleData(flags, streamId, payload);
        return;
      case frameType.headers:
        this.#headerFlags = flags;
        this.#handleHeaderBlock(flags, streamId, withoutPadding(flags, payload));
        return;
      case frameType.continuation:
        this.#handleHeaderBlock(
          flags,
          streamId,
          Buffer.concat([this.#headerBlock ?? Buffer.alloc(0), payload]),
        );
        return;
      case frameType.rstStream:
        this.#fail(streamId, `the server reset the call (HTTP/2 error ${payload.readUInt32BE(0)})`);
        return;
      case frameType.settings:
        this.#handleSettings(flags, payload);
        return;
      case frameType.ping:
        if ((flags & frameFlag.ack) === 0) {
          this.#writer.write(frameType.ping, frameFlag.ack, 0, Buffer.from(payload));
        }
        return;
      case frameType.goaway:
        this.#handleGoaway(payload.readUInt32BE(0) & 0x7fff_ffff);
        return;
      case frameType.windowUpdate:
        this.#handleWindowUpdate(streamId, payload.readUInt32BE(0) & 0x7fff_ffff);
        return;
      case frameType.pushPromise:
        this.#end('the server pushes, which was forbidden');
        return;
      case frameType.priority:
      default:
        return;
    }
  }

  #handleData(flags: number, streamId: number, payload: Buffer): void {
    this.#receivedBytes += payload.length;
    if (this.#receivedBytes >= windowRefillBytes) {
      this.#writer.grant(0, this.#receivedBytes);
      this.#receivedBytes = 0;
    }
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) {
      stream.receivedBytes += payload.length;
      if (stream.receivedBytes >= windowRefillBytes) {
        this.#writer.grant(streamId, stream.receivedBytes);
        stream.receivedBytes = 0;
      }
      stream.listener.onData(withoutPadding(flags, payload));
    }
    if ((flags & frameFlag.endStream) !== 0) {
      this.#finish(streamId);
    }
  }

  #handleHeaderBlock(flags: number, streamId: number, block: Buffer): void {
    if ((flags & frameFlag.endHeaders) === 0) {
      this.#headerBlock = Buffer.from(block);
      return;
    }
    this.#headerBlock = undefined;
    // Blocks of unknown streams change the table, too.
    const headers = this.#decoder.decode(block);
    const listener = this.#streams.get(streamId)?.listener;
    if (listener !== undefined) {
      for (const [name, value] of headers) {
        listener.onHeader(name, value);
      }
    }
    if ((this.#headerFlags & frameFlag.endStream) !== 0) {
      this.#finish(streamId);
    }
  }

  #handleSettings(flags: number, payload: Buffer): void {
    if ((flags & frameFlag.ack) !== 0) {
      return;
    }
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      this.#applySetting(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    }
    this.#writer.acknowledgeSettings();
    if (this.#encoder === undefined) {
      const { host, port, secureContext } = this.#options;
      this.#encoder = new RequestHeaderEncoder({
        scheme: secureContext === undefined ? 'http' : 'https',
        authority: `${host}:${port}`,
        peerTableBytes: this.#peerTableBytes,
      });
      this.#onOpen();
    }
    this.#sendPending();
  }

  #applySetting(which: number, value: number): void {
    switch (which) {
      case setting.headerTableSize:
        this.#peerTableBytes = value;
        return;
      case setting.streamsMax:
        this.#peerStreamsMax = value;
        return;
      case setting.initialWindow:
        for (const stream of this.#streams.values()) {
          stream.sendWindowBytes += value - this.#peerInitialWindowBytes;
        }
        this.#peerInitialWindowBytes = value;
        return;
      case setting.frameSizeMax:
        this.#peerFrameBytesMax = value;
        return;
      default:
        return;
    }
  }

  #handleGoaway(lastStreamId: number): void {
    this.#isDraining = true;
    for (const streamId of this.#streams.keys()) {
      if (streamId > lastStreamId) {
        this.#fail(streamId, 'the server is going away');
      }
    }
    for (const { listener } of this.#waiting.splice(0)) {
      listener.onFailure('the server is going away');
    }
    this.#endIfDrained();
  }

  #handleWindowUpdate(streamId: number, bytes: number): void {
    if (streamId === 0) {
      this.#sendWindowBytes += bytes;
    } else {
      const stream = this.#streams.get(streamId);
      if (stream !== undefined) {
        stream.sendWindowBytes += bytes;
      }
    }
    this.#sendPending();
  }

  #finish(streamId: number): void {
    const stream = this.#take(streamId);
    stream?.listener.onEnd();
    this.#endIfDrained();
  }

  #fail(streamId: number, reason: string): void {
    const stream = this.#take(streamId);
    stream?.listener.onFailure(reason);
    this.#endIfDrained();
  }

  /** Forgets a stream, and lets a call that waited for its place begin. */
  #take(streamId: number): Stream | undefined {
    const stream = this.#streams.get(streamId);
    this.#streams.delete(streamId);
    if (this.#waiting.length > 0 && this.isOpen && this.#streams.size < this.#peerStreamsMax) {
      const call = this.#waiting.shift();
      if (call !== undefined) {
        this.request(call.path, call.data, call.listener);
      }
    }
    return stream;
  }

  #endIfDrained(): void {
    if (this.#isDraining && this.#streams.size === 0) {
      this.#end('the server has gone away');
    }
  }

  /** Sends bodies in order, as far as the peer's windows allow. */
  #sendPending(): void {
    for (let next = this.#pendingData[0]; next !== undefined; next = this.#pendingData[0]) {
      const stream = this.#streams.get(next.streamId);
      const rest = next.data.length - next.sentBytes;
      if (stream === undefined) {
        this.#pendingData.shift();
        continue;
      }
      const bytes = Math.min(
        rest,
        this.#sendWindowBytes,
        stream.sendWindowBytes,
        this.#peerFrameBytesMax,
      );
      if (bytes <= 0 && rest > 0) {
        return;
      }
      const isLast = bytes === rest;
      const piece = next.data.subarray(next.sentBytes, next.sentBytes + bytes);
      const flags = isLast && next.isEnd ? frameFlag.endStream : 0;
      this.#writer.write(frameType.data, flags, next.streamId, piece);
      next.sentBytes += bytes;
      this.#sendWindowBytes -= bytes;
      stream.sendWindowBytes -= bytes;
      if (isLast) {
        this.#pendingData.shift();
      }
    }
  }
}

/** Connects; all that arrives lies in one buffer, instead of in a new one per packet. */
function dial(options: SessionOptions, onBytes: (bytes: Buffer) => void): Socket {
  const { host, port, secureContext } = options;
  const buffer = Buffer.allocUnsafe(receiveBufferBytes);
  const onread = {
    buffer,
    callback: (bytes: number): boolean => {
      onBytes(buffer.subarray(0, bytes));
      return true;
    },
  };
  if (secureContext === undefined) {
    return createConnection({ host, port, noDelay: true, onread });
  }
  const socket = connectTls({
    ...{ host, port, secureContext, onread, ALPNProtocols: ['h2'] },
    // RFC 6066 §3 forbids addresses here.
    ...(isIP(host) === 0 ? { servername: host } : {}),
  });
  return socket.setNoDelay(true);
}

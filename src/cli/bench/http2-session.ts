/**
 * The client's end of one plaintext HTTP/2 connection (RFC 9113), for gRPC calls and nothing else:
 * with one request, or with any number of them.
 *
 * Why our own: the load generator shares the machine with what it measures, and a call through
 * `node:http2` costs it more CPU than the server spends on it (docs/performance.md has the
 * figures). What is left out: server push, priorities, TLS. Flow control in both directions, the
 * peer's settings, pings and GOAWAY are honoured.
 */
import { createConnection, type Socket } from 'node:net';
import { defaultTableBytes, HeaderDecoder, RequestHeaderEncoder } from './hpack.ts';

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const frameHeaderBytes = 9;

const frameData = 0;
const frameHeaders = 1;
const framePriority = 2;
const frameRstStream = 3;
const frameSettings = 4;
const framePushPromise = 5;
const framePing = 6;
const frameGoaway = 7;
const frameWindowUpdate = 8;
const frameContinuation = 9;

const flagEndStream = 0x1;
const flagAck = 0x1;
const flagEndHeaders = 0x4;
const flagPadded = 0x8;
const flagPriority = 0x20;

const settingHeaderTableSize = 1;
const settingEnablePush = 2;
const settingStreamsMax = 3;
const settingInitialWindow = 4;
const settingFrameSizeMax = 5;

const defaultWindowBytes = 65_535;
const windowBytesMax = 0x7fff_ffff;
const defaultFrameBytesMax = 16_384;
/** Received bytes after which the peer is given its window back. */
const windowRefillBytes = 1 << 30;
const receiveBufferBytes = 64 * 1024;
const streamIdMax = 0x7fff_ffff;

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
  readonly #streams = new Map<number, Stream>();
  readonly #waiting: { path: string; data: Buffer; listener: CallListener }[] = [];
  readonly #pendingData: PendingData[] = [];
  readonly #onOpen: (error?: Error) => void;
  #encoder: RequestHeaderEncoder | undefined;
  #outgoing: Buffer[] = [];
  #incoming: Buffer | undefined;
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
    const streamId = this.#nextStreamId;
    this.#nextStreamId += 2;
    if (this.#nextStreamId > streamIdMax) {
      this.#isDraining = true;
    }
    const sendWindowBytes = this.#peerInitialWindowBytes;
    this.#streams.set(streamId, { listener, sendWindowBytes, receivedBytes: 0 });
    this.#write(frameHeaders, flagEndHeaders, streamId, encoder.encode(path));
    return streamId;
  }

  #push(streamId: number, data: Buffer, isEnd: boolean): void {
    this.#pendingData.push({ streamId, data, isEnd, sentBytes: 0 });
    this.#sendPending();
  }

  #connect(): void {
    const { host, port } = this.#options;
    const buffer = Buffer.allocUnsafe(receiveBufferBytes);
    const socket = createConnection({
      host,
      port,
      noDelay: true,
      // One buffer for all that arrives, instead of a new one per packet.
      onread: {
        buffer,
        callback: (bytes) => {
          this.#receive(buffer.subarray(0, bytes));
          return true;
        },
      },
    });
    socket.on('error', (error) => {
      this.#end(error.message);
    });
    socket.on('close', () => {
      this.#end('the peer closed the connection');
    });
    this.#socket = socket;
    const settings = Buffer.alloc(12);
    settings.writeUInt16BE(settingEnablePush, 0);
    settings.writeUInt32BE(0, 2);
    settings.writeUInt16BE(settingInitialWindow, 6);
    settings.writeUInt32BE(windowBytesMax, 8);
    this.#enqueue(preface);
    this.#write(frameSettings, 0, 0, settings);
    this.#grant(0, windowBytesMax - defaultWindowBytes);
  }

  /** Ends the session and everything in it, once. */
  #end(reason: string): void {
    if (this.#isClosed) {
      return;
    }
    this.#isClosed = true;
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
    const data =
      this.#incoming === undefined ? received : Buffer.concat([this.#incoming, received]);
    let at = 0;
    while (data.length - at >= frameHeaderBytes && !this.#isClosed) {
      const length = data.readUIntBE(at, 3);
      const type = data[at + 3] as number;
      // The peer may not send longer frames; a server that does not speak HTTP/2 seems to.
      if (
        length > defaultFrameBytesMax ||
        (this.#encoder === undefined && type !== frameSettings)
      ) {
        this.#end('it does not speak HTTP/2 without TLS');
        return;
      }
      const end = at + frameHeaderBytes + length;
      if (end > data.length) {
        break;
      }
      const streamId = data.readUInt32BE(at + 5) & 0x7fff_ffff;
      const payload = data.subarray(at + frameHeaderBytes, end);
      try {
        this.#handleFrame(type, data[at + 4] as number, streamId, payload);
      } catch (error) {
        if (!(error instanceof RangeError)) {
          throw error;
        }
        this.#end(`the server's frames cannot be read: ${error.message}`);
      }
      at = end;
    }
    this.#incoming = at === data.length ? undefined : Buffer.from(data.subarray(at));
  }

  #handleFrame(type: number, flags: number, streamId: number, payload: Buffer): void {
    switch (type) {
      case frameData:
        this.#handleData(flags, streamId, payload);
        return;
      case frameHeaders:
        this.#headerFlags = flags;
        this.#handleHeaderBlock(flags, streamId, withoutPadding(flags, payload));
        return;
      case frameContinuation:
        this.#handleHeaderBlock(
          flags,
          streamId,
          Buffer.concat([this.#headerBlock ?? Buffer.alloc(0), payload]),
        );
        return;
      case frameRstStream:
        this.#fail(streamId, `the server reset the call (HTTP/2 error ${payload.readUInt32BE(0)})`);
        return;
      case frameSettings:
        this.#handleSettings(flags, payload);
        return;
      case framePing:
        if ((flags & flagAck) === 0) {
          this.#write(framePing, flagAck, 0, Buffer.from(payload));
        }
        return;
      case frameGoaway:
        this.#handleGoaway(payload.readUInt32BE(0) & 0x7fff_ffff);
        return;
      case frameWindowUpdate:
        this.#handleWindowUpdate(streamId, payload.readUInt32BE(0) & 0x7fff_ffff);
        return;
      case framePushPromise:
        this.#end('the server pushes, which was forbidden');
        return;
      case framePriority:
      default:
        return;
    }
  }

  #handleData(flags: number, streamId: number, payload: Buffer): void {
    this.#receivedBytes += payload.length;
    if (this.#receivedBytes >= windowRefillBytes) {
      this.#grant(0, this.#receivedBytes);
      this.#receivedBytes = 0;
    }
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) {
      stream.receivedBytes += payload.length;
      if (stream.receivedBytes >= windowRefillBytes) {
        this.#grant(streamId, stream.receivedBytes);
        stream.receivedBytes = 0;
      }
      stream.listener.onData(withoutPadding(flags, payload));
    }
    if ((flags & flagEndStream) !== 0) {
      this.#finish(streamId);
    }
  }

  #handleHeaderBlock(flags: number, streamId: number, block: Buffer): void {
    if ((flags & flagEndHeaders) === 0) {
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
    if ((this.#headerFlags & flagEndStream) !== 0) {
      this.#finish(streamId);
    }
  }

  #handleSettings(flags: number, payload: Buffer): void {
    if ((flags & flagAck) !== 0) {
      return;
    }
    for (let at = 0; at + 6 <= payload.length; at += 6) {
      this.#applySetting(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    }
    this.#write(frameSettings, flagAck, 0, Buffer.alloc(0));
    if (this.#encoder === undefined) {
      const { host, port } = this.#options;
      this.#encoder = new RequestHeaderEncoder(`${host}:${port}`, this.#peerTableBytes);
      this.#onOpen();
    }
    this.#sendPending();
  }

  #applySetting(setting: number, value: number): void {
    switch (setting) {
      case settingHeaderTableSize:
        this.#peerTableBytes = value;
        return;
      case settingStreamsMax:
        this.#peerStreamsMax = value;
        return;
      case settingInitialWindow:
        for (const stream of this.#streams.values()) {
          stream.sendWindowBytes += value - this.#peerInitialWindowBytes;
        }
        this.#peerInitialWindowBytes = value;
        return;
      case settingFrameSizeMax:
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
      this.#write(frameData, isLast && next.isEnd ? flagEndStream : 0, next.streamId, piece);
      next.sentBytes += bytes;
      this.#sendWindowBytes -= bytes;
      stream.sendWindowBytes -= bytes;
      if (isLast) {
        this.#pendingData.shift();
      }
    }
  }

  /** Lets the peer send more: on a stream, or on all together (0). */
  #grant(streamId: number, bytes: number): void {
    const increment = Buffer.alloc(4);
    increment.writeUInt32BE(bytes, 0);
    this.#write(frameWindowUpdate, 0, streamId, increment);
  }

  /** Queues a frame; those of one turn leave in one write. */
  #write(type: number, flags: number, streamId: number, payload: Buffer): void {
    const header = Buffer.allocUnsafe(frameHeaderBytes);
    header.writeUIntBE(payload.length, 0, 3);
    header[3] = type;
    header[4] = flags;
    header.writeUInt32BE(streamId, 5);
    this.#enqueue(header);
    this.#enqueue(payload);
  }

  #enqueue(bytes: Buffer): void {
    if (this.#outgoing.length === 0) {
      process.nextTick(() => {
        this.#flush();
      });
    }
    this.#outgoing.push(bytes);
  }

  #flush(): void {
    const frames = this.#outgoing;
    this.#outgoing = [];
    if (!this.#isClosed) {
      this.#socket?.write(Buffer.concat(frames));
    }
  }
}

function withoutPadding(flags: number, payload: Buffer): Buffer {
  let start = 0;
  let end = payload.length;
  if ((flags & flagPadded) !== 0) {
    start = 1;
    end -= payload[0] as number;
  }
  // DATA has no priority; the flag's bit is unused there.
  if ((flags & flagPriority) !== 0) {
    start += 5;
  }
  return payload.subarray(start, Math.max(start, end));
}

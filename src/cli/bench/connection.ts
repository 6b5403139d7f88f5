/**
 * gRPC calls to a member over one connection, cheap enough for a load generator: a unary request is
 * a finished frame, its answer a status and how many bytes came.
 *
 * A connection that is lost is dialled again, at the next endpoint if there are several; calls
 * under way fail once, new ones wait. After {@link redialMaxMs} without success it reports itself
 * lost for good. Streams end with the connection.
 */
import type { Access } from './access.ts';
import { type CallListener, Http2Session } from './http2-session.ts';

/** gRPC's code of success. */
export const grpcOk = 0;
const grpcInternal = 13;
const grpcUnavailable = 14;

const dialMaxMs = 5000;
const redialPauseMs = 100;
/** How long a lost connection is dialled again before giving up. */
const redialMaxMs = 10_000;

/** What became of a call. */
export interface CallResult {
  /** gRPC's status. */
  readonly code: number;
  readonly text: string;
  /** Bytes of the answer, with its frame: 0 when no message came. */
  readonly bodyBytes: number;
}

/** What takes unary calls. */
export interface Callee {
  /** Makes a unary call; `done` is called exactly once, in a later turn. */
  call(path: string, frame: Buffer, done: (result: CallResult) => void): void;
}

/** A call whose requests follow one by one. */
export interface RequestStream {
  /** Sends a request, a whole frame. */
  send(frame: Buffer): void;
}

/** Where a member listens for clients. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Where a connection leads, and whom it tells that it is lost for good. */
export interface ConnectionOptions {
  /** The first is dialled first. */
  readonly endpoints: readonly Endpoint[];
  readonly access: Pick<Access, 'secureContext' | 'token'>;
  readonly onLost: (error: Error) => void;
}

/** See the module comment. */
export class Connection implements Callee {
  readonly #options: ConnectionOptions;
  #waiting: (() => void)[] = [];
  #session: Http2Session | undefined;
  #endpointIndex = 0;
  #isClosed = false;

  private constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  /**
   * Dials the first endpoint.
   *
   * @throws {Error} that says what happened: nothing listens there, or it does not speak HTTP/2.
   */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(options);
    connection.#session = await connection.#dial();
    return connection;
  }

  call(path: string, frame: Buffer, done: (result: CallResult) => void): void {
    this.#send(path, frame, new UnaryCall(done));
  }

  /** As {@link call}, and keeps the answer's frame. */
  async callForAnswer(
    path: string,
    frame: Buffer,
  ): Promise<CallResult & { readonly answer: Buffer }> {
    return new Promise((resolve) => {
      const pieces: Buffer[] = [];
      this.#send(
        path,
        frame,
        new UnaryCall((result) => resolve({ ...result, answer: Buffer.concat(pieces) }), pieces),
      );
    });
  }

  /**
   * Begins a call whose requests follow one by one, on the connection that there is now.
   *
   * @throws {Error} it is lost just now, or the server takes no more calls on it
   */
  openStream(path: string, listener: CallListener): RequestStream {
    const session = this.#session;
    if (session?.isOpen !== true) {
      throw new Error('the connection was lost');
    }
    const streamId = session.openStream(path, listener);
    return {
      send: (frame) => {
        session.send(streamId, frame);
      },
    };
  }

  /** Ends the connection at once; calls under way fail. */
  close(): void {
    this.#isClosed = true;
    this.#session?.close();
    this.#flushWaiting();
  }

  #send(path: string, frame: Buffer, call: CallListener): void {
    if (this.#session?.isOpen === true) {
      this.#session.request(path, frame, call);
    } else if (this.#isClosed) {
      setImmediate(() => call.onFailure('connection closed'));
    } else {
      this.#waiting.push(() => this.#send(path, frame, call));
    }
  }

  async #dial(): Promise<Http2Session> {
    const { endpoints, access } = this.#options;
    const { host, port } = endpoints[this.#endpointIndex % endpoints.length] as Endpoint;
    const session = await Http2Session.open({
      host,
      port,
      secureContext: access.secureContext,
      token: () => access.token,
      dialMaxMs,
      onClose: () => {
        if (!this.#isClosed) {
          void this.#redial();
        }
      },
    });
    // It may have been closed meanwhile.
    if (this.#isClosed) {
      session.close();
    }
    return session;
  }

  async #redial(): Promise<void> {
    const endMs = performance.now() + redialMaxMs;
    while (!this.#isClosed) {
      this.#endpointIndex++;
      try {
        this.#session = await this.#dial();
        this.#flushWaiting();
        return;
      } catch (error) {
        if (performance.now() > endMs) {
          this.close();
          this.#options.onLost(error as Error);
          return;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, redialPauseMs));
    }
  }

  #flushWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const send of waiting) {
      send();
    }
  }
}

/** Collects what a unary call comes to. */
class UnaryCall implements CallListener {
  readonly #done: (result: CallResult) => void;
  readonly #pieces: Buffer[] | undefined;
  #bodyBytes = 0;
  #httpStatus = '';
  #code = '';
  #text = '';

  constructor(done: (result: CallResult) => void, pieces?: Buffer[]) {
    this.#done = done;
    this.#pieces = pieces;
  }

  onData(piece: Buffer): void {
    this.#bodyBytes += piece.length;
    this.#pieces?.push(Buffer.from(piece));
  }

  onHeader(name: string, value: string): void {
    switch (name) {
      case ':status':
        this.#httpStatus = value;
        return;
      case 'grpc-status':
        this.#code = value;
        return;
      case 'grpc-message':
        this.#text = value;
        return;
      default:
        return;
    }
  }

  onEnd(): void {
    if (this.#code === '') {
      const text = `the answer has no gRPC status (HTTP status ${this.#httpStatus})`;
      this.#done({ code: grpcInternal, text, bodyBytes: this.#bodyBytes });
    } else {
      const text = decodeGrpcMessage(this.#text);
      this.#done({ code: Number(this.#code), text, bodyBytes: this.#bodyBytes });
    }
  }

  onFailure(reason: string): void {
    this.#done({ code: grpcUnavailable, text: reason, bodyBytes: this.#bodyBytes });
  }
}

/** The text of `grpc-message`, where special characters are percent-encoded. */
export function decodeGrpcMessage(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

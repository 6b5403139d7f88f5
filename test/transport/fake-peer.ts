/** The other end of an outgoing link, under the test's control. */
import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  status,
} from '@grpc/grpc-js';
import { KvError } from '../../src/base/index.ts';
import { decodeBatch, encodeBatch, type PeerBatch } from '../../src/transport/batch.ts';
import { errorToStatus } from '../../src/transport/call-errors.ts';
import { exchangePath } from '../../src/transport/peer-link.ts';

type Stream = ServerDuplexStream<PeerBatch, Buffer>;

/** How a peer treats those who dial it. */
export interface FakePeerOptions {
  /** Whether the streams that come in are taken. Default true. */
  readonly takesStreams?: boolean | undefined;
  /** Refuses streams with this text or error. */
  readonly refusal?: string | KvError | undefined;
  /** Whether pings are echoed. Default true. */
  readonly echoes?: boolean | undefined;
}

/** See the module comment. */
export class FakePeer {
  readonly port: number;
  readonly #server: Server;
  #options: FakePeerOptions;
  /** Metadata of every stream that has come in. */
  readonly dialled: Metadata[] = [];
  /** Batches with messages, as they came. */
  readonly batches: (readonly string[])[] = [];
  readonly streams: Stream[] = [];
  cancelled = 0;
  pings = 0;

  private constructor(server: Server, port: number, options: FakePeerOptions) {
    this.#server = server;
    this.port = port;
    this.#options = options;
  }

  /** Starts a peer on `port`, or any free one. */
  static async listen(port = 0, options: FakePeerOptions = {}): Promise<FakePeer> {
    const server = new Server({ 'grpc.max_receive_message_length': -1 });
    const accept: { take?: (stream: Stream) => void } = {};
    server.addService(
      {
        exchange: {
          path: exchangePath,
          requestStream: true,
          responseStream: true,
          requestSerialize: encodeBatch,
          requestDeserialize: decodeBatch,
          responseSerialize: (bytes: Buffer) => bytes,
          responseDeserialize: (bytes: Buffer) => bytes,
        },
      },
      { exchange: (stream: Stream) => accept.take?.(stream) },
    );
    const bound = await new Promise<number>((resolve, reject) => {
      const credentials = ServerCredentials.createInsecure();
      server.bindAsync(`127.0.0.1:${port}`, credentials, (error, actual) => {
        if (error === null) {
          resolve(actual);
        } else {
          reject(error);
        }
      });
    });
    const peer = new FakePeer(server, bound, options);
    accept.take = (stream) => {
      peer.#take(stream);
    };
    return peer;
  }

  /** Messages received, in order. */
  get messages(): readonly string[] {
    return this.batches.flat();
  }

  get lastStream(): Stream {
    const stream = this.streams.at(-1);
    if (stream === undefined) {
      throw new Error('nobody has dialled yet');
    }
    return stream;
  }

  /** From now on treats those who dial it so. */
  behave(options: FakePeerOptions): void {
    this.#options = options;
  }

  /** Closes the port and every connection. */
  close(): void {
    this.#server.forceShutdown();
  }

  #take(stream: Stream): void {
    const { refusal, takesStreams = true, echoes = true } = this.#options;
    this.dialled.push(stream.metadata);
    stream.on('cancelled', () => {
      this.cancelled++;
    });
    stream.on('error', () => undefined);
    if (refusal !== undefined) {
      const inWords = { code: status.FAILED_PRECONDITION, details: refusal };
      stream.emit('error', refusal instanceof KvError ? errorToStatus(refusal) : inWords);
      return;
    }
    this.streams.push(stream);
    if (!takesStreams) {
      return;
    }
    stream.sendMetadata(stream.metadata.clone());
    stream.on('data', ({ messages, pingId }: PeerBatch) => {
      if (messages.length > 0) {
        this.batches.push(messages.map(String));
      }
      if (pingId !== 0) {
        this.pings++;
        if (echoes) {
          stream.write(encodeBatch({ messages: [], pingId: 0, pongId: pingId }));
        }
      }
    });
  }
}

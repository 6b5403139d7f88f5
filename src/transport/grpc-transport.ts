/**
 * The transport between real members: one gRPC stream for each direction and pair (ADR-005).
 *
 * Each member dials every peer and speaks on its own stream; on those that come in it only listens
 * and echoes pings. A stream is taken only from a known member of the same cluster, meant for this
 * member, and every message on it must say the same; anything else ends the stream.
 */
import {
  type ChannelCredentials,
  Server,
  type ServerCredentials,
  type ServerDuplexStream,
  status as grpcStatus,
} from '@grpc/grpc-js';
import { KvError, listenError, type Prng, type Timers } from '../base/index.ts';
import type { Message, NodeId } from '../raft/index.ts';
import { decodeBatch, encodeBatch, type PeerBatch } from './batch.ts';
import { decodeMessage, MessageEncoder } from './codec.ts';
import {
  exchangePath,
  headers,
  OutgoingLink,
  type PeerEvent,
  protocolVersion,
} from './peer-link.ts';
import type { Peer, PeerLink, Transport, TransportHandler } from './ports.ts';

/** How a member talks to its peers. */
export interface GrpcTransportOptions {
  readonly clusterId: number;
  readonly memberId: NodeId;
  /** Where clients reach this member; told to its peers. */
  readonly clientUrls: readonly string[];
  readonly peers: readonly Peer[];
  /** Addresses to listen on, `host:port`. */
  readonly listen: readonly string[];
  readonly serverCredentials: ServerCredentials;
  readonly channelCredentials: ChannelCredentials;
  readonly timers: Timers;
  readonly prng: Prng;
  /** Bytes that may wait for one peer. Default 64 MiB. */
  readonly queueBytesMax?: number | undefined;
  readonly onEvent: (event: PeerEvent) => void;
}

const defaultQueueBytesMax = 64 * 1024 * 1024;

const exchangeService = {
  exchange: {
    path: exchangePath,
    requestStream: true,
    responseStream: true,
    requestSerialize: encodeBatch,
    requestDeserialize: decodeBatch,
    responseSerialize: encodeBatch,
    responseDeserialize: decodeBatch,
  },
} as const;

type IncomingStream = ServerDuplexStream<PeerBatch, PeerBatch>;

/** See the module comment. */
export class GrpcTransport implements Transport {
  readonly #options: GrpcTransportOptions;
  readonly #links: ReadonlyMap<NodeId, OutgoingLink>;
  readonly #encoder = new MessageEncoder();
  readonly #incoming = new Set<IncomingStream>();
  #server: Server | undefined;
  #handler: TransportHandler | undefined;
  #ports: readonly number[] = [];
  readonly #bound: string[] = [];

  constructor(options: GrpcTransportOptions) {
    this.#options = options;
    const links = new Map<NodeId, OutgoingLink>();
    for (const peer of [...options.peers].sort((a, b) => a.id - b.id)) {
      const link = new OutgoingLink(peer, {
        clusterId: options.clusterId,
        memberId: options.memberId,
        clientUrls: options.clientUrls,
        credentials: options.channelCredentials,
        timers: options.timers,
        prng: options.prng,
        queueBytesMax: options.queueBytesMax ?? defaultQueueBytesMax,
        onUnreachable: () => this.#handler?.onUnreachable(peer.id),
        onDown: () => this.#handler?.onDown(peer.id),
        onEvent: options.onEvent,
      });
      links.set(peer.id, link);
    }
    this.#links = links;
  }

  /** The ports bound, in the order of `listen`. */
  get ports(): readonly number[] {
    return this.#ports;
  }

  async start(handler: TransportHandler): Promise<void> {
    this.#handler = handler;
    const server = new Server({
      'grpc.enable_channelz': 0,
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      'grpc-node.max_session_memory': 256,
    });
    server.addService(exchangeService, {
      exchange: (stream: IncomingStream) => {
        this.#accept(stream);
      },
    });
    this.#server = server;
    const ports: number[] = [];
    for (const address of this.#options.listen) {
      const port = await bind(server, address, this.#options.serverCredentials);
      ports.push(port);
      this.#bound.push(`${address.slice(0, address.lastIndexOf(':'))}:${port}`);
    }
    this.#ports = ports;
    for (const link of this.#links.values()) {
      link.start();
    }
  }

  send(messages: readonly Message[]): void {
    const buffersByPeer = new Map<NodeId, Buffer[]>();
    for (const message of messages) {
      const buffers = buffersByPeer.get(message.to);
      const bytes = this.#encoder.encode(message);
      if (buffers === undefined) {
        buffersByPeer.set(message.to, [bytes]);
      } else {
        buffers.push(bytes);
      }
    }
    for (const [peer, buffers] of buffersByPeer) {
      this.#links.get(peer)?.send(buffers);
    }
  }

  links(): readonly PeerLink[] {
    return [...this.#links.values()].map((link) => link.state);
  }

  async stop(): Promise<void> {
    this.#handler = undefined;
    for (const link of this.#links.values()) {
      link.stop();
    }
    for (const stream of this.#incoming) {
      stream.end();
    }
    const server = this.#server;
    this.#server = undefined;
    // `drain` comes first, and not `forceShutdown`, which knows no connections while channelz is
    // off.
    for (const address of this.#bound) {
      server?.drain(address, 0);
    }
    await new Promise<void>((resolve) => {
      if (server === undefined) {
        resolve();
      } else {
        server.tryShutdown(() => {
          resolve();
        });
      }
    });
  }

  #accept(stream: IncomingStream): void {
    const refusal = this.#refusalOf(stream);
    if (refusal !== undefined) {
      stream.emit('error', { code: grpcStatus.FAILED_PRECONDITION, details: refusal });
      return;
    }
    const from = Number(header(stream, headers.from));
    this.#incoming.add(stream);
    stream.sendMetadata(stream.metadata.clone());
    this.#links.get(from)?.dialNow();
    const announced = header(stream, headers.clientUrls);
    this.#handler?.onAnnounced(from, announced === '' ? [] : announced.split(','));
    stream.on('data', (batch: PeerBatch) => {
      this.#receive(stream, from, batch);
    });
    stream.on('end', () => {
      this.#incoming.delete(stream);
      stream.end();
    });
    const forget = (): void => {
      this.#incoming.delete(stream);
    };
    stream.on('cancelled', forget);
    stream.on('error', forget);
  }

  #receive(stream: IncomingStream, from: NodeId, batch: PeerBatch): void {
    if (batch.pingId !== 0) {
      stream.write({ messages: [], pingId: 0, pongId: batch.pingId });
    }
    if (batch.messages.length === 0) {
      return;
    }
    let messages: readonly Message[];
    try {
      messages = batch.messages.map((bytes) => this.#decode(bytes, from));
    } catch (error) {
      if (!(error instanceof KvError)) {
        throw error;
      }
      const peer = this.#links.get(from)?.peer.name ?? String(from);
      this.#options.onEvent({ type: 'peer-refused', peer, reason: error.message });
      stream.emit('error', { code: grpcStatus.INVALID_ARGUMENT, details: error.message });
      return;
    }
    this.#handler?.onMessages(messages);
  }

  #decode(bytes: Buffer, from: NodeId): Message {
    const message = decodeMessage(bytes);
    if (message.from !== from || message.to !== this.#options.memberId) {
      throw new KvError('INVALID_ARGUMENT', {
        message: `a message from ${message.from} to ${message.to} came on the stream of ${from}`,
      });
    }
    return message;
  }

  /** Why a stream is not taken; undefined when it is. */
  #refusalOf(stream: IncomingStream): string | undefined {
    const { clusterId, memberId } = this.#options;
    const expected = [
      [headers.protocol, protocolVersion, 'protocol version'],
      [headers.cluster, String(clusterId), 'cluster id'],
      [headers.to, String(memberId), 'member id'],
    ] as const;
    for (const [name, own, what] of expected) {
      const theirs = header(stream, name);
      if (theirs !== own) {
        return `this member has ${what} ${own}, but was dialled as ${theirs}`;
      }
    }
    const from = header(stream, headers.from);
    return this.#links.has(Number(from))
      ? undefined
      : `member ${from} is not a member of this cluster`;
  }
}

function header(stream: IncomingStream, name: string): string {
  return String(stream.metadata.get(name)[0] ?? '');
}

/** Binds one address; the error names it. */
async function bind(
  server: Server,
  address: string,
  credentials: ServerCredentials,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error === null) {
        resolve(port);
      } else {
        reject(listenError('peers', address, error));
      }
    });
  });
}

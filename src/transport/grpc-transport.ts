/**
 * The transport between real members: one gRPC stream for each direction and pair (ADR-005).
 *
 * Each member dials every peer and speaks on its own stream; on those that come in it only listens
 * and echoes pings. A stream is taken only from a member of the same cluster that means this member
 * and that the handler admits, and every message on it must say the same; anything else ends the
 * stream. Snapshots travel in calls of their own, on connections of their own.
 */
import {
  type ChannelCredentials,
  type Metadata,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  status as grpcStatus,
} from '@grpc/grpc-js';
import { KvError, must, type Prng, type Timers } from '../base/index.ts';
import type { NodeId } from '../raft/index.ts';
import type { Listener } from '../tls/index.ts';
import { type DescribeResponseInput, services } from '../wire/index.ts';
import { decodeBatch, encodeBatch, type PeerBatch } from './batch.ts';
import { errorToStatus } from './call-errors.ts';
import { decodeMessage, encodings, MessageEncoder } from './codec.ts';
import { descriptionToResponse, wireToNumber } from './describe-cluster.ts';
import {
  answerMetadata,
  type Caller,
  type MemberIdentity,
  readCaller,
  refusalError,
} from './handshake.ts';
import { OutgoingLink, type PeerEvent } from './peer-link.ts';
import type {
  Peer,
  PeerLink,
  PeerMessage,
  SnapshotFetch,
  Transport,
  TransportHandler,
} from './ports.ts';
import { fetchSnapshot } from './snapshot-fetch.ts';
import { messageOf } from './snapshot-frame.ts';
import { type SnapshotCall, SnapshotSender } from './snapshot-sender.ts';
import { isSamePlace, placeIn, StrangerLinks } from './stranger-links.ts';

/** How a member talks to its peers. */
export interface GrpcTransportOptions extends MemberIdentity {
  /** Those it has at the start; see `setPeers`. */
  readonly peers: readonly Peer[];
  /** Where connections come in. */
  readonly listen: readonly Listener[];
  /** What to dial a peer with, asked at each attempt. */
  readonly credentialsOf: (peer: Peer) => ChannelCredentials;
  readonly timers: Timers;
  readonly prng: Prng;
  /** Bytes that may wait for one peer. Default 64 MiB. */
  readonly queueBytesMax?: number | undefined;
  /** Bytes of one message of a peer; those of this build outside tests. */
  readonly messageBytesMax?: number | undefined;
  /** Bytes of snapshots sent in a second, to all peers together. Default 64 MiB. */
  readonly snapshotBytesPerSecondMax?: number | undefined;
  readonly onEvent: (event: PeerEvent) => void;
}

/** Bytes of the largest command that members can be configured to take, and send each other. */
export const commandBytesLimit = 512 * 1024 * 1024;
/**
 * Limit: bytes of one message of a peer. The largest that is sent is one entry, which holds one
 * command and what is around it. Why not less at a member that takes less: entries may come from
 * others, and from other times.
 */
const defaultMessageBytesMax = commandBytesLimit + 4 * 1024 * 1024;
const defaultQueueBytesMax = 64 * 1024 * 1024;
const defaultSnapshotBytesPerSecondMax = 64 * 1024 * 1024;

/** What leaves for one peer in a turn. */
interface Mail {
  readonly link: OutgoingLink | undefined;
  readonly messages: PeerMessage[];
  /** The same, encoded. */
  readonly buffers: Buffer[];
}

/** `holdfast.v1.Peer`; what there is much of has an encoding of its own. */
const peerService = {
  ...services['holdfast.v1.Peer'],
  Exchange: {
    ...services['holdfast.v1.Peer'].Exchange,
    requestSerialize: encodeBatch,
    requestDeserialize: decodeBatch,
    responseSerialize: encodeBatch,
    responseDeserialize: decodeBatch,
  },
  FetchSnapshot: {
    ...services['holdfast.v1.Peer'].FetchSnapshot,
    responseSerialize: messageOf,
  },
} as const;

type IncomingStream = ServerDuplexStream<PeerBatch, PeerBatch>;

/** See the module comment. */
export class GrpcTransport implements Transport {
  readonly #options: GrpcTransportOptions;
  /** To the peers in the list, in the order of their ids. */
  #links: ReadonlyMap<NodeId, OutgoingLink> = new Map();
  readonly #strangers: StrangerLinks;
  readonly #encoder = new MessageEncoder();
  /** Streams that were taken, and of whom. */
  readonly #incoming = new Map<IncomingStream, Caller>();
  readonly #sender: SnapshotSender;
  /** Stops the snapshots that are being fetched. */
  readonly #stopping = new AbortController();
  #server: Server | undefined;
  #handler: TransportHandler | undefined;
  /** Its ports are bound, and it has not been stopped. */
  #isRunning = false;
  #ports: readonly number[] = [];
  #incomingConnections: ReturnType<Server['createConnectionInjector']> | undefined;

  constructor(options: GrpcTransportOptions) {
    this.#options = options;
    this.#strangers = new StrangerLinks((peer) => this.#link(peer), options.timers);
    this.#sender = new SnapshotSender({
      timers: options.timers,
      bytesPerSecondMax: options.snapshotBytesPerSecondMax ?? defaultSnapshotBytesPerSecondMax,
    });
    this.setPeers(options.peers);
  }

  /** The ports bound, in the order of `listen`. */
  get ports(): readonly number[] {
    return this.#ports;
  }

  async start(handler: TransportHandler): Promise<void> {
    this.#handler = handler;
    const server = new Server({
      'grpc.enable_channelz': 0,
      'grpc.max_receive_message_length': this.#options.messageBytesMax ?? defaultMessageBytesMax,
      'grpc.max_send_message_length': -1,
      'grpc-node.max_session_memory': 256,
    });
    server.addService(peerService, {
      Exchange: (stream: IncomingStream) => {
        this.#serve(stream, (caller, handler) => {
          this.#accept(stream, caller, handler);
        });
      },
      FetchSnapshot: (call: SnapshotCall) => {
        this.#serve(call, ({ id }, handler) => {
          const { min_index, format_version_max } = call.request;
          this.#sender.send(call, id, async () =>
            handler.onSnapshotRequested(
              id,
              wireToNumber(min_index, 'min_index'),
              format_version_max,
            ),
          );
        });
      },
      Describe: (_call: object, callback: sendUnaryData<DescribeResponseInput>) => {
        this.#describe(callback);
      },
    });
    this.#server = server;
    const connections = server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#incomingConnections = connections;
    const ports: number[] = [];
    for (const listener of this.#options.listen) {
      ports.push(
        await listener.open((socket) => {
          connections.injectConnection(socket);
        }),
      );
    }
    this.#ports = ports;
    this.#isRunning = true;
    for (const link of this.#links.values()) {
      link.start();
    }
  }

  send(messages: readonly PeerMessage[]): readonly PeerMessage[] {
    const mailByPeer = new Map<NodeId, Mail>();
    const unsent: PeerMessage[] = [];
    for (const message of messages) {
      const { to } = message;
      let mail = mailByPeer.get(to);
      if (mail === undefined) {
        mail = { link: this.#links.get(to) ?? this.#linkToStranger(to), messages: [], buffers: [] };
        mailByPeer.set(to, mail);
      }
      mail.messages.push(message);
      mail.buffers.push(this.#encoder.encode(message, mail.link?.encoding ?? encodings.newest));
    }
    for (const mail of mailByPeer.values()) {
      for (const at of mail.link?.send(mail.buffers) ?? mail.messages.keys()) {
        unsent.push(must(mail.messages[at], 'a message that was dropped'));
      }
    }
    return unsent;
  }

  setPeers(peers: readonly Peer[]): void {
    const { memberId } = this.#options;
    const wanted = peers.filter(({ id }) => id !== memberId).sort((a, b) => a.id - b.id);
    const wantedById = new Map(wanted.map((peer) => [peer.id, peer]));
    for (const [id, link] of this.#links) {
      const peer = wantedById.get(id);
      if (peer === undefined || !isSamePlace(peer, link.peer)) {
        link.stop();
      }
      if (peer === undefined) {
        this.#hangUpOn(id);
      }
    }
    const links = new Map<NodeId, OutgoingLink>();
    for (const peer of wanted) {
      this.#strangers.close(peer.id);
      links.set(peer.id, this.#keptLink(peer) ?? this.#link(peer));
    }
    this.#links = links;
  }

  hangUp(peer: NodeId): void {
    this.#hangUpOn(peer);
  }

  links(): readonly PeerLink[] {
    const newestById = new Map<NodeId, number>();
    // Of several streams of one member the last one counts: the others are of processes before it.
    for (const { id, levels } of this.#incoming.values()) {
      newestById.set(id, levels.newest);
    }
    return [...this.#links.values()].map(({ state }) => ({
      ...state,
      newestLevel: state.isConnected ? newestById.get(state.peer.id) : undefined,
    }));
  }

  async *fetchSnapshot(from: NodeId, fetch: SnapshotFetch): AsyncGenerator<Uint8Array> {
    const { timers, credentialsOf } = this.#options;
    const stopping = this.#stopping.signal;
    const link = this.#links.get(from) ?? this.#linkToStranger(from);
    if (link === undefined) {
      throw new KvError('MEMBER_NOT_FOUND', {
        message: `where member ${from} is reached is not known`,
      });
    }
    const { peer } = link;
    yield* fetchSnapshot({
      identity: this.#options,
      peer,
      minIndex: fetch.minIndex,
      formatVersionMax: fetch.formatVersionMax ?? 0,
      credentials: credentialsOf(peer),
      timers,
      isReachable: () => (this.#links.get(from) ?? link).isConnected,
      signal: fetch.signal === undefined ? stopping : AbortSignal.any([stopping, fetch.signal]),
    });
  }

  async stop(): Promise<void> {
    this.#handler = undefined;
    this.#isRunning = false;
    this.#stopping.abort(new KvError('STOPPED'));
    for (const link of this.#links.values()) {
      link.stop();
    }
    this.#strangers.closeAll();
    for (const stream of this.#incoming.keys()) {
      stream.end();
    }
    const sending = this.#sender.stop();
    const server = this.#server;
    this.#server = undefined;
    const { listen } = this.#options;
    for (const listener of listen) {
      listener.stop();
    }
    // `drain` comes first, and not `forceShutdown`, which knows no connections while channelz is
    // off.
    this.#incomingConnections?.drain(0);
    await new Promise<void>((resolve) => {
      if (server === undefined) {
        resolve();
      } else {
        server.tryShutdown(() => {
          resolve();
        });
      }
    });
    await Promise.all(listen.map(async (listener) => listener.ended()));
    await sending;
  }

  /** The present link to `peer`, if it leads where it should; takes over a new name. */
  #keptLink(peer: Peer): OutgoingLink | undefined {
    const link = this.#links.get(peer.id);
    if (link === undefined || !isSamePlace(link.peer, peer)) {
      return undefined;
    }
    link.peer = peer;
    return link;
  }

  /** A new link; dialled if this member runs. */
  #link(peer: Peer): OutgoingLink {
    const options = this.#options;
    const link = new OutgoingLink(peer, {
      identity: options,
      credentialsOf: options.credentialsOf,
      timers: options.timers,
      prng: options.prng,
      queueBytesMax: options.queueBytesMax ?? defaultQueueBytesMax,
      onUnreachable: () => this.#handler?.onUnreachable(peer.id),
      onDown: () => this.#handler?.onDown(peer.id),
      onRefused: (reason) => this.#handler?.onRefused(peer.id, reason),
      onEvent: options.onEvent,
    });
    if (this.#isRunning) {
      link.start();
    }
    return link;
  }

  /** The link to a member that is not in the list but speaks to this one, if it says where. */
  #linkToStranger(id: NodeId): OutgoingLink | undefined {
    return this.#strangers.use(id) ?? this.#dialStranger(id);
  }

  /** The same, but dialled where the member has said last that it is. */
  #dialStranger(id: NodeId): OutgoingLink | undefined {
    // Of several streams the last one counts: the others are of processes before it.
    const place = [...this.#incoming.values()]
      .map((caller) => (caller.id === id ? placeIn(caller.peerUrls) : undefined))
      .findLast((each) => each !== undefined);
    return place === undefined || !this.#isRunning
      ? this.#strangers.use(id)
      : this.#strangers.open({ id, name: String(id), ...place });
  }

  #hangUpOn(id: NodeId): void {
    for (const [stream, caller] of this.#incoming) {
      if (caller.id === id) {
        this.#incoming.delete(stream);
        stream.end();
      }
    }
  }

  /** Calls `use` when the caller is a member that is admitted; else the call ends with why not. */
  #serve(
    call: IncomingStream | SnapshotCall,
    use: (caller: Caller, handler: TransportHandler) => void,
  ): void {
    let isCancelled = false;
    call.on('cancelled', () => {
      isCancelled = true;
    });
    this.#admit(call.metadata).then(
      (caller) => {
        const handler = this.#handler;
        if (!isCancelled && handler !== undefined) {
          use(caller, handler);
        }
      },
      (error: unknown) => {
        call.emit('error', errorToStatus(error));
        if (!(error instanceof KvError)) {
          throw error;
        }
      },
    );
  }

  /** @throws {KvError} when the caller is not to be served. */
  async #admit(metadata: Metadata): Promise<Caller> {
    const caller = readCaller(metadata, this.#options);
    const admission = await this.#handler?.admit(caller);
    if (admission === undefined) {
      throw new KvError('STOPPED');
    }
    if (admission !== 'ok') {
      throw refusalError(caller.id, admission);
    }
    return caller;
  }

  #accept(stream: IncomingStream, caller: Caller, handler: TransportHandler): void {
    const { id } = caller;
    this.#incoming.set(stream, caller);
    stream.sendMetadata(answerMetadata(this.#options, caller));
    const link = this.#links.get(id) ?? this.#dialStranger(id);
    link?.dialNow();
    handler.onAnnounced(id, caller);
    stream.on('data', (batch: PeerBatch) => {
      this.#receive(stream, caller, batch);
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

  #receive(stream: IncomingStream, caller: Caller, batch: PeerBatch): void {
    if (!this.#incoming.has(stream)) {
      return;
    }
    if (batch.pingId !== 0) {
      stream.write({ messages: [], pingId: 0, pongId: batch.pingId });
    }
    if (batch.messages.length === 0) {
      return;
    }
    let messages: readonly PeerMessage[];
    try {
      messages = batch.messages.map((bytes) => this.#decode(bytes, caller));
    } catch (error) {
      if (!(error instanceof KvError)) {
        throw error;
      }
      const peer = this.#links.get(caller.id)?.peer.name ?? String(caller.id);
      this.#options.onEvent({ type: 'peer-refused', peer, reason: error.message });
      stream.emit('error', { code: grpcStatus.INVALID_ARGUMENT, details: error.message });
      return;
    }
    this.#handler?.onMessages(messages);
  }

  #decode(bytes: Buffer, { id: from, encoding }: Caller): PeerMessage {
    const message = decodeMessage(bytes, encoding);
    if (message.from !== from || message.to !== this.#options.memberId) {
      throw new KvError('INVALID_ARGUMENT', {
        message: `a message from ${message.from} to ${message.to} came on the stream of ${from}`,
      });
    }
    return message;
  }

  #describe(callback: sendUnaryData<DescribeResponseInput>): void {
    const handler = this.#handler;
    try {
      if (handler === undefined) {
        throw new KvError('STOPPED');
      }
      callback(null, descriptionToResponse(handler.describe()));
    } catch (error) {
      callback(errorToStatus(error));
      if (!(error instanceof KvError)) {
        throw error;
      }
    }
  }
}

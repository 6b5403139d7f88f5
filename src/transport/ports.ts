/** The port between a member and its peers: contracts only; `grpc-transport.ts` implements it. */
import type { Message, NodeId } from '../raft/index.ts';

/**
 * What a transport tells its member. Called synchronously, from the event loop, never re-entrantly.
 */
export interface TransportHandler {
  /** Messages of one peer, in the order it sent them; all addressed to this member. */
  onMessages(messages: readonly Message[]): void;
  /** The link to `peer` broke or its queue overflowed: messages may be lost. */
  onUnreachable(peer: NodeId): void;
  /** Nothing listens any more where `peer` was: its process is gone. Told once each time. */
  onDown(peer: NodeId): void;
  /** A peer has told where clients reach it. */
  onAnnounced(peer: NodeId, clientUrls: readonly string[]): void;
}

/** A peer of this member as the transport knows it. */
export interface Peer {
  readonly id: NodeId;
  readonly name: string;
  /** Where to dial: `host:port`, after any `--peer-dial` override. */
  readonly address: string;
}

/** State of one outgoing link. */
export interface PeerLink {
  readonly peer: Peer;
  readonly isConnected: boolean;
  /** Last measured round trip, milliseconds; undefined before the first. */
  readonly roundTripMs?: number | undefined;
  readonly queuedBytes: number;
  /** Messages dropped since the start: no stream, or a full queue. */
  readonly droppedMessages: number;
}

/**
 * Delivers Raft messages, at most once, in order per peer while a link lives; may lose any of them.
 *
 * Limit: at most `queueBytesMax` wait per peer; beyond that messages are dropped and
 * `onUnreachable` is told.
 */
export interface Transport {
  start(handler: TransportHandler): Promise<void>;
  /**
   * Queues messages; those for one peer sent in one event-loop turn travel together. Never throws.
   */
  send(messages: readonly Message[]): void;
  links(): readonly PeerLink[];
  stop(): Promise<void>;
}

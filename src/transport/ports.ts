/** The port between a member and its peers: contracts only; `grpc-transport.ts` implements it. */
import type { LogIndex, Message, NodeId } from '../raft/index.ts';

/** The rolling hash of a member's state after the entry at `index`, for its peers to compare. */
export interface StateHashReport {
  readonly type: 'StateHash';
  readonly from: NodeId;
  readonly to: NodeId;
  readonly index: LogIndex;
  /** 64 bits, unsigned. */
  readonly hash: bigint;
}

/** Everything that travels on the stream between two members. */
export type PeerMessage = Message | StateHashReport;

/** Versions that a member understands: every one from `oldest` to `newest`. */
export interface VersionRange {
  readonly oldest: number;
  readonly newest: number;
}

/** What a member says of itself when it dials another one. */
export interface Announcement {
  /** Where clients reach it. */
  readonly clientUrls: readonly string[];
  /** The program's version, for people. */
  readonly build: string;
  /** Feature levels that it reads; only the first, if it does not say. */
  readonly levels: VersionRange;
}

/** A member that wants to be listened to. */
export interface Applicant {
  readonly id: NodeId;
  /** Another number for each data directory that it ever had. */
  readonly incarnation: number;
  /** Feature levels that it reads. */
  readonly levels: VersionRange;
}

/**
 * Why a member takes no stream of another one. `removed`: it is no longer of this cluster.
 * `lost-data`: it came back with another data directory, so without its vote and its log.
 * `unknown-member`: it is not in the membership that is known here, which may be an old one.
 * `level`: it does not read the cluster's feature level.
 */
export type Refusal = 'removed' | 'lost-data' | 'unknown-member' | 'level';

/** Whether the stream of a member is taken. */
export type Admission = 'ok' | Refusal;

/** A member as others are told of it. */
export interface DescribedMember {
  readonly id: NodeId;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}

/** A cluster as one of its members knows it. */
export interface ClusterDescription {
  readonly clusterId: number;
  readonly members: readonly DescribedMember[];
  /** Ids that were members and never will be again. */
  readonly removedIds: readonly NodeId[];
  /** The entry up to which the answering member has applied: how fresh this is. */
  readonly appliedIndex: LogIndex;
  /** The cluster's feature level as of then; undefined: told by a build that knows of none. */
  readonly level?: number | undefined;
}

/**
 * What a transport tells and asks its member. Called from the event loop, never re-entrantly.
 */
export interface TransportHandler {
  /** Messages of one peer, in the order it sent them; all addressed to this member. */
  onMessages(messages: readonly PeerMessage[]): void;
  /** The link to `peer` broke or its queue overflowed: messages may be lost. */
  onUnreachable(peer: NodeId): void;
  /** Nothing listens any more where `peer` was: its process is gone. Told once each time. */
  onDown(peer: NodeId): void;
  /** A peer has told of itself. */
  onAnnounced(peer: NodeId, announcement: Announcement): void;
  /**
   * Decides whether a member of the same cluster is listened to, whether or not it is in the list
   * of peers: a new leader may be unknown to a member that lags behind (Raft thesis §4.1). Asked
   * once for each stream and each snapshot.
   *
   * @throws {KvError} when it cannot say; the caller is told to come back later.
   */
  admit(from: Applicant): Promise<Admission>;
  /**
   * `peer` refused this member for good. Told once each time its answer changes; dialling goes on,
   * slowly.
   */
  onRefused(peer: NodeId, reason: Exclude<Refusal, 'unknown-member'>): void;
  /**
   * Opens a snapshot of this member's state, with all entries up to `minIndex` at least, for
   * `from`. Its iterator is either run to its end or told to `return`, even before its first item;
   * an item is the transport's until it asks for the next one. `formatVersionMax` is the newest
   * version of the format that `from` reads; 0 if it does not say.
   *
   * @throws {KvError} whatever its code is; `from` gets the same one.
   */
  onSnapshotRequested(
    from: NodeId,
    minIndex: LogIndex,
    formatVersionMax: number,
  ): Promise<AsyncIterable<Uint8Array>>;
  /**
   * What a member that is about to join is told.
   *
   * @throws {KvError} when there is nothing to tell yet; the asker gets the same code.
   */
  describe(): ClusterDescription;
}

/** A peer of this member as the transport knows it. */
export interface Peer {
  readonly id: NodeId;
  readonly name: string;
  /** Where to dial: `host:port`, after any `--peer-dial` override. */
  readonly address: string;
  /** The host that its certificate must be for; absent: it speaks plain text. */
  readonly tlsHost?: string | undefined;
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
  /**
   * Newest feature level that the peer reads, while it is connected both ways; undefined else, for
   * it may come back as another build.
   */
  readonly newestLevel?: number | undefined;
}

/** What is to be fetched, and until when it is wanted. */
export interface SnapshotFetch {
  /** The snapshot must contain all entries up to here. */
  readonly minIndex: LogIndex;
  /** Newest version of the format that is read here; 0: not said. */
  readonly formatVersionMax?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Delivers messages, at most once, in order per peer while a link lives; may lose any of them.
 *
 * Limit: at most `queueBytesMax` wait per peer; beyond that messages are dropped and
 * `onUnreachable` is told.
 */
export interface Transport {
  start(handler: TransportHandler): Promise<void>;
  /**
   * Queues messages; those for one peer sent in one event-loop turn travel together. Never throws.
   *
   * @returns those that surely do not travel, because nobody is connected, or too much waits
   *   already; of others nothing is known
   */
  send(messages: readonly PeerMessage[]): readonly PeerMessage[];
  /**
   * Replaces the list of peers; this member's own id in it is ignored. Links to new peers and to
   * changed addresses are dialled; those of peers that are gone are closed, both ways.
   */
  setPeers(peers: readonly Peer[]): void;
  /**
   * Ends the streams that have come from `peer`. It dials again, and is admitted or refused by what
   * is known of it then.
   */
  hangUp(peer: NodeId): void;
  /** The links to the peers in the list, in the order of their ids. */
  links(): readonly PeerLink[];
  /**
   * Pulls the state of `from`: its bytes in the snapshot format, in pieces cut anywhere. Ends the
   * transfer when the consumer returns; an earlier one from the same member ends with CANCELLED.
   *
   * @throws {KvError} from the iteration: the sender's own code when it refused or failed, as
   *   TOO_MANY_REQUESTS; UNHEALTHY — it cannot be reached, or not any more; TIMEOUT — it has
   *   stalled; MEMBER_NOT_FOUND — its address is not known; MEMBER_REMOVED, CANCELLED, STOPPED.
   */
  fetchSnapshot(from: NodeId, fetch: SnapshotFetch): AsyncIterable<Uint8Array>;
  stop(): Promise<void>;
}

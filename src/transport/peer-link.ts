/**
 * The outgoing link to one peer: a long-lived stream, dialled again whenever it breaks.
 *
 * What is queued in one turn leaves as one batch. Invariant: at most `queueBytesMax` bytes wait
 * here, beside the few batches the stream has taken; beyond that, and while there is no stream,
 * messages are dropped: Raft sends again what matters. A peer that neither answers nor takes
 * anything for a while counts as gone, so a silently dead link costs seconds, not minutes.
 */
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  type Metadata,
} from '@grpc/grpc-js';
import { KvError, type Prng, type TimerHandle, type Timers } from '../base/index.ts';
import { services } from '../wire/index.ts';
import { decodeBatch, encodeBatch, type PeerBatch } from './batch.ts';
import { refusalIn } from './call-errors.ts';
import { encodings } from './codec.ts';
import { dialReason } from '../tls/index.ts';
import { callMetadata, type MemberIdentity, readAnswer } from './handshake.ts';
import type { Peer, PeerLink, Refusal } from './ports.ts';
import { makeRevocable } from './revocable-credentials.ts';

/**
 * Path of `holdfast.v1.Peer/Exchange`, whose messages are not encoded as the others are.
 *
 * @internal Exported for tests.
 */
export const exchangePath = services['holdfast.v1.Peer'].Exchange.path;

const backoffMsMin = 50;
const backoffMsMax = 1000;
/** Bounds of the backoff while the peer says that it will not take this member any more. */
const refusedBackoffMsMin = 5000;
const refusedBackoffMsMax = 60_000;
const pingPeriodMs = 500;
/** Unanswered for so long, an attempt to connect is given up, and a link counts as dead. */
const answerTimeoutMs = 2000;
/** Bytes of messages in one gRPC message, but at least one message. */
const batchBytesMax = 4 * 1024 * 1024;

/** Happenings worth a log line. */
export type PeerEvent =
  | { readonly type: 'peer-connected'; readonly peer: string }
  | { readonly type: 'peer-disconnected'; readonly peer: string; readonly reason: string }
  /** It has not been reached yet, or not again: as when the members of a cluster start. */
  | { readonly type: 'peer-unreachable'; readonly peer: string; readonly reason: string }
  | { readonly type: 'peer-refused'; readonly peer: string; readonly reason: string };

/** A refusal that time alone does not change. */
export type LastingRefusal = Exclude<Refusal, 'unknown-member'>;

/** What a link needs beside its peer. */
export interface PeerLinkOptions {
  readonly identity: MemberIdentity;
  /** Asked at each attempt. */
  readonly credentialsOf: (peer: Peer) => ChannelCredentials;
  readonly timers: Timers;
  readonly prng: Prng;
  readonly queueBytesMax: number;
  readonly onUnreachable: () => void;
  /** The peer was there, and now its host refuses the connection. */
  readonly onDown: () => void;
  /** The peer refused this member for good; told when its answer changes. */
  readonly onRefused: (reason: LastingRefusal) => void;
  readonly onEvent: (event: PeerEvent) => void;
}

/** See the module comment. */
export class OutgoingLink {
  /** Its name may change; a new address needs a new link. */
  peer: Peer;
  readonly #options: PeerLinkOptions;
  #client: Client | undefined;
  #revoke: () => void = () => undefined;
  #stream: ClientDuplexStream<PeerBatch, PeerBatch> | undefined;
  #isConnected = false;
  /** The stream has more to send than the network takes; wait for `drain`. */
  #isBlocked = false;
  #queue: Buffer[] = [];
  #queuedBytes = 0;
  #backoffMs = backoffMsMin;
  #redial: TimerHandle | undefined;
  #pinger: TimerHandle | undefined;
  /** When the attempt under way has begun. */
  #dialledMs = 0;
  #pingId = 0;
  #pingSentMs: number | undefined;
  /** When the peer has last taken a batch. */
  #takenMs = 0;
  #roundTripMs: number | undefined;
  #isStopped = false;
  #lastReason = '';
  /** Why the peer refuses this member, if that was its last answer. */
  #refusal: LastingRefusal | undefined;
  /** It has been connected, and has not been told as down since. */
  #isThoughtUp = false;
  /** Of the messages to this peer; what was agreed on last, while it is connected. */
  encoding: number = encodings.newest;
  droppedMessages = 0;
  sentMessages = 0;
  sentBytes = 0;

  constructor(peer: Peer, options: PeerLinkOptions) {
    this.peer = peer;
    this.#options = options;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  get state(): PeerLink {
    return {
      peer: this.peer,
      isConnected: this.#isConnected,
      roundTripMs: this.#roundTripMs,
      queuedBytes: this.#queuedBytes,
      droppedMessages: this.droppedMessages,
    };
  }

  start(): void {
    this.#dial();
    this.#pinger = this.#options.timers.every(pingPeriodMs, () => {
      this.#ping();
    });
  }

  /** The peer has just dialled this member, so it is there: do not wait out the backoff. */
  dialNow(): void {
    if (this.#redial !== undefined) {
      this.#redial.cancel();
      this.#redial = undefined;
      this.#dial();
    }
  }

  /**
   * Queues messages and sends what the stream takes; returns the positions of those that are
   * dropped.
   */
  send(messages: readonly Buffer[]): readonly number[] {
    if (!this.#isConnected) {
      this.droppedMessages += messages.length;
      return [...messages.keys()];
    }
    const dropped: number[] = [];
    for (const [at, message] of messages.entries()) {
      if (
        this.#queuedBytes > 0 &&
        this.#queuedBytes + message.length > this.#options.queueBytesMax
      ) {
        dropped.push(at);
      } else {
        this.#queue.push(message);
        this.#queuedBytes += message.length;
      }
    }
    this.#flush();
    if (dropped.length > 0) {
      this.droppedMessages += dropped.length;
      this.#options.onUnreachable();
    }
    return dropped;
  }

  stop(): void {
    this.#isStopped = true;
    this.#redial?.cancel();
    this.#pinger?.cancel();
    this.#stream?.cancel();
    this.#hangUp();
    this.#stream = undefined;
    this.#isConnected = false;
  }

  /**
   * Closes the connection: at once if the peer has not answered yet, else after what is under way.
   */
  #hangUp(): void {
    this.#client?.close();
    if (!this.#isConnected) {
      this.#revoke();
    }
  }

  #dial(): void {
    if (this.#isStopped) {
      return;
    }
    const { credentials, revoke } = makeRevocable(this.#options.credentialsOf(this.peer));
    const client = new Client(this.peer.address, credentials, channelOptions);
    this.#revoke = revoke;
    this.#dialledMs = this.#options.timers.nowMs();
    const stream = client.makeBidiStreamRequest<PeerBatch, PeerBatch>(
      exchangePath,
      encodeBatch,
      decodeBatch,
      callMetadata(this.#options.identity, this.peer.id),
    );
    this.#client = client;
    this.#stream = stream;
    stream.on('metadata', (answer) => {
      this.#connected(stream, answer);
    });
    stream.on('data', (batch: PeerBatch) => {
      this.#handlePong(batch.pongId);
    });
    stream.on('drain', () => {
      this.#isBlocked = false;
      this.#flush();
    });
    stream.on('error', (error) => {
      const reason = reasonOf(error);
      const isByTls = this.peer.tlsHost !== undefined && !this.#isConnected;
      this.#broken(stream, isByTls ? dialReason(reason) : reason, refusalIn(error));
    });
    stream.on('end', () => {
      this.#broken(stream, 'the peer ended the stream');
    });
  }

  #connected(stream: ClientDuplexStream<PeerBatch, PeerBatch>, answer: Metadata): void {
    if (this.#stream === stream && !this.#isConnected) {
      try {
        this.encoding = readAnswer(answer, this.#options.identity);
      } catch (error) {
        if (!(error instanceof KvError)) {
          throw error;
        }
        this.#giveUp(stream, error.message);
        return;
      }
      this.#isConnected = true;
      this.#isThoughtUp = true;
      this.#isBlocked = false;
      this.#pingSentMs = undefined;
      this.#lastReason = '';
      this.#refusal = undefined;
      this.#options.onEvent({ type: 'peer-connected', peer: this.peer.name });
    }
  }

  #broken(
    stream: ClientDuplexStream<PeerBatch, PeerBatch>,
    reason: string,
    refusal?: Refusal,
  ): void {
    if (this.#stream !== stream || this.#isStopped) {
      return;
    }
    const wasConnected = this.#isConnected;
    this.#hangUp();
    this.#stream = undefined;
    this.#isConnected = false;
    this.droppedMessages += this.#queue.length;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#roundTripMs = undefined;
    const lasting = refusal === 'unknown-member' ? undefined : refusal;
    this.#redialLater(lasting);
    // A peer that stays away is worth one line, not one for each attempt.
    if (wasConnected || reason !== this.#lastReason) {
      this.#options.onEvent({
        type: breakType(reason, wasConnected),
        peer: this.peer.name,
        reason,
      });
      this.#lastReason = reason;
    }
    if (wasConnected) {
      this.#options.onUnreachable();
    }
    if (this.#isThoughtUp && reason.includes('ECONNREFUSED')) {
      this.#isThoughtUp = false;
      this.#options.onDown();
    }
    const isNews = lasting !== this.#refusal;
    this.#refusal = lasting;
    if (isNews && lasting !== undefined) {
      this.#options.onRefused(lasting);
    }
  }

  #redialLater(refusal: LastingRefusal | undefined): void {
    const { timers, prng } = this.#options;
    const [min, max] =
      refusal === undefined
        ? [backoffMsMin, backoffMsMax]
        : [refusedBackoffMsMin, refusedBackoffMsMax];
    const backoffMs = Math.min(Math.max(this.#backoffMs, min), max);
    const delayMs = prng.nextInt(Math.floor(backoffMs / 2), backoffMs + 1);
    this.#backoffMs = Math.min(2 * backoffMs, max);
    this.#redial = timers.after(delayMs, () => {
      this.#redial = undefined;
      this.#dial();
    });
  }

  #flush(): void {
    while (this.#queue.length > 0 && !this.#isBlocked && this.#stream !== undefined) {
      const messages: Buffer[] = [];
      let bytes = 0;
      while (messages.length < this.#queue.length) {
        const next = this.#queue[messages.length] as Buffer;
        if (bytes > 0 && bytes + next.length > batchBytesMax) {
          break;
        }
        messages.push(next);
        bytes += next.length;
      }
      this.#queue = this.#queue.slice(messages.length);
      this.#queuedBytes -= bytes;
      this.sentMessages += messages.length;
      this.sentBytes += bytes;
      this.#isBlocked = !this.#stream.write({ messages, pingId: 0, pongId: 0 }, () => {
        this.#takenMs = this.#options.timers.nowMs();
      });
    }
  }

  #ping(): void {
    const stream = this.#stream;
    if (stream === undefined) {
      return;
    }
    const nowMs = this.#options.timers.nowMs();
    if (!this.#isConnected) {
      if (nowMs - this.#dialledMs >= answerTimeoutMs) {
        this.#giveUp(stream, `no answer for ${answerTimeoutMs} ms`);
      }
    } else if (this.#pingSentMs === undefined) {
      this.#pingSentMs = nowMs;
      this.#pingId++;
      stream.write({ messages: [], pingId: this.#pingId, pongId: 0 });
    } else if (nowMs - Math.max(this.#pingSentMs, this.#takenMs) >= answerTimeoutMs) {
      // A ping waits behind the batches before it; a peer that takes those is there.
      this.#giveUp(stream, `no echo for ${answerTimeoutMs} ms`);
    }
  }

  #giveUp(stream: ClientDuplexStream<PeerBatch, PeerBatch>, reason: string): void {
    stream.cancel();
    this.#broken(stream, reason);
  }

  #handlePong(pongId: number): void {
    if (pongId === this.#pingId && this.#pingSentMs !== undefined) {
      this.#roundTripMs = this.#options.timers.nowMs() - this.#pingSentMs;
      this.#pingSentMs = undefined;
      // Not as soon as it is connected: a peer that ends each stream at once is not to be stormed.
      this.#backoffMs = backoffMsMin;
    }
  }
}

function breakType(
  reason: string,
  wasConnected: boolean,
): 'peer-refused' | 'peer-disconnected' | 'peer-unreachable' {
  if (reason.includes('FAILED_PRECONDITION') || reason.startsWith('TLS: ')) {
    return 'peer-refused';
  }
  return wasConnected ? 'peer-disconnected' : 'peer-unreachable';
}

/**
 * What grpc-js says of a failed call, without what it wraps around the operating system's words.
 */
function reasonOf(error: Error): string {
  return (
    error.message
      .replace(/^14 UNAVAILABLE: /, '')
      .replace(/^No connection established\. Last error: (?:Error: )?/, '')
      .replace(/\.? Resolution note: *$/, '')
      .replace(
        /^8 RESOURCE_EXHAUSTED: Received message larger than max \((\d+) vs (\d+)\)$/,
        'the peer takes messages of up to $2 bytes, and was sent one of $1',
      )
      // It would make each failure another reason.
      .replace(/ \(\d{4}-\d\d-\d\dT[^)]*\)$/, '')
  );
}

const channelOptions = {
  // Each attempt has a connection of its own: gRPC's shared ones bring a backoff of their own.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_channelz': 0,
  'grpc.enable_retries': 0,
  // What comes back are echoes of pings: gRPC's own bound, of 4 MiB, is far beyond them.
  'grpc.max_send_message_length': -1,
  'grpc-node.max_session_memory': 256,
};

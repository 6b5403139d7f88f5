/**
 * The sending side of snapshots: from the member's own stream of bytes to the calls of its peers.
 *
 * Limits: four transfers at a time, one for each peer; all of them together send at most
 * `bytesPerSecondMax`; at most four chunks of each wait for the network. A peer that asks anew has
 * no use for what it was being sent: that ends, though nobody may have told this member, as when
 * the peer lost its power. The source is always finished or told to return, so whatever it holds on
 * to is let go.
 */
import type { ServerWritableStream } from '@grpc/grpc-js';
import { KvError, type Timers } from '../base/index.ts';
import type { NodeId } from '../raft/index.ts';
import type { FetchSnapshotRequest } from '../wire/index.ts';
import { errorToStatus } from './call-errors.ts';
import { frameBytesMax, SnapshotFrame } from './snapshot-frame.ts';
import { TokenBucket } from './token-bucket.ts';

/** A call of `FetchSnapshot` as the server has it. */
export type SnapshotCall = ServerWritableStream<FetchSnapshotRequest, SnapshotFrame>;

/** Limit: chunks of one transfer that the network has not taken yet. */
const chunksInFlightMax = 4;
/** Limit: transfers under way. */
const transfersMax = 4;
/** Limit: the same with those that have been ended, and have not let go of their sources yet. */
const runningMax = 2 * transfersMax;
/** A peer that takes nothing for so long is given up. */
const stallMsMax = 60_000;
/**
 * What may be sent at once after a pause. Why so little: both sides work on a burst without a
 * pause, and what else they do, and their neighbours on the same machine, wait for it.
 */
const burstBytes = 512 * 1024;

/** What a sender needs. */
export interface SnapshotSenderOptions {
  readonly timers: Timers;
  /** Infinity for no limit. */
  readonly bytesPerSecondMax: number;
}

/** See the module comment. */
export class SnapshotSender {
  readonly #timers: Timers;
  readonly #bucket: TokenBucket;
  readonly #transfersById = new Map<NodeId, Transfer>();
  readonly #running = new Set<Promise<void>>();
  #isStopped = false;

  constructor({ timers, bytesPerSecondMax }: SnapshotSenderOptions) {
    this.#timers = timers;
    this.#bucket = new TokenBucket({
      tokensPerSecond: bytesPerSecondMax,
      burst: burstBytes,
      timers,
    });
  }

  /** Answers `call` of `peer` with what `open` gives. */
  send(call: SnapshotCall, peer: NodeId, open: () => Promise<AsyncIterable<Uint8Array>>): void {
    const earlier = this.#transfersById.get(peer);
    earlier?.abort(new KvError('CANCELLED', { message: `member ${peer} has asked anew` }));
    this.#transfersById.delete(peer);
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      call.emit('error', errorToStatus(refusal));
      return;
    }
    const transfer = new Transfer(call, this.#timers, this.#bucket);
    this.#transfersById.set(peer, transfer);
    const running = transfer.run(open).finally(() => {
      this.#running.delete(running);
      if (this.#transfersById.get(peer) === transfer) {
        this.#transfersById.delete(peer);
      }
    });
    this.#running.add(running);
  }

  /** Breaks off all transfers, and resolves once their sources are let go. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const transfer of this.#transfersById.values()) {
      transfer.abort(new KvError('STOPPED'));
    }
    await Promise.all(this.#running);
  }

  #refusal(): KvError | undefined {
    if (this.#isStopped) {
      return new KvError('STOPPED');
    }
    const isFull = this.#transfersById.size >= transfersMax || this.#running.size >= runningMax;
    return !isFull
      ? undefined
      : new KvError('TOO_MANY_REQUESTS', {
          message: `${transfersMax} snapshots are being sent already`,
        });
  }
}

/** One snapshot on its way. */
class Transfer {
  readonly #call: SnapshotCall;
  readonly #timers: Timers;
  readonly #bucket: TokenBucket;
  readonly #abort = new AbortController();
  /** Frames that are not in use. */
  readonly #frames: SnapshotFrame[] = [];
  #chunksInFlight = 0;
  #wake: () => void = () => undefined;

  constructor(call: SnapshotCall, timers: Timers, bucket: TokenBucket) {
    this.#call = call;
    this.#timers = timers;
    this.#bucket = bucket;
    call.on('cancelled', () => {
      this.abort(new KvError('CANCELLED'));
    });
  }

  abort(reason: KvError): void {
    this.#abort.abort(reason);
    this.#wake();
  }

  /** Never rejects: how it ends is told to the peer. */
  async run(open: () => Promise<AsyncIterable<Uint8Array>>): Promise<void> {
    try {
      const source = (await open())[Symbol.asyncIterator]();
      try {
        await this.#pump(source);
      } finally {
        await source.return?.();
      }
      this.#abort.signal.throwIfAborted();
      this.#call.end();
    } catch (error) {
      this.#call.emit('error', errorToStatus(error));
    }
  }

  async #pump(source: AsyncIterator<Uint8Array, unknown>): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      const next = await source.next();
      if (next.done === true) {
        return;
      }
      const { value } = next;
      for (let at = 0; at < value.length; at += frameBytesMax) {
        const bytes = value.subarray(at, at + frameBytesMax);
        await this.#bucket.take(bytes.length, signal);
        await this.#write(bytes);
      }
    }
  }

  /** Hands one chunk to the network, and waits while too many are there already. */
  async #write(data: Uint8Array): Promise<void> {
    if (this.#abort.signal.aborted) {
      return;
    }
    const frame = this.#frames.pop() ?? new SnapshotFrame();
    frame.fill(data);
    this.#chunksInFlight++;
    this.#call.write(frame, () => {
      this.#chunksInFlight--;
      this.#frames.push(frame);
      this.#wake();
    });
    if (this.#chunksInFlight < chunksInFlightMax) {
      return;
    }
    await new Promise<void>((resolve) => {
      const stall = this.#timers.after(stallMsMax, () => {
        this.abort(new KvError('TIMEOUT', { message: `nothing was taken for ${stallMsMax} ms` }));
      });
      // A cancelled call forgets the callbacks of its writes: the abort must wake this, too.
      this.#wake = () => {
        stall.cancel();
        resolve();
      };
    });
  }
}

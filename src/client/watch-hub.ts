/**
 * All watches of a client, on one stream to one member, whichever that is.
 *
 * A watch follows the keyspace, not a member: when the stream breaks, its member falls silent or
 * loses its leader, every watch goes on with another one, from the revision after its last. That
 * may take a while; a watch has no deadline, and ends by itself only when history is gone, or when
 * the members will not have it.
 *
 * The member is asked every second how far the watches are. That tells progress where nothing
 * changes (Holdfast's answers hold for every watch; etcd's do not, and are not relied on), and
 * that the member is there: one that is stopped, or cut off, breaks no connection.
 */
import type { TimerHandle } from '../base/index.ts';
import { services, watchMethod } from '../wire/index.ts';
import type { Caller } from './caller.ts';
import type { Endpoints } from './endpoints.ts';
import {
  closedError,
  codeOf,
  codeOfReason,
  HoldfastError,
  type HoldfastErrorCode,
  isRepeatableCode,
} from './errors.ts';
import type { RetryPace } from './pace.ts';
import type { CallFailure, Environment } from './ports.ts';
import type { FeedSource, WatchFeed } from './watch-feed.ts';
import { WatchStream, type WatchStreamOwner } from './watch-stream.ts';

/** Limit: watches of one client; each takes some memory here and at the member. */
const watchesMax = 10_000;
/** Limit: bytes that may wait for the readers of a client, shared by its watches evenly. */
const bytesMax = 64 * 1024 * 1024;
/** Limits of one watch's share: a member's messages have up to 2 MiB. */
const feedBytesMax = 4 * 1024 * 1024;
const feedBytesMin = 64 * 1024;
/** Milliseconds between two questions for progress. */
const progressMs = 1000;
/** A member that says nothing for so long is asked whether it is there; milliseconds. */
const silenceMaxMs = 3000;
/** A stream on which a member that is there answers no more is left after so long; milliseconds. */
const unansweredMaxMs = 30_000;
/** Limit: how long it may take to say that it is there; milliseconds. */
const probeMaxMs = 2000;

/** A stream that lasted for so long was of use; milliseconds. */
const usefulMs = 1000;
/**
 * Limit: streams in a row that end with one of these codes, and times in a row that a member does
 * not know who asks for a watch; more of them will not end otherwise.
 */
const refusalsMax = 1;
const finalCodes: ReadonlySet<HoldfastErrorCode> = new Set<HoldfastErrorCode>([
  ...(['UNAUTHENTICATED', 'PERMISSION_DENIED', 'NOT_IMPLEMENTED', 'UNRECOGNIZED'] as const),
]);
/** With which a probe fails that has not reached a member. */
const unreachedCodes: ReadonlySet<HoldfastErrorCode> = new Set<HoldfastErrorCode>([
  ...(['DEADLINE_EXCEEDED', 'UNREACHABLE', 'CONNECTION_LOST'] as const),
]);

/** What a {@link WatchHub} works with. */
export interface WatchHubParts {
  readonly environment: Environment;
  readonly caller: Caller;
  readonly endpoints: Endpoints;
  readonly pace: RetryPace;
}

/** See the module comment. */
export class WatchHub implements FeedSource, WatchStreamOwner {
  readonly #parts: WatchHubParts;
  readonly #feeds = new Set<WatchFeed>();
  /** Where watches are, or will be once it is open. */
  #stream: WatchStream | undefined;
  /** Streams in a row that ended soon, and that ended in a way that does not pass by itself. */
  #failures = 0;
  #refusals = 0;
  #avoid: string | undefined;
  #problem: string | undefined;
  #isProbing = false;
  #isClosed = false;
  #look: TimerHandle | undefined;
  /** Of the pause before the next stream is opened. */
  #reopening: TimerHandle | undefined;

  constructor(parts: WatchHubParts) {
    this.#parts = parts;
  }

  /** What is in the way of the stream; undefined while nothing is. */
  get problem(): string | undefined {
    return this.#problem;
  }

  get feedBytesMax(): number {
    return Math.max(feedBytesMin, Math.min(feedBytesMax, bytesMax / this.#feeds.size));
  }

  /** @throws {HoldfastError} CLIENT_CLOSED, CLIENT_OVERLOADED. */
  add(feed: WatchFeed): void {
    if (this.#isClosed) {
      throw closedError('watch');
    }
    if (this.#feeds.size >= watchesMax) {
      const text = `watch: this client has ${watchesMax} watches already`;
      throw new HoldfastError('CLIENT_OVERLOADED', text);
    }
    this.#feeds.add(feed);
    this.#look ??= this.#parts.environment.loop.every(progressMs, () => this.#lookAround());
    this.resume(feed);
  }

  remove(feed: WatchFeed): void {
    this.#feeds.delete(feed);
    this.pause(feed);
    feed.retry?.cancel();
    if (this.#feeds.size === 0) {
      this.#look?.cancel();
      this.#look = undefined;
    }
  }

  pause(feed: WatchFeed): void {
    this.#stream?.stop(feed);
  }

  resume(feed: WatchFeed): void {
    if (this.#stream === undefined) {
      this.#open();
    } else {
      this.#stream.begin(feed);
    }
  }

  requestProgress(): void {
    this.#stream?.requestProgress();
  }

  /** Every watch ends. */
  close(): void {
    this.#isClosed = true;
    this.#endAll(closedError('watch'));
    this.#reopening?.cancel();
    this.#stream?.cancel();
  }

  onBegun(): void {
    this.#refusals = 0;
    this.#problem = undefined;
  }

  onRejected(feed: WatchFeed, reason: string): void {
    const code = codeOfReason(reason);
    const isStranger = code === 'UNAUTHENTICATED' && ++feed.refusals <= refusalsMax;
    if (isStranger && this.#stream?.forgetCredentials() === true) {
      // Members look at the token that the stream began with, however old it is.
      this.#replaceStream();
      return;
    }
    const mayPass = reason === '' || (feed.hasBegun && isRepeatableCode(code));
    const stream = this.#stream;
    if (!mayPass) {
      const endpoint = stream?.address;
      const text = `watch failed at ${endpoint ?? 'a member'}: ${reason}`;
      feed.fail(new HoldfastError(code, text, { endpoint }));
      return;
    }
    const pauseMs = this.#parts.pace.pauseMs(++feed.rejections);
    feed.retry = this.#parts.environment.loop.after(pauseMs, () => {
      // Otherwise the next stream has begun it.
      if (this.#stream === stream && feed.isWanted) {
        stream?.begin(feed);
      }
    });
  }

  onEnd(stream: WatchStream, failure: CallFailure | undefined): void {
    const code = failure === undefined ? 'CONNECTION_LOST' : codeOf(failure);
    const text = failure?.message ?? 'the stream has ended';
    if (finalCodes.has(code) && ++this.#refusals > refusalsMax) {
      this.#stream = undefined;
      this.#endAll(
        new HoldfastError(code, `watch: ${text}`, {
          ...{ endpoint: stream.address, cause: failure?.cause },
        }),
      );
    } else {
      this.#lose(stream, text);
    }
  }

  #open(): void {
    if (this.#stream !== undefined || this.#reopening !== undefined || this.#isClosed) {
      return;
    }
    const { caller, environment } = this.#parts;
    const stream = new WatchStream(this, () => environment.loop.nowMs());
    this.#stream = stream;
    caller
      .stream({
        // A member without a leader ends it: it may not know what happens.
        ...{ what: 'watch', method: watchMethod, metadata: { hasleader: 'true' } },
        ...{ listener: stream, avoid: this.#avoid },
        onProblem: (address, problem) => {
          this.#problem = `${address}: ${problem}`;
        },
      })
      .then(
        (call) => {
          stream.opened(call);
          if (this.#stream !== stream) {
            return;
          }
          for (const feed of this.#feeds) {
            if (feed.isWanted) {
              stream.begin(feed);
            }
          }
        },
        (error: unknown) => {
          // Closed, or refused for good.
          this.#stream = undefined;
          this.#endAll(error as HoldfastError);
        },
      );
  }

  #lose(stream: WatchStream, problem: string): void {
    if (this.#stream !== stream) {
      return;
    }
    this.#stream = undefined;
    this.#avoid = stream.address;
    this.#problem = `${stream.address ?? 'a member'}: ${problem}`;
    this.#failures = stream.ageMs >= usefulMs ? 1 : this.#failures + 1;
    if (this.#feeds.size === 0) {
      return;
    }
    if (this.#failures === 1) {
      this.#open();
      return;
    }
    const pauseMs = this.#parts.pace.pauseMs(this.#failures - 1);
    this.#reopening = this.#parts.environment.loop.after(pauseMs, () => {
      this.#reopening = undefined;
      if (this.#feeds.size > 0) {
        this.#open();
      }
    });
  }

  /** All watches go on with another stream, as after its end. */
  #replaceStream(): void {
    this.#stream?.cancel();
    this.#stream = undefined;
    this.#open();
  }

  #endAll(error: HoldfastError): void {
    for (const feed of [...this.#feeds]) {
      feed.fail(error);
    }
  }

  #lookAround(): void {
    const stream = this.#stream;
    if (stream?.address === undefined) {
      return;
    }
    if (stream.unansweredMs > unansweredMaxMs) {
      this.#leave(stream, `no answer for ${Math.round(stream.unansweredMs)} ms`);
    } else if (stream.silentMs <= silenceMaxMs) {
      stream.requestProgress();
    } else if (!this.#isProbing) {
      this.#isProbing = true;
      void this.#probe(stream, stream.address).finally(() => {
        this.#isProbing = false;
      });
    }
  }

  /** Leaves a member that does not answer; one that does may have a long way to the next event. */
  async #probe(stream: WatchStream, address: string): Promise<void> {
    const { caller } = this.#parts;
    try {
      await caller.call({
        ...{ what: 'looking after a watch', request: {}, purpose: 'read', route: { address } },
        ...{ method: services['etcdserverpb.Maintenance'].Status, timeoutMs: probeMaxMs },
      });
      stream.isThere();
    } catch (error) {
      if (unreachedCodes.has((error as HoldfastError).code) && stream.silentMs > silenceMaxMs) {
        this.#parts.endpoints.failedAt(address);
        this.#leave(stream, `silent for ${Math.round(stream.silentMs)} ms`);
      }
    }
  }

  #leave(stream: WatchStream, why: string): void {
    stream.cancel();
    this.#lose(stream, why);
  }
}

/**
 * `etcdserverpb.Watch`: any number of watches on one stream, as etcd has it. What the member tells
 * is sent no faster than the client takes it; meanwhile its requests are not read either, so a
 * client that never reads costs a bounded amount of memory.
 */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { type ErrorCode, KvError, type TimerHandle, type Timers } from '../base/index.ts';
import type { Caller } from '../kv/index.ts';
import type {
  WatchAllowance,
  WatchEvent,
  WatchNotice,
  WatchRequest,
  WatchStream,
} from '../replica/index.ts';
import type * as wire from '../wire/index.ts';
import { watchPartsMax } from '../wire/index.ts';
import { toBound, toNumber, toRangeEnd } from './convert.ts';
import { watchLeader } from './required-leader.ts';
import {
  callOptions,
  headerOf,
  type LongService,
  sendTogether,
  type ServiceContext,
  writePaced,
} from './service.ts';
import { statusInWords, toServiceError } from './status.ts';
import { EncodedAnswer, type WatchAnswer } from './watch-encoding.ts';

type WatchCall = ServerDuplexStream<wire.WatchRequest, WatchAnswer>;
type EventsNotice = Extract<WatchNotice, { readonly type: 'events' }>;

/** The id in responses that are about no watch, or about all of the stream (etcd's own). */
const noWatchId = -1;
/** Limit: notices that wait for a client before its next request is read. */
const pendingMax = 1000;
/** What an event takes in a message besides keys and values, at most. */
const eventOverheadBytes = 96;
/** Bytes of a message that are no events. */
const responseOverheadBytes = 512 * 1024;

/** The service's only method. */
interface WatchHandlers {
  readonly Watch: (call: WatchCall) => void;
}

/** What the service needs besides what all have. */
export interface WatchServiceOptions {
  readonly timers: Timers;
  readonly requestBytesMax: number;
}

/** Creates the service; its streams last until their clients, or the server, end them. */
export function createWatchService(
  context: ServiceContext,
  { timers, requestBytesMax }: WatchServiceOptions,
): LongService<WatchHandlers> {
  const sessions = new Set<WatchSession>();
  const responseBytesMax = requestBytesMax + responseOverheadBytes;
  return {
    handlers: {
      Watch: (call) => {
        try {
          callOptions(context, call);
          const stream = context.member.openWatchStream(allowanceOf(context, call));
          const session = new WatchSession(call, stream, { context, timers, responseBytesMax });
          sessions.add(session);
          void session.run().finally(() => sessions.delete(session));
        } catch (error) {
          call.emit('error', toServiceError(error, context.onDefect));
        }
      },
    },
    end: () => {
      for (const session of sessions) {
        session.fail(new KvError('STOPPED'));
      }
    },
  };
}

/** What the client may have; the member counts with it. */
function allowanceOf({ admission }: ServiceContext, call: WatchCall): WatchAllowance | undefined {
  const entry = admission.callOf(call.metadata);
  return (
    entry && {
      maybeTake: (places) => entry.maybeWatch(places),
      give: (places) => {
        entry.endWatches(places);
      },
    }
  );
}

/** What sessions share. */
interface SessionOptions {
  readonly context: ServiceContext;
  readonly timers: Timers;
  readonly responseBytesMax: number;
}

/** One stream of one client. */
class WatchSession {
  readonly #call: WatchCall;
  readonly #stream: WatchStream;
  readonly #options: SessionOptions;
  /** Whether answers may be cut in parts: of the watches that are being created, in their order. */
  readonly #creating: boolean[] = [];
  readonly #fragmenting = new Set<number>();
  readonly #leaderCheck: TimerHandle | undefined;
  /** Who has begun a watch here last. */
  #caller: Caller | undefined;
  #failure: unknown;

  constructor(call: WatchCall, stream: WatchStream, options: SessionOptions) {
    this.#call = call;
    this.#stream = stream;
    this.#options = options;
    sendTogether(call);
    const { context, timers } = options;
    this.#leaderCheck = watchLeader(context, call, {
      timers,
      fail: (error) => {
        this.fail(error);
      },
    });
    call.on('data', (request: wire.WatchRequest) => {
      this.#handle(request);
    });
    call.on('cancelled', () => {
      stream.close();
    });
    // A client that has no more requests still wants the events.
    call.on('end', () => undefined);
  }

  /** Sends until the stream ends; never rejects. */
  async run(): Promise<void> {
    await this.#send().catch((error: unknown) => {
      this.fail(error);
    });
    this.#leaderCheck?.cancel();
    this.#stream.close();
    if (this.#failure === undefined) {
      this.#call.end();
    } else {
      this.#call.emit('error', toServiceError(this.#failure, this.#options.context.onDefect));
    }
  }

  /** Ends the stream; its client is told why. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.#stream.close();
  }

  async #send(): Promise<void> {
    for (;;) {
      const notice = await this.#stream.next();
      if (notice === undefined || this.#call.cancelled) {
        return;
      }
      const responses = this.#responsesTo(notice);
      for (const [at, response] of responses.entries()) {
        await writePaced(
          this.#call,
          response,
          at < responses.length - 1 ? undefined : this.#onSent,
        );
      }
      if (this.#call.isPaused() && this.#stream.pending <= pendingMax / 2) {
        this.#call.resume();
      }
    }
  }

  /** The responses to a notice have left. */
  readonly #onSent = (): void => {
    this.#stream.sent();
  };

  #handle(request: wire.WatchRequest): void {
    try {
      if (request.create_request) {
        this.#creating.push(request.create_request.fragment);
        const id = toNumber(request.create_request.watch_id, 'watch_id');
        const caller = this.#whoWatches();
        this.#stream.create(id, { ...toWatchRequest(request.create_request), caller });
      } else if (request.cancel_request) {
        this.#stream.cancel(toNumber(request.cancel_request.watch_id, 'watch_id'));
      } else if (request.progress_request) {
        this.#stream.requestProgress();
      }
    } catch (error) {
      this.fail(error);
      return;
    }
    if (this.#stream.pending > pendingMax) {
      this.#call.pause();
    }
  }

  /** Undefined of nobody; then the member refuses the watch, if it asks who watches. */
  #whoWatches(): Caller | undefined {
    const { callers } = this.#options.context;
    try {
      this.#caller = callers.identify(this.#call);
      return this.#caller;
    } catch (error) {
      const isUnknown = error instanceof KvError && error.code === 'INVALID_AUTH_TOKEN';
      return isUnknown ? unknownCaller : undefined;
    }
  }

  /** What a watch is refused, or ended, with for who watches: in words, as etcd has it. */
  #denied(refusal: ErrorCode): string {
    const { callers } = this.#options.context;
    callers.noteFailure('Watch', new KvError(refusal), this.#caller);
    return statusInWords(refusal);
  }

  #responsesTo(notice: WatchNotice): readonly WatchAnswer[] {
    const header = headerOf(this.#options.context, notice.revision);
    switch (notice.type) {
      case 'created':
        if (this.#creating.shift() === true) {
          this.#fragmenting.add(notice.watchId);
        }
        return [{ header, watch_id: notice.watchId, created: true }];
      case 'rejected':
        this.#creating.shift();
        return [
          {
            ...{ header, watch_id: noWatchId, created: true, canceled: true },
            cancel_reason:
              notice.refusal === undefined ? notice.reason : this.#denied(notice.refusal),
          },
        ];
      case 'canceled':
        this.#fragmenting.delete(notice.watchId);
        return [
          notice.refusal === undefined
            ? canceledResponse(header, notice)
            : {
                ...{ header, watch_id: notice.watchId, canceled: true },
                cancel_reason: this.#denied(notice.refusal),
              },
        ];
      case 'progress':
        return notice.watchId === undefined
          ? [{ header, watch_id: noWatchId, complete: true }]
          : [{ header, watch_id: notice.watchId }];
      case 'events':
        return this.#eventAnswers(header, notice);
    }
  }

  #eventAnswers(
    header: wire.ResponseHeader,
    { watchId, parts }: EventsNotice,
  ): readonly WatchAnswer[] {
    let count = 0;
    for (const part of parts) {
      count += part.length;
    }
    this.#options.context.metrics.watchEventsSent.inc(count);
    const head = { header, watch_id: watchId };
    if (!this.#fragmenting.has(watchId)) {
      return [new EncodedAnswer(head, parts)];
    }
    const fragments = partsOf(parts.flat(), this.#options.responseBytesMax);
    return fragments.map(
      (fragment, at) =>
        new EncodedAnswer({ ...head, fragment: at < fragments.length - 1 }, [fragment]),
    );
  }
}

/** @throws {KvError} INVALID_ARGUMENT — it names too much. */
function toWatchRequest(request: wire.WatchCreateRequest): WatchRequest {
  const { key, range_end: rangeEnd, ranges, filters } = request;
  if (ranges.length > watchPartsMax) {
    throw new KvError('INVALID_ARGUMENT', {
      message: `holdfast: a watch has at most ${watchPartsMax} ranges and filters; begin several`,
    });
  }
  // The first is there by default: whoever names others need not name it.
  const isFirstMeant = key.length > 0 || rangeEnd.length > 0 || ranges.length === 0;
  const all = isFirstMeant ? [{ key, range_end: rangeEnd }, ...ranges] : ranges;
  return {
    ranges: all.map((range) => ({
      key: range.key.length === 0 ? smallestKey : range.key,
      rangeEnd: toRangeEnd(range.range_end),
    })),
    startRevision: toBound(request.start_revision),
    wantsPuts: !filters.includes('NOPUT'),
    wantsDeletes: !filters.includes('NODELETE'),
    prevKv: request.prev_kv,
    keysOnly: request.keys_only,
    progressNotify: request.progress_notify,
  };
}

const smallestKey = Uint8Array.of(0);
/** Of somebody with a token that is not known (any more): no user has such credentials. */
const unknownCaller: Caller = { user: '', credentials: 0 };

function canceledResponse(
  header: wire.ResponseHeader,
  { watchId, compactRevision, reason = '' }: Extract<WatchNotice, { readonly type: 'canceled' }>,
): wire.WatchResponse {
  const response = { header, watch_id: watchId, canceled: true, cancel_reason: reason };
  return compactRevision === undefined
    ? response
    : {
        ...response,
        compact_revision: compactRevision,
        cancel_reason: new KvError('COMPACTED').message,
      };
}

/** Events in parts that fit a message; one that is too long alone is a part of its own. */
function partsOf(
  events: readonly WatchEvent[],
  bytesMax: number,
): readonly (readonly WatchEvent[])[] {
  const parts: WatchEvent[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const event of events) {
    const size = bytesOf(event);
    if (bytes + size > bytesMax) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(event);
    bytes += size;
  }
  return parts;
}

function bytesOf({ kv, prevKv }: WatchEvent): number {
  const previous = prevKv === undefined ? 0 : prevKv.key.length + prevKv.value.length;
  return kv.key.length + kv.value.length + previous + eventOverheadBytes;
}

/**
 * What every service is made of: the member it serves, its limits, response headers, and the one
 * way in which calls are answered.
 */
import type {
  Metadata,
  sendUnaryData,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
} from '@grpc/grpc-js';
import { KvError } from '../base/index.ts';
import type { Metrics } from '../observability/index.ts';
import type { OnceOperation } from '../kv/index.ts';
import type { CallOptions, Charge, MemberApi } from '../replica/index.ts';
import type { ResponseHeader } from '../wire/index.ts';
import type { Caller } from '../kv/index.ts';
import type { Admission } from './admission.ts';
import type { Callers } from './callers.ts';
import { toServiceError } from './status.ts';

/** What services share. */
export interface ServiceContext {
  readonly member: MemberApi;
  readonly metrics: Metrics;
  /** Who decides how much clients may have done at once. */
  readonly admission: Admission;
  /** Who knows who calls. */
  readonly callers: Callers;
  /** Bytes of the largest request, as `validate.ts` counts them. */
  readonly requestBytesMax: number;
  /** Compares, or operations of a branch, in a transaction. */
  readonly txnOperationsMax: number;
  /** Transactions may nest this deep; the outermost counts as 1. */
  readonly txnDepthMax: number;
  /** Bytes of an idempotency key. */
  readonly idempotencyKeyBytesMax: number;
  /** Bytes of the name of a user or role. */
  readonly accountNameBytesMax: number;
  /** Tells what is asked for from anything else, in 64 bits. */
  readonly fingerprintOf: (operation: OnceOperation) => bigint;
  /** Bytes of state from which on a member takes no more; 0 when there is no limit. */
  readonly quotaBytes: number;
  /** The server's version, as `Status` tells it. */
  readonly version: string;
  /** Milliseconds since the epoch: deadlines of calls are given in it. */
  readonly epochMs: () => number;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Told of errors that no code of the catalogue describes. */
  readonly onDefect: (error: unknown) => void;
}

/** A service with calls that last until their clients, or the server, end them. */
export interface LongService<Handlers> {
  readonly handlers: Handlers;
  /** Ends all such calls: a server that stops must not wait for them. */
  end(): void;
}

/** The part of a call that services look at. */
export interface CallView {
  readonly metadata: { get(name: string): (string | Buffer)[] };
  getDeadline(): Date | number;
  getPath(): string;
}

/** A response header at `revision`; ids as decimal strings keep all their digits. */
export function headerOf(context: ServiceContext, revision: number): ResponseHeader {
  const { member } = context;
  return {
    cluster_id: member.clusterId,
    member_id: member.memberId,
    revision,
    raft_term: member.term,
  };
}

/** Whether a client has asked for a member with a leader, as etcd's `WithRequireLeader` does. */
export function requiresLeader({ metadata }: Pick<CallView, 'metadata'>): boolean {
  return metadata.get('hasleader')[0] === 'true';
}

/**
 * The bounds a client has set on its call, and who the client is.
 *
 * @throws {KvError} NO_LEADER — the client asked for a member that has a leader, and this one has
 *   none; USER_EMPTY, INVALID_AUTH_TOKEN.
 */
export function callOptions(context: ServiceContext, call: CallView): CallOptions {
  if (requiresLeader(call) && context.member.leader === 0) {
    throw new KvError('NO_LEADER');
  }
  const deadline = call.getDeadline();
  const epochMs = typeof deadline === 'number' ? deadline : deadline.getTime();
  const caller = context.callers.callerOf(call);
  const options = caller === undefined ? {} : { caller };
  return Number.isFinite(epochMs)
    ? { ...options, deadlineMs: epochMs - context.epochMs() }
    : options;
}

/** A unary handler of grpc-js from a function that returns the response, and its metrics. */
export function unary<Request, Response>(
  context: ServiceContext,
  method: string,
  handle: (
    request: Request,
    options: CallOptions,
    call: ServerUnaryCall<Request, Response>,
  ) => Promise<Response>,
): (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) => void {
  return (call, callback) => {
    const finish = stopwatch(context, method);
    const { callers } = context;
    let caller: Caller | undefined;
    const fail = (error: unknown): void => {
      finish(codeOf(error));
      callers.noteFailure(method, error, caller);
      callback(toServiceError(error, context.onDefect));
    };
    try {
      const options = callOptions(context, call);
      ({ caller } = options);
      const answer = async (admitted: CallOptions): Promise<Response> =>
        handle(call.request, admitted, call);
      const answered = callers.takesRoot(call)
        ? callers.confirmRoot(call, options).then(answer)
        : answer(options);
      answered.then((response) => {
        finish('OK');
        callback(null, response);
      }, fail);
    } catch (error) {
      fail(error);
    }
  };
}

/**
 * A server-streaming handler of grpc-js from a function that writes the responses, and its metrics.
 */
export function serverStreaming<Request, Response>(
  context: ServiceContext,
  method: string,
  handle: (call: ServerWritableStream<Request, Response>, options: CallOptions) => Promise<void>,
): (call: ServerWritableStream<Request, Response>) => void {
  return (call) => {
    const finish = stopwatch(context, method);
    const { callers } = context;
    let caller: Caller | undefined;
    const fail = (error: unknown): void => {
      finish(codeOf(error));
      callers.noteFailure(method, error, caller);
      call.emit('error', toServiceError(error, context.onDefect));
    };
    try {
      const options = callOptions(context, call);
      ({ caller } = options);
      const answer = async (admitted: CallOptions): Promise<void> => handle(call, admitted);
      const answered = callers.takesRoot(call)
        ? callers.confirmRoot(call, options).then(answer)
        : answer(options);
      answered.then(() => {
        finish(call.cancelled ? 'CANCELLED' : 'OK');
        call.end();
      }, fail);
    } catch (error) {
      fail(error);
    }
  };
}

/**
 * Writes a message of a stream and waits until the client takes more, or has gone. `onSent` is
 * called once the message has left, which may be long after; never when the call ends before.
 */
export async function writePaced<Request, Response>(
  call: ServerWritableStream<Request, Response> | ServerDuplexStream<Request, Response>,
  response: Response,
  onSent?: () => void,
): Promise<void> {
  if (!call.write(response, onSent) && !call.cancelled) {
    await new Promise<void>((resolve) => {
      const proceed = (): void => {
        call.off('drain', proceed);
        call.off('cancelled', proceed);
        resolve();
      };
      call.on('drain', proceed);
      call.on('cancelled', proceed);
    });
  }
}

/** Has a call's answer make room for itself as it grows long, or end; it ends with its client. */
export function chargeOf(
  { admission }: ServiceContext,
  call: Cancellable & { readonly metadata: Metadata },
): Charge {
  const entry = admission.callOf(call.metadata);
  return (bytes) => {
    checkNotCancelled(call);
    entry?.grow(bytes);
  };
}

/** The part of a call that tells whether anybody waits for it. */
export interface Cancellable {
  readonly cancelled: boolean;
}

/** @throws {KvError} CANCELLED — the client has gone. */
function checkNotCancelled({ cancelled }: Cancellable): void {
  if (cancelled) {
    throw new KvError('CANCELLED');
  }
}

/**
 * Lets messages of a call that wait leave together. A call by itself sends one, and the next once
 * the system has taken that one: a turn of the event loop and a system call for each.
 *
 * `_writev` is where Node's streams provide for it; `_write` of a call keeps the order of messages,
 * and may be called before it has called back, since it writes on to a stream of HTTP/2.
 */
export function sendTogether<Request, Response>(call: ServerDuplexStream<Request, Response>): void {
  call._writev = (messages, callback) => {
    let left = messages.length;
    let failure: Error | null = null;
    for (const { chunk, encoding } of messages) {
      call._write(chunk as Response, encoding, (error?: Error | null) => {
        failure ??= error ?? null;
        left--;
        if (left === 0) {
          callback(failure);
        }
      });
    }
  };
}

/** Starts timing a call; the function returned counts it, with the code it ended in. */
function stopwatch(context: ServiceContext, method: string): (code: string) => void {
  const startMs = context.nowMs();
  return (code) => {
    context.metrics.countRequest(method, code, (context.nowMs() - startMs) / 1000);
  };
}

function codeOf(error: unknown): string {
  return error instanceof KvError ? error.code : 'INTERNAL';
}

/**
 * Operations in batches on a stream (`holdfast.v1.Pipeline`): what is asked for in one turn travels
 * in one message, and a fail-over costs time, not errors.
 *
 * Each operation is sent again until it is answered or its time is up: on the next stream when one
 * breaks or its member falls silent, on the same one after a failure that may pass. That is safe,
 * since writes are numbered within a session (`write-session.ts`), and reads do nothing. Which
 * stream that is, is another matter (`stream-choice.ts`).
 *
 * Members that do not have the service (etcd's) are called one by one instead; nobody notices but
 * by speed, and writes whose outcome is unknown are not repeated then.
 *
 * Invariant: an operation is in one place: waiting, sent on one stream, or pausing before it waits
 * again; and it ends exactly once.
 */
import type { PipelineAnswer, PipelineMessage } from '../wire/index.ts';
import { onAbort } from './abort-listeners.ts';
import type { CallOptions } from './caller.ts';
import { abortedError, closedError, codeOf, HoldfastError, isRepeatableCode } from './errors.ts';
import { sizeOf } from './operation-size.ts';
import type { AnswerTo, Operation, Operations } from './operations.ts';
import { Deadlines, type Pending } from './pending.ts';
import { batchBytesMax, type PipelineStream } from './pipeline-stream.ts';
import { SessionKeeper } from './session-keeper.ts';
import { StreamChoice, type StreamChoiceParts, type StreamChoiceUser } from './stream-choice.ts';
import { needsSession, WaitingOperations } from './waiting.ts';

/** Limit: operations of a client that have no answer yet, and bytes of them. */
const pendingMax = 100_000;
const pendingBytesMax = 64 * 1024 * 1024;
/** Limit: how often an operation is tried with a new token. */
const refusalsMax = 1;

/** What a {@link Pipeline} works with. */
export interface PipelineParts extends StreamChoiceParts {
  readonly timeoutMs: number;
  /** The ways of members without pipelines. */
  readonly unary: Operations;
  readonly renewAlone: (lease: string, bounds: Bounds) => Promise<number>;
}

/** An operation, or the renewal of a lease. */
interface Request extends Pick<Operation, 'purpose' | 'idempotencyKey'> {
  readonly message: PipelineMessage;
}

type Answer = Exclude<PipelineAnswer, { readonly type: 'failure' }>;

/** Bounds of a call. */
interface Bounds {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** See the module comment. */
export class Pipeline implements Operations, StreamChoiceUser {
  readonly #parts: PipelineParts;
  readonly #sessions: SessionKeeper;
  readonly #deadlines: Deadlines;
  /** Every operation without an answer, wherever it is. */
  readonly #pending = new Set<Pending>();
  /** Operations under way as calls of their own. */
  #alone = 0;
  /** Of all of them. */
  #pendingBytes = 0;
  readonly #waiting = new WaitingOperations();
  readonly #streams: StreamChoice;
  #nextId = 1;
  #isFlushDue = false;
  #isClosed = false;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    this.#streams = new StreamChoice(parts, this);
    this.#deadlines = new Deadlines(parts.environment.loop, this.#pending, (pending) =>
      this.#expire(pending),
    );
    this.#sessions = new SessionKeeper({
      caller: parts.caller,
      environment: parts.environment,
      renew: async (lease) => (await this.renew(lease)) > 0,
      onOpen: () => this.#flush(),
      onFailure: (error) => this.#failWrites(error),
    });
  }

  async run<Type extends Operation['message']['type']>(
    operation: Operation<Type>,
    options: CallOptions,
  ): Promise<AnswerTo<Type>> {
    const answer = this.#run(operation, options);
    return answer as unknown as Promise<AnswerTo<Type>>;
  }

  /** Renews a lease; resolves with the seconds it has, 0 when there is no such lease. */
  async renew(lease: string, options: CallOptions = {}): Promise<number> {
    const message = { type: 'leaseKeepAlive', lease } as const;
    const answer = await this.#run({ message, purpose: 'idempotent' }, options);
    return answer.type === 'leaseKeepAlive' ? answer.ttlSeconds : 0;
  }

  /** Every operation fails, the session ends. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const pending of this.#pending) {
      this.#reject(pending, closedError(pending.message.type, circumstancesOf(pending, this)));
    }
    this.#deadlines.close();
    this.#streams.close();
    await this.#sessions.close();
  }

  async #run(
    operation: Request,
    { timeoutMs = this.#parts.timeoutMs, signal }: CallOptions,
  ): Promise<Answer> {
    const { message, purpose, idempotencyKey } = operation;
    if (this.#isClosed) {
      throw closedError(message.type);
    }
    if (signal?.aborted === true) {
      throw abortedError(message.type, signal);
    }
    const bytes = sizeOf(message);
    this.#checkLoad(message.type, bytes);
    if (this.#streams.isSupported === false || bytes > batchBytesMax) {
      return this.#runAlone(operation, { timeoutMs, signal });
    }
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        id: this.#nextId++,
        message,
        purpose,
        idempotencyKey,
        bytes,
        timeoutMs,
        signal,
        deadlineMs: this.#parts.environment.loop.nowMs() + timeoutMs,
        resolve,
        reject,
        leaveSignal: undefined,
        session: undefined,
        sequence: 0,
        attempts: 0,
        isUnderWay: false,
        mayHaveHappened: false,
        refusals: 0,
        problem: undefined,
        problemCause: undefined,
        pause: undefined,
        hasEnded: false,
      };
      this.#add(pending);
    });
  }

  /** @throws {HoldfastError} CLIENT_OVERLOADED — so many bytes more would be too much. */
  #checkLoad(what: string, bytes: number): void {
    const operations = this.#pending.size + this.#alone;
    const isOneTooLong = operations > 0 && this.#pendingBytes + bytes > pendingBytesMax;
    if (operations >= pendingMax || isOneTooLong) {
      throw new HoldfastError(
        'CLIENT_OVERLOADED',
        `${what}: ${operations} operations (${this.#pendingBytes} bytes) of this client have no ` +
          'answer yet',
      );
    }
  }

  /** As a call of its own: to members without pipelines, and what is too long for a batch. */
  async #runAlone(request: Request, options: Bounds): Promise<Answer> {
    const bytes = sizeOf(request.message);
    this.#alone++;
    this.#pendingBytes += bytes;
    try {
      return await this.#call(request, options);
    } finally {
      this.#alone--;
      this.#pendingBytes -= bytes;
    }
  }

  async #call({ message, purpose, idempotencyKey }: Request, options: Bounds): Promise<Answer> {
    if (message.type === 'leaseKeepAlive') {
      const ttlSeconds = await this.#parts.renewAlone(message.lease, options);
      return { type: 'leaseKeepAlive', ttlSeconds };
    }
    if (this.#streams.isSupported === true && purpose === 'write') {
      // Such members know names: then it may be made again, whatever became of it.
      const name = idempotencyKey ?? this.#parts.environment.uniqueName();
      const named = { message, purpose: 'idempotent', idempotencyKey: name } as const;
      return this.#parts.unary.run(named, options);
    }
    return this.#parts.unary.run({ message, purpose, idempotencyKey }, options);
  }

  #add(pending: Pending): void {
    this.#pending.add(pending);
    this.#pendingBytes += pending.bytes;
    this.#deadlines.add(pending.deadlineMs);
    this.#streams.startLooking();
    const { signal } = pending;
    if (signal !== undefined) {
      pending.leaveSignal = onAbort(signal, () => {
        this.#reject(
          pending,
          abortedError(pending.message.type, signal, circumstancesOf(pending, this)),
        );
      });
    }
    this.#enqueue(pending);
  }

  #enqueue(pending: Pending): void {
    this.#waiting.add(pending);
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (!this.#isFlushDue) {
      this.#isFlushDue = true;
      this.#parts.environment.loop.afterCallback(() => {
        this.#isFlushDue = false;
        this.#flush();
      });
    }
  }

  /** Sends as much of what waits as may be sent. */
  #flush(): void {
    if (this.#isClosed || this.#waiting.isEmpty) {
      return;
    }
    const stream = this.#streams.current();
    if (stream === undefined) {
      return;
    }
    this.#waiting.sendReads(stream);
    if (this.#waiting.hasWrites) {
      const session = this.#sessions.current;
      if (session === undefined) {
        this.#sessions.open();
      } else {
        this.#waiting.sendWrites(stream, session, (pending) => this.#failLost(pending));
      }
    }
  }

  /** A write that was sent in a session that has ended since may have happened: it fails. */
  #failLost(pending: Pending): void {
    const { type } = pending.message;
    const text = `${type}: its session has ended before it was answered`;
    this.#reject(
      pending,
      new HoldfastError('SESSION_EXPIRED', text, circumstancesOf(pending, this)),
    );
  }

  onAnswer(stream: PipelineStream, pending: Pending, answer: PipelineAnswer): void {
    pending.isUnderWay = false;
    if (answer.type !== 'failure') {
      this.#parts.pace.succeeded();
      this.#end(pending);
      pending.resolve(answer);
      return;
    }
    const { failure } = answer;
    const code = codeOf({
      ...{ status: statusNames[failure.status] ?? 'UNKNOWN', code: failure.code },
      ...{ outcome: undefined, message: failure.message, wasSent: true, cause: undefined },
    });
    // Another user's: it was begun while nobody was asked, and another user has been quicker.
    const isGone = code === 'SESSION_EXPIRED' || code === 'SESSION_OF_ANOTHER';
    if (isGone && pending.session !== undefined) {
      this.#sessions.ended(pending.session);
      if (!pending.mayHaveHappened) {
        // It was refused before it could happen, as every attempt before was.
        pending.session = undefined;
        pending.sequence = 0;
        pending.attempts = 0;
        this.#enqueue(pending);
        return;
      }
    }
    pending.problem = failure.message;
    pending.mayHaveHappened ||= failure.isOutcomeUnknown;
    const isStranger = code === 'UNAUTHENTICATED' && ++pending.refusals <= refusalsMax;
    if (isStranger && stream.forgetCredentials()) {
      this.#streams.leave(stream);
      this.#enqueue(pending);
      return;
    }
    if (isRepeatableCode(code) && !this.#isClosed) {
      const pauseMs = this.#parts.pace.pauseMs(pending.attempts);
      pending.pause = this.#parts.environment.loop.after(pauseMs, () => this.#enqueue(pending));
      return;
    }
    const { outcome } = circumstancesOf(pending, this);
    const endpoint = stream.address;
    const { type } = pending.message;
    this.#reject(
      pending,
      new HoldfastError(code, `${type} failed at ${endpoint ?? 'a member'}: ${failure.message}`, {
        ...{ outcome, endpoint },
      }),
    );
  }

  onUnsendable(pending: Pending, cause: unknown): void {
    const text = `${pending.message.type}: it cannot be written as a message: ${String(cause)}`;
    const error = { ...circumstancesOf(pending, this), cause };
    this.#reject(pending, new HoldfastError('INVALID_ARGUMENT', text, error));
  }

  get isWaiting(): boolean {
    return this.#pending.size > 0;
  }

  onReady(): void {
    this.#flush();
  }

  onLost(unanswered: readonly Pending[]): void {
    for (const pending of unanswered) {
      pending.isUnderWay = false;
      pending.mayHaveHappened = true;
    }
    this.#waiting.addFirst(unanswered.filter((pending) => !pending.hasEnded));
  }

  /** etcd: everything that waits, and everything that comes, is a call of its own. */
  onUnsupported(): void {
    const nowMs = this.#parts.environment.loop.nowMs();
    for (const pending of this.#waiting.takeAll()) {
      const { resolve, reject, signal } = pending;
      const timeoutMs = Math.max(1, pending.deadlineMs - nowMs);
      this.#end(pending);
      this.#runAlone(pending, { timeoutMs, signal }).then(resolve, reject);
    }
  }

  #expire(pending: Pending): void {
    const { message, timeoutMs } = pending;
    const doing = this.#describe(pending);
    const { text, cause } = this.#streams.problem;
    const problem = pending.problem ?? text;
    const before = problem === undefined ? '' : `; last failure: ${problem}`;
    this.#reject(
      pending,
      new HoldfastError(
        'DEADLINE_EXCEEDED',
        `${message.type} has not succeeded within ${timeoutMs} ms: ` +
          `${this.address ?? 'no member'}, ${doing}${before}`,
        { ...circumstancesOf(pending, this), cause },
      ),
    );
  }

  #describe(pending: Pending): string {
    if (pending.attempts > 0) {
      return `waiting for the answer (attempt ${pending.attempts})`;
    }
    if (!this.#streams.hasStream) {
      const addresses = this.#parts.endpoints.all.map(({ address }) => address);
      return `waiting for a connection to ${addresses.join(', ')}`;
    }
    const isWithoutSession = needsSession(pending) && this.#sessions.current === undefined;
    return isWithoutSession ? 'waiting for a session' : 'waiting to be sent';
  }

  /** Whom operations are sent to, or were sent to last. */
  get address(): string | undefined {
    return this.#streams.address;
  }

  #failWrites(error: HoldfastError): void {
    const isFinal = !error.retryable && error.code !== 'CLIENT_CLOSED';
    if (isFinal) {
      for (const pending of this.#waiting.takeWrites()) {
        this.#rejectFor(pending, error);
      }
    } else {
      this.#flush();
    }
  }

  /** Every operation fails with it. */
  onRefused(error: HoldfastError): void {
    for (const pending of this.#pending) {
      this.#rejectFor(pending, error);
    }
  }

  /** Something else has failed, on which it depends: what became of it is another matter. */
  #rejectFor(pending: Pending, { code, message, endpoint, cause }: HoldfastError): void {
    const { outcome } = circumstancesOf(pending, this);
    this.#reject(pending, new HoldfastError(code, message, { outcome, endpoint, cause }));
  }

  #reject(pending: Pending, error: HoldfastError): void {
    if (!pending.hasEnded) {
      this.#end(pending);
      this.#streams.forget(pending);
      pending.reject(error);
      if (!this.#waiting.isEmpty) {
        // Its number, and its place on the stream, are for others now.
        this.#flushSoon();
      }
    }
  }

  #end(pending: Pending): void {
    pending.hasEnded = true;
    this.#pending.delete(pending);
    this.#pendingBytes -= pending.bytes;
    pending.pause?.cancel();
    pending.session?.answered(pending.sequence);
    pending.leaveSignal?.();
  }
}

/** Names of gRPC's statuses by their numbers. */
const statusNames: readonly string[] = [
  ...['OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND'],
  ...['ALREADY_EXISTS', 'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION'],
  ...['ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS'],
  ...['UNAUTHENTICATED'],
];

function circumstancesOf(
  pending: Pending,
  { address }: Pipeline,
): { readonly outcome: 'rejected' | 'unknown'; readonly endpoint: string | undefined } {
  const mayHaveHappened = pending.isUnderWay || pending.mayHaveHappened;
  const outcome = mayHaveHappened && pending.purpose !== 'read' ? 'unknown' : 'rejected';
  return { outcome, endpoint: address };
}

/**
 * `holdfast.v1.Pipeline`: operations in batches on one stream, each answered by itself as soon as
 * it is done, in any order.
 *
 * What comes in one message is proposed in one turn, and so becomes one batch of the log; answers
 * that become known in one turn leave in one message (`pipeline-answers.ts`, which keeps the pace
 * of the stream, too). A call of its own costs the server thirty times what an operation in a batch
 * costs.
 *
 * Each operation stands in the books of admission (`admission.ts`) while it is worked on, as the
 * call would that it stands for.
 */
import type { ServiceError } from '@grpc/grpc-js';
import { type EventLoop, InvariantViolation, KvError } from '../base/index.ts';
import type { Caller, CommandResult, OnceCommand, OnceOperation, RequestId } from '../kv/index.ts';
import type { CallOptions, Charge, CommandWaiter } from '../replica/index.ts';
import type {
  PipelineRequest,
  PipelineResponse,
  RangeRequest,
  ReceivedBatch,
  ReceivedOperation,
} from '../wire/index.ts';
import type { AdmittedCall } from './admission.ts';
import type { LargeAnswer } from './large-answer.ts';
import {
  carryOutRange,
  deleteRangeOperation,
  deleteRangeResponse,
  putOperation,
  putResponse,
  txnOperation,
  txnResponse,
} from './kv-operations.ts';
import { answerOf, type CommandAnswer, commandOf, keyedRequest, sessionRequest } from './once.ts';
import { type Answerable, type OperateCall, PipelineAnswers } from './pipeline-answers.ts';
import { isScan } from './scans.ts';
import { callOptions, type LongService, type ServiceContext } from './service.ts';
import { toServiceError } from './status.ts';
import type { Work } from './work-classes.ts';
import { checkWrittenAnswer, readsManyKeys } from './written-answers.ts';

/**
 * What a read of many keys counts for in pacing a stream, while nobody knows how long its answer
 * is. The books of admission have what the answer comes to.
 */
const scanBytes = 1024 * 1024;

type WriteRequest = Extract<PipelineRequest, { type: 'put' | 'deleteRange' | 'txn' }>;
type FailureResponse = Extract<PipelineResponse, { type: 'failure' }>;

/** The handlers of the service, as `pipelineService` of `wire` describes it. */
export interface PipelineHandlers {
  readonly Operate: (call: OperateCall) => void;
}

/** Creates the service; its streams last until their clients, or the server, end them. */
export function createPipelineService(
  context: ServiceContext,
  loop: Pick<EventLoop, 'afterCallback'>,
): LongService<PipelineHandlers> {
  const streams = new Set<PipelineStream>();
  return {
    handlers: {
      Operate: (call) => {
        try {
          callOptions(context, call);
        } catch (error) {
          call.emit('error', toServiceError(error, context.onDefect));
          return;
        }
        const stream = new PipelineStream(call, context, loop, () => streams.delete(stream));
        streams.add(stream);
        stream.open();
      },
    },
    end: () => {
      for (const stream of streams) {
        stream.fail(new KvError('STOPPED'));
      }
    },
  };
}

/**
 * An operation under way. There may be thousands, each for many milliseconds, so it holds no more
 * than its answer takes; above all not its request.
 */
class RunningOperation implements CommandWaiter, Answerable {
  readonly id: number;
  readonly type: PipelineRequest['type'] | undefined;
  /** Of its request. */
  readonly requestBytes: number;
  /** What it counts for while the stream is paced. */
  readonly bytes: number;
  readonly startMs: number;
  caller: Caller | undefined;
  /** What its answer is charged, if that may be large, until the client has taken it. */
  account: LargeAnswer | undefined;
  readonly #stream: PipelineStream;

  constructor(stream: PipelineStream, { id, request, bytes }: ReceivedOperation, startMs: number) {
    this.#stream = stream;
    this.id = id;
    this.type = request?.type;
    this.requestBytes = bytes;
    this.bytes = bytes + (isScan(request) ? scanBytes : 0);
    this.startMs = startMs;
  }

  resolve(result: CommandResult): void {
    this.#stream.written(this, result);
  }

  reject(error: unknown): void {
    this.#stream.failed(this, error);
  }
}

/** One client's stream. */
class PipelineStream {
  readonly #call: OperateCall;
  readonly #context: ServiceContext;
  readonly #answers: PipelineAnswers;
  /** The stream's entry in the books. */
  readonly #entry: AdmittedCall | undefined;

  constructor(
    call: OperateCall,
    context: ServiceContext,
    loop: Pick<EventLoop, 'afterCallback'>,
    onClose: () => void,
  ) {
    this.#call = call;
    this.#context = context;
    this.#answers = new PipelineAnswers({ call, context, loop, onClose });
    this.#entry = context.admission.callOf(call.metadata);
  }

  /** Says who answers here, and begins to read. */
  open(): void {
    const call = this.#call;
    call.on('cancelled', () => this.#answers.close());
    call.on('error', () => this.#answers.close());
    this.#answers.open();
    call.on('data', (batch: ReceivedBatch) => this.#receive(batch));
  }

  /** Ends the stream; its client is told why. */
  fail(error: KvError): void {
    if (!this.#answers.isOver) {
      this.#answers.close();
      this.#call.emit('error', toServiceError(error, this.#context.onDefect));
    }
  }

  #receive(batch: ReceivedBatch): void {
    for (const operation of batch.operations) {
      const running = new RunningOperation(this, operation, this.#context.nowMs());
      this.#answers.expect(running);
      this.#begin(running, operation, batch);
    }
    this.#answers.maybePause();
  }

  /** Never throws: what goes wrong is an answer. */
  #begin(running: RunningOperation, received: ReceivedOperation, batch: ReceivedBatch): void {
    try {
      this.#entry?.beginOperation(workOf(running.type), running.requestBytes);
    } catch (error) {
      this.#answer(running, this.#failureOf(running, error), false);
      return;
    }
    try {
      this.#carryOut(running, received, batch);
    } catch (error) {
      this.failed(running, error);
    }
  }

  #carryOut(running: RunningOperation, received: ReceivedOperation, batch: ReceivedBatch): void {
    const { request, deadlineMs } = received;
    // By the stream's token, as it is now: it may have ended since the stream began.
    const caller = this.#context.callers.identify(this.#call);
    running.caller = caller;
    const options: CallOptions = deadlineMs === 0 ? { caller } : { deadlineMs, caller };
    switch (request?.type) {
      case 'put':
      case 'deleteRange':
      case 'txn': {
        const context = this.#context;
        const operation = operationOf(context, request);
        const command = commandOf(context, this.#requestId(received, batch), operation);
        if (readsManyKeys(command)) {
          void this.#submitChecked(running, command, options);
        } else {
          // A promise at each step would cost more than the write itself.
          context.member.submit(command, options, running);
        }
        break;
      }
      case 'range':
      case 'leaseKeepAlive':
        void this.#respond(running, request, options);
        break;
      case undefined:
        throw new KvError('NOT_IMPLEMENTED');
    }
  }

  /** Has a write done whose answer may tell of many keys; never rejects. */
  async #submitChecked(
    running: RunningOperation,
    command: OnceOperation | OnceCommand,
    options: CallOptions,
  ): Promise<void> {
    try {
      const charge = this.#chargeOf(running);
      await checkWrittenAnswer(this.#context, command, { ...options, charge });
      this.#checkNotOver();
    } catch (error) {
      this.failed(running, error);
      return;
    }
    this.#context.member.submit(command, options, running);
  }

  /** @throws {KvError} CANCELLED — the client has gone. */
  #checkNotOver(): void {
    if (this.#answers.isOver) {
      throw new KvError('CANCELLED');
    }
  }

  /** Has an answer that grows long make room for itself, or end; it ends with the stream. */
  #chargeOf(running: RunningOperation): Charge {
    running.account = this.#entry?.largeAnswer();
    return (bytes) => {
      this.#checkNotOver();
      running.account?.grow(bytes);
      this.#answers.maybeShowLife(running.startMs);
    };
  }

  /** Never rejects. */
  async #respond(
    running: RunningOperation,
    request: Exclude<PipelineRequest, WriteRequest>,
    options: CallOptions,
  ): Promise<void> {
    const { member } = this.#context;
    try {
      if (request.type === 'range') {
        await this.#respondRange(running, request.request, options);
      } else {
        member.auth.checkRead(running.caller, []);
        const ttlMs = await member.leases.keepAlive(BigInt(request.lease), options);
        const ttlSeconds = Math.floor((ttlMs ?? 0) / 1000);
        this.#finish(running, { type: 'leaseKeepAlive', ttlSeconds });
      }
    } catch (error) {
      this.failed(running, error);
    }
  }

  async #respondRange(
    running: RunningOperation,
    request: RangeRequest,
    options: CallOptions,
  ): Promise<void> {
    const charge = this.#chargeOf(running);
    const response = await carryOutRange(this.#context, request, { charge, ...options });
    this.#finish(running, { type: 'range', response });
  }

  /** A write has been applied. */
  written(running: RunningOperation, result: CommandResult): void {
    let response: PipelineResponse;
    let isRepeated = false;
    try {
      const answer = answerOf(result);
      isRepeated = answer.isRepeated === true;
      response = responseOf(this.#context, running.type, answer);
    } catch (error) {
      response = this.#failureOf(running, error);
    }
    this.#finish(running, response, isRepeated);
  }

  failed(running: RunningOperation, error: unknown): void {
    this.#finish(running, this.#failureOf(running, error));
  }

  #finish(running: RunningOperation, response: PipelineResponse, isRepeated = false): void {
    this.#entry?.endOperation(workOf(running.type), running.requestBytes);
    this.#answer(running, response, isRepeated);
  }

  #requestId(
    { sequence, idempotencyKey }: ReceivedOperation,
    { session, lowestUnanswered }: ReceivedBatch,
  ): RequestId | undefined {
    if (sequence > 0) {
      return sessionRequest(BigInt(session), { sequence, lowestUnanswered });
    }
    return idempotencyKey.length === 0
      ? undefined
      : keyedRequest(idempotencyKey, this.#context.idempotencyKeyBytesMax);
  }

  #failureOf({ type, caller }: RunningOperation, error: unknown): FailureResponse {
    this.#context.callers.noteFailure(methodOf(type), error, caller);
    return this.#failure(error);
  }

  #failure(error: unknown): FailureResponse {
    const {
      code: status,
      details,
      metadata,
    }: ServiceError = toServiceError(error, this.#context.onDefect);
    const [code] = metadata.get('holdfast-code');
    const [outcome] = metadata.get('holdfast-outcome');
    return {
      type: 'failure',
      failure: {
        ...{ status, code: String(code), message: details },
        isOutcomeUnknown: outcome !== 'rejected',
      },
    };
  }

  #answer(running: RunningOperation, response: PipelineResponse, isRepeated: boolean): void {
    const { metrics, nowMs } = this.#context;
    const code = response.type === 'failure' ? response.failure.code : 'OK';
    metrics.countRequest(methodOf(running.type), code, (nowMs() - running.startMs) / 1000);
    try {
      this.#answers.add(running, response, isRepeated);
    } catch (error) {
      this.#answers.add(running, this.#failure(error), false);
    }
  }
}

/** What a write asks of the member. @throws {KvError} what its check throws. */
function operationOf(context: ServiceContext, request: WriteRequest): OnceOperation {
  switch (request.type) {
    case 'put':
      return putOperation(context, request.request);
    case 'deleteRange':
      return deleteRangeOperation(context, request.request);
    case 'txn':
      return txnOperation(context, request.request);
  }
}

/** What a write is answered with. */
function responseOf(
  context: ServiceContext,
  type: PipelineRequest['type'] | undefined,
  answer: CommandAnswer,
): PipelineResponse {
  switch (type) {
    case 'put':
      return { type, response: putResponse(context, answer) };
    case 'deleteRange':
      return { type, response: deleteRangeResponse(context, answer) };
    case 'txn':
      return { type, response: txnResponse(context, answer) };
    default:
      throw new InvariantViolation(`${String(type)} is no write`);
  }
}

/** The name of the call that an operation stands for, as metrics have it. */
function methodOf(type: PipelineRequest['type'] | undefined): string {
  return type === undefined ? 'Operate' : methods[type];
}

const ordinary: Work = { class: 'ordinary', keeps: 'nothing' };
const renewal: Work = { class: 'renewal', keeps: 'nothing' };

/** What an operation is to a member: what the call is that it stands for. */
function workOf(type: PipelineRequest['type'] | undefined): Work {
  return type === 'leaseKeepAlive' ? renewal : ordinary;
}

const methods = {
  put: 'Put',
  range: 'Range',
  deleteRange: 'DeleteRange',
  txn: 'Txn',
  leaseKeepAlive: 'LeaseKeepAlive',
} as const;

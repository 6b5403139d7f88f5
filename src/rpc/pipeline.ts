/**
 * `holdfast.v1.Pipeline`: operations in batches on one stream, each answered by itself as soon as
 * it is done, in any order.
 *
 * What comes in one message is proposed in one turn, and so becomes one batch of the log; answers
 * that become known in one turn leave in one message. A call of its own costs the server thirty
 * times what an operation in a batch costs.
 *
 * Bounds: a stream that has `operationsMax` operations unanswered, or `operationBytesMax` bytes of
 * operations and unsent answers, is not read on until half of that is done. What its client does
 * not take stays unsent and counts, so a client that does not read costs no more than that. Each
 * operation stands in the books of admission (`admission.ts`) while it is worked on, as the call
 * would that it stands for.
 */
import type { ServerDuplexStream, ServiceError } from '@grpc/grpc-js';
import { type EventLoop, InvariantViolation, KvError } from '../base/index.ts';
import type { Caller, CommandResult, OnceCommand, OnceOperation, RequestId } from '../kv/index.ts';
import type { CallOptions, Charge, CommandWaiter } from '../replica/index.ts';
import {
  AnswerBatchWriter,
  type PipelineRequest,
  type PipelineResponse,
  type RangeRequest,
  type ReceivedBatch,
  type ReceivedOperation,
} from '../wire/index.ts';
import type { AdmittedCall, LargeAnswer } from './admission.ts';
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
import { isScan } from './scans.ts';
import { callOptions, type LongService, type ServiceContext } from './service.ts';
import { toServiceError } from './status.ts';
import type { Work } from './work-classes.ts';
import { checkWrittenAnswer, readsManyKeys } from './written-answers.ts';

/** Milliseconds without a word after which a long read says that it goes on. */
const signOfLifeMs = 1000;

/** Limit: operations of a stream that are unanswered. A busy client has some thousand callers. */
const operationsMax = 4096;
/** Limit: bytes of a stream's operations and unsent answers. */
const operationBytesMax = 16 * 1024 * 1024;
/**
 * What a read of many keys counts for in pacing a stream, while nobody knows how long its answer
 * is. The books of admission have what the answer comes to.
 */
const scanBytes = 1024 * 1024;

type OperateCall = ServerDuplexStream<ReceivedBatch, Buffer>;
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
class RunningOperation implements CommandWaiter {
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
  readonly #loop: Pick<EventLoop, 'afterCallback'>;
  readonly #onClose: () => void;
  /** The stream's entry in the books. */
  readonly #entry: AdmittedCall | undefined;
  /** Accounts of the ranges in `#writer`, and of those that have left and are not taken yet. */
  #writtenAccounts: LargeAnswer[] = [];
  readonly #leavingAccounts = new Set<LargeAnswer>();
  /** Answers that have not left yet; undefined when there are none. */
  #writer: AnswerBatchWriter | undefined;
  /** Operations whose answers are in `#writer`, and what they counted for. */
  #written = { operations: 0, bytes: 0 };
  /** Operations that have come and whose answers have not left. Invariant: with their bytes. */
  #operations = 0;
  #bytes = 0;
  #isFlushDue = false;
  /** The client takes nothing for now. */
  #isBlocked = false;
  #isOver = false;
  /** The client sends nothing more. */
  #hasEnded = false;
  #toldLeader: number | undefined;
  /** When anything was written last. */
  #writtenMs = 0;

  constructor(
    call: OperateCall,
    context: ServiceContext,
    loop: Pick<EventLoop, 'afterCallback'>,
    onClose: () => void,
  ) {
    this.#call = call;
    this.#context = context;
    this.#loop = loop;
    this.#onClose = onClose;
    this.#entry = context.admission.callOf(call.metadata);
  }

  /** Says who answers here, and begins to read. */
  open(): void {
    const call = this.#call;
    call.on('cancelled', () => this.#close());
    call.on('error', () => this.#close());
    call.on('drain', () => {
      this.#isBlocked = false;
      this.#flush();
    });
    call.on('end', () => {
      this.#hasEnded = true;
      this.#maybeEnd();
    });
    const { clusterId, memberId } = this.#context.member;
    this.#answers().welcome({
      ...{ clusterId: String(clusterId), memberId: String(memberId) },
      ...{ operationsMax, operationBytesMax },
    });
    this.#flush();
    call.on('data', (batch: ReceivedBatch) => this.#receive(batch));
  }

  /** Ends the stream; its client is told why. */
  fail(error: KvError): void {
    if (!this.#isOver) {
      this.#close();
      this.#call.emit('error', toServiceError(error, this.#context.onDefect));
    }
  }

  #receive(batch: ReceivedBatch): void {
    for (const operation of batch.operations) {
      const running = new RunningOperation(this, operation, this.#context.nowMs());
      this.#operations++;
      this.#bytes += running.bytes;
      this.#begin(running, operation, batch);
    }
    if (this.#operations >= operationsMax || this.#bytes >= operationBytesMax) {
      this.#call.pause();
    }
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
        if (readsManyKeys(operation)) {
          void this.#submitChecked(running, command, operation, options);
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
    operation: OnceOperation,
    options: CallOptions,
  ): Promise<void> {
    try {
      const charge = this.#chargeOf(running);
      await checkWrittenAnswer(this.#context, operation, { ...options, charge });
    } catch (error) {
      this.failed(running, error);
      return;
    }
    if (this.#isOver) {
      this.failed(running, new KvError('CANCELLED'));
    } else {
      this.#context.member.submit(command, options, running);
    }
  }

  /** Has an answer that grows long make room for itself, or end. */
  #chargeOf(running: RunningOperation): Charge {
    running.account = this.#entry?.largeAnswer();
    return (bytes) => {
      running.account?.grow(bytes);
      this.#maybeShowLife(running.startMs);
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

  #taken(accounts: Iterable<LargeAnswer>): void {
    for (const account of accounts) {
      account.end();
      this.#leavingAccounts.delete(account);
    }
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
    const { id, type, bytes, startMs } = running;
    const { metrics, nowMs } = this.#context;
    const code = response.type === 'failure' ? response.failure.code : 'OK';
    metrics.countRequest(methodOf(type), code, (nowMs() - startMs) / 1000);
    if (this.#isOver || response.type === 'failure') {
      running.account?.end();
    } else if (running.account !== undefined) {
      this.#writtenAccounts.push(running.account);
    }
    if (this.#isOver) {
      return;
    }
    const answers = this.#answers();
    const before = answers.bytes;
    try {
      answers.add(id, isRepeated, response);
    } catch (error) {
      answers.add(id, false, this.#failure(error));
    }
    const added = answers.bytes - before;
    this.#bytes += added;
    this.#written.operations++;
    this.#written.bytes += bytes + added;
    if (!this.#isFlushDue && !this.#isBlocked) {
      this.#isFlushDue = true;
      this.#loop.afterCallback(() => {
        this.#isFlushDue = false;
        this.#flush();
      });
    }
  }

  /** A range that takes long is under way: its client must not think that nobody is here. */
  #maybeShowLife(startMs: number): void {
    const sinceMs = Math.max(startMs, this.#writtenMs);
    const isDue = this.#context.nowMs() - sinceMs >= signOfLifeMs;
    if (isDue && this.#writer === undefined) {
      this.#answers();
      this.#flush();
    }
  }

  #answers(): AnswerBatchWriter {
    this.#writer ??= new AnswerBatchWriter();
    return this.#writer;
  }

  #flush(): void {
    if (this.#isOver || this.#isBlocked || this.#writer === undefined) {
      return;
    }
    const { leader } = this.#context.member;
    if (leader !== this.#toldLeader) {
      this.#toldLeader = leader;
      this.#writer.leader(String(leader));
    }
    const batch = this.#writer.finish();
    this.#operations -= this.#written.operations;
    this.#bytes -= this.#written.bytes;
    this.#writer = undefined;
    this.#written = { operations: 0, bytes: 0 };
    const accounts = this.#writtenAccounts;
    this.#writtenAccounts = [];
    for (const account of accounts) {
      this.#leavingAccounts.add(account);
    }
    this.#isBlocked = !this.#call.write(batch, () => {
      this.#taken(accounts);
    });
    this.#writtenMs = this.#context.nowMs();
    const isRelieved =
      this.#operations <= operationsMax / 2 && this.#bytes <= operationBytesMax / 2;
    if (isRelieved && this.#call.isPaused()) {
      this.#call.resume();
    }
    this.#maybeEnd();
  }

  /** A client that has ended its side gets the answers it waits for, and the end. */
  #maybeEnd(): void {
    if (this.#hasEnded && !this.#isOver && this.#operations === 0) {
      this.#close();
      this.#call.end();
    }
  }

  #close(): void {
    this.#isOver = true;
    this.#writer = undefined;
    this.#taken([...this.#writtenAccounts, ...this.#leavingAccounts]);
    this.#onClose();
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

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
import { type EventLoop, KvError } from '../base/index.ts';
import type { Caller, RequestId } from '../kv/index.ts';
import type { CallOptions } from '../replica/index.ts';
import {
  AnswerBatchWriter,
  type PipelineRequest,
  type PipelineResponse,
  type ReceivedBatch,
  type ReceivedOperation,
} from '../wire/index.ts';
import type { AdmittedCall } from './admission.ts';
import {
  carryOutDeleteRange,
  carryOutPut,
  carryOutRange,
  carryOutTxn,
  type Proposer,
} from './kv-operations.ts';
import { keyedRequest, proposeAs, sessionRequest } from './once.ts';
import { callOptions, type LongService, type ServiceContext } from './service.ts';
import { toServiceError } from './status.ts';
import type { Work } from './work-classes.ts';

/** Milliseconds without a word after which a long read says that it goes on. */
const signOfLifeMs = 1000;

/** Limit: operations of a stream that are unanswered. A busy client has some thousand callers. */
const operationsMax = 4096;
/** Limit: bytes of a stream's operations and unsent answers. */
const operationBytesMax = 16 * 1024 * 1024;
/** What a read of many keys counts for while nobody knows how long its answer is. */
const scanBytes = 1024 * 1024;

type OperateCall = ServerDuplexStream<ReceivedBatch, Buffer>;

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

/** What is known of an operation as it goes on. */
interface OperationState {
  isRepeated: boolean;
  caller: Caller | undefined;
}

/** One client's stream. */
class PipelineStream {
  readonly #call: OperateCall;
  readonly #context: ServiceContext;
  readonly #loop: Pick<EventLoop, 'afterCallback'>;
  readonly #onClose: () => void;
  /** The stream's entry in the books. */
  readonly #entry: AdmittedCall | undefined;
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
      const bytes = operation.bytes + (isScan(operation.request) ? scanBytes : 0);
      this.#operations++;
      this.#bytes += bytes;
      void this.#carryOut(operation, batch, bytes);
    }
    if (this.#operations >= operationsMax || this.#bytes >= operationBytesMax) {
      this.#call.pause();
    }
  }

  /** Never rejects: what goes wrong is an answer. */
  async #carryOut(
    operation: ReceivedOperation,
    batch: ReceivedBatch,
    bytes: number,
  ): Promise<void> {
    const { metrics, nowMs } = this.#context;
    const startMs = nowMs();
    const state: OperationState = { isRepeated: false, caller: undefined };
    const work = workOf(operation.request);
    let response: PipelineResponse;
    try {
      this.#entry?.beginOperation(work, bytes);
      try {
        response = await this.#do(operation, batch, state);
      } finally {
        this.#entry?.endOperation(work, bytes);
      }
    } catch (error) {
      this.#context.callers.noteFailure(methodOf(operation.request), error, state.caller);
      response = this.#failureOf(error);
    }
    const code = response.type === 'failure' ? response.failure.code : 'OK';
    metrics.countRequest(methodOf(operation.request), code, (nowMs() - startMs) / 1000);
    this.#answer(operation.id, state.isRepeated, response, bytes);
  }

  async #do(
    operation: ReceivedOperation,
    batch: ReceivedBatch,
    state: OperationState,
  ): Promise<PipelineResponse> {
    const context = this.#context;
    const { request, deadlineMs } = operation;
    // By the stream's token, as it is now: it may have ended since the stream began.
    const caller = context.callers.identify(this.#call);
    state.caller = caller;
    const options: CallOptions = deadlineMs === 0 ? { caller } : { deadlineMs, caller };
    const propose: Proposer = async (asked) => {
      const id = this.#requestId(operation, batch);
      const answer = await proposeAs(context, id, { operation: asked, options });
      state.isRepeated = answer.isRepeated === true;
      return answer;
    };
    switch (request?.type) {
      case 'put':
        return { type: 'put', response: await carryOutPut(context, request.request, propose) };
      case 'range': {
        const startMs = context.nowMs();
        const charge = (): void => {
          this.#maybeShowLife(startMs);
        };
        const response = await carryOutRange(context, request.request, { charge, ...options });
        return { type: 'range', response };
      }
      case 'deleteRange': {
        const response = await carryOutDeleteRange(context, request.request, propose);
        return { type: 'deleteRange', response };
      }
      case 'txn':
        return { type: 'txn', response: await carryOutTxn(context, request.request, propose) };
      case 'leaseKeepAlive': {
        context.member.auth.checkRead(caller, []);
        const ttlMs = await context.member.leases.keepAlive(BigInt(request.lease), options);
        return { type: 'leaseKeepAlive', ttlSeconds: Math.floor((ttlMs ?? 0) / 1000) };
      }
      case undefined:
        throw new KvError('NOT_IMPLEMENTED');
    }
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

  #failureOf(error: unknown): PipelineResponse {
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

  #answer(id: number, isRepeated: boolean, response: PipelineResponse, bytes: number): void {
    if (this.#isOver) {
      return;
    }
    const answers = this.#answers();
    const before = answers.bytes;
    try {
      answers.add(id, isRepeated, response);
    } catch (error) {
      answers.add(id, false, this.#failureOf(error));
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
    this.#isBlocked = !this.#call.write(batch);
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
    this.#onClose();
  }
}

/** The name of the call that an operation stands for, as metrics have it. */
function methodOf(request: PipelineRequest | undefined): string {
  return request === undefined ? 'Operate' : methods[request.type];
}

const ordinary: Work = { class: 'ordinary', keeps: 'nothing' };
const renewal: Work = { class: 'renewal', keeps: 'nothing' };

/** What an operation is to a member: what the call is that it stands for. */
function workOf(request: PipelineRequest | undefined): Work {
  return request?.type === 'leaseKeepAlive' ? renewal : ordinary;
}

const methods = {
  put: 'Put',
  range: 'Range',
  deleteRange: 'DeleteRange',
  txn: 'Txn',
  leaseKeepAlive: 'LeaseKeepAlive',
} as const;

/** Whether an answer may be much longer than its request. */
function isScan(request: PipelineRequest | undefined): boolean {
  return (
    request?.type === 'txn' || (request?.type === 'range' && request.request.range_end.length > 0)
  );
}

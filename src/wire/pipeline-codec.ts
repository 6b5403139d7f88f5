/**
 * The batches of `holdfast.v1.Pipeline`, by hand: the client's side and the server's, next to each
 * other so that they cannot differ. `proto/holdfast/pipeline.proto` is the contract.
 */
import type { ServiceDefinition } from '@grpc/grpc-js';
import type { DeleteRangeRequest } from './generated/etcdserverpb/DeleteRangeRequest.ts';
import type { DeleteRangeResponse__Input } from './generated/etcdserverpb/DeleteRangeResponse.ts';
import type { PutRequest } from './generated/etcdserverpb/PutRequest.ts';
import type { PutResponse__Input } from './generated/etcdserverpb/PutResponse.ts';
import type { RangeRequest } from './generated/etcdserverpb/RangeRequest.ts';
import type { RangeResponse__Input } from './generated/etcdserverpb/RangeResponse.ts';
import type { TxnRequest } from './generated/etcdserverpb/TxnRequest.ts';
import type { TxnResponse__Input } from './generated/etcdserverpb/TxnResponse.ts';
import {
  type KvAnswer,
  type KvMessage,
  readDeleteRangeAnswer,
  readPutAnswer,
  readRangeAnswer,
  readTxnAnswer,
  writeKvMessage,
} from './kv-client-codec.ts';
import {
  readDeleteRangeRequest,
  readPutRequest,
  readRangeRequest,
  writeDeleteRangeResponse,
  writePutResponse,
  writeRangeResponse,
} from './kv-server-codec.ts';
import { ProtoReader, ProtoWriter } from './protobuf.ts';
import { services } from './services.ts';

/** Fields of `Operation.request` and `Answer.result`, by what they carry. */
const requestFields = { put: 5, range: 6, deleteRange: 7, txn: 8, leaseKeepAlive: 9 } as const;
const resultFields = {
  failure: 3,
  put: 4,
  range: 5,
  deleteRange: 6,
  txn: 7,
  leaseKeepAlive: 8,
} as const;

/** A renewal of a lease. */
export interface LeaseKeepAliveMessage {
  readonly type: 'leaseKeepAlive';
  readonly lease: string;
}

/** Anything that may travel in a batch. */
export type PipelineMessage = KvMessage | LeaseKeepAliveMessage;

/** An operation as a client sends it. */
export interface OperationMessage {
  readonly id: number;
  /** Number in the session; 0: in none. */
  readonly sequence: number;
  readonly idempotencyKey: string | undefined;
  readonly deadlineMs: number;
  readonly message: PipelineMessage;
}

/** Writes a batch of operations piece by piece, so that its size is known while it grows. */
export class OperationBatchWriter {
  readonly #writer = new ProtoWriter(4096);

  get bytes(): number {
    return this.#writer.length;
  }

  /** @param session - id of a lease, in decimal */
  session(session: string, lowestUnanswered: number): void {
    this.#writer.int64(1, session);
    this.#writer.uint(2, lowestUnanswered);
  }

  /** What throws has left nothing behind: the batch goes on without it. */
  add(operation: OperationMessage): void {
    const length = this.#writer.length;
    try {
      this.#add(operation);
    } catch (error) {
      this.#writer.truncate(length);
      throw error;
    }
  }

  #add({ id, sequence, idempotencyKey, deadlineMs, message }: OperationMessage): void {
    const writer = this.#writer;
    const operation = writer.begin(3);
    writer.uint(1, id);
    writer.uint(2, sequence);
    if (idempotencyKey !== undefined) {
      writer.bytes(3, Buffer.from(idempotencyKey, 'latin1'));
    }
    writer.uint(4, deadlineMs);
    const request = writer.begin(requestFields[message.type]);
    if (message.type === 'leaseKeepAlive') {
      writer.int64(1, message.lease);
    } else {
      writeKvMessage(writer, message);
    }
    writer.end(request);
    writer.end(operation);
  }

  finish(): Buffer {
    return this.#writer.finish();
  }
}

/** What a server does about an operation. */
export type PipelineRequest =
  | { readonly type: 'put'; readonly request: PutRequest }
  | { readonly type: 'range'; readonly request: RangeRequest }
  | { readonly type: 'deleteRange'; readonly request: DeleteRangeRequest }
  | { readonly type: 'txn'; readonly request: TxnRequest }
  | { readonly type: 'leaseKeepAlive'; readonly lease: string };

/** An operation as a server gets it. */
export interface ReceivedOperation {
  readonly id: number;
  readonly sequence: number;
  readonly idempotencyKey: Buffer;
  readonly deadlineMs: number;
  /** Undefined when it says nothing that is known here. */
  readonly request: PipelineRequest | undefined;
  /** Bytes that it had in its batch. */
  readonly bytes: number;
}

/** A batch of operations as a server gets it. */
export interface ReceivedBatch {
  readonly session: string;
  readonly lowestUnanswered: number;
  readonly operations: readonly ReceivedOperation[];
}

/** Limit: operations of one batch; twice what a member's welcome says it takes at a time. */
const batchOperationsMax = 8192;

/** Reads a transaction of a batch. */
type TxnReader = (bytes: Buffer) => TxnRequest;

/**
 * Reads an `OperationBatch`; byte strings share its memory.
 *
 * @internal for tests.
 */
export function readOperationBatch(
  bytes: Buffer,
  readTxn: TxnReader = services['etcdserverpb.KV'].Txn.requestDeserialize,
): ReceivedBatch {
  const reader = new ProtoReader(bytes);
  let session = '0';
  let lowestUnanswered = 0;
  const operations: ReceivedOperation[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
        session = reader.int64();
        break;
      case 2:
        lowestUnanswered = reader.uint();
        break;
      case 3:
        if (operations.length === batchOperationsMax) {
          throw new Error(`malformed message: it has more than ${batchOperationsMax} operations`);
        }
        operations.push(readOperation(reader.message(), readTxn));
        break;
      default:
        reader.skip();
    }
  }
  return { session, lowestUnanswered, operations };
}

const noBytes: Buffer = Buffer.alloc(0);

function readOperation(reader: ProtoReader, readTxn: TxnReader): ReceivedOperation {
  const bytes = reader.remaining;
  let [id, sequence, deadlineMs] = [0, 0, 0];
  let idempotencyKey = noBytes;
  let request: PipelineRequest | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
        id = reader.uint();
        break;
      case 2:
        sequence = reader.uint();
        break;
      case 3:
        idempotencyKey = reader.bytes();
        break;
      case 4:
        deadlineMs = reader.uint();
        break;
      default:
        request = readRequest(reader, field, readTxn) ?? request;
    }
  }
  return { id, sequence, idempotencyKey, deadlineMs, request, bytes };
}

function readRequest(
  reader: ProtoReader,
  field: number,
  readTxn: TxnReader,
): PipelineRequest | undefined {
  switch (field) {
    case requestFields.put:
      return { type: 'put', request: readPutRequest(reader.message()) };
    case requestFields.range:
      return { type: 'range', request: readRangeRequest(reader.message()) };
    case requestFields.deleteRange:
      return { type: 'deleteRange', request: readDeleteRangeRequest(reader.message()) };
    case requestFields.txn:
      return { type: 'txn', request: readTxn(reader.bytes()) };
    case requestFields.leaseKeepAlive:
      return { type: 'leaseKeepAlive', lease: readLease(reader.message()).lease };
    default:
      reader.skip();
      return undefined;
  }
}

/** A message whose field 1 is an id: `LeaseKeepAliveRequest`, `Leadership`. */
function readLease(reader: ProtoReader): { readonly lease: string } {
  let lease = '0';
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) {
      lease = reader.int64();
    } else {
      reader.skip();
    }
  }
  return { lease };
}

/** Why an operation failed, as a call of its own would have. */
export interface FailureMessage {
  /** Number of gRPC's status. */
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly isOutcomeUnknown: boolean;
}

/** What an operation comes to, as a server writes it. */
export type PipelineResponse =
  | { readonly type: 'failure'; readonly failure: FailureMessage }
  | { readonly type: 'put'; readonly response: PutResponse__Input }
  | { readonly type: 'range'; readonly response: RangeResponse__Input }
  | { readonly type: 'deleteRange'; readonly response: DeleteRangeResponse__Input }
  | { readonly type: 'txn'; readonly response: TxnResponse__Input }
  | { readonly type: 'leaseKeepAlive'; readonly ttlSeconds: number };

/** Who a server is, and how much it takes. */
export interface WelcomeMessage {
  readonly clusterId: string;
  readonly memberId: string;
  readonly operationsMax: number;
  readonly operationBytesMax: number;
}

/** Writes a batch of answers piece by piece. */
export class AnswerBatchWriter {
  readonly #writer = new ProtoWriter(4096);

  get bytes(): number {
    return this.#writer.length;
  }

  welcome(welcome: WelcomeMessage): void {
    const writer = this.#writer;
    const mark = writer.begin(1);
    writer.int64(1, welcome.clusterId);
    writer.int64(2, welcome.memberId);
    writer.uint(3, welcome.operationsMax);
    writer.uint(4, welcome.operationBytesMax);
    writer.end(mark);
  }

  leader(leader: string): void {
    const mark = this.#writer.begin(2);
    this.#writer.int64(1, leader);
    this.#writer.end(mark);
  }

  /** When it throws, since the response is too long, nothing has been written. */
  add(id: number, isRepeated: boolean, response: PipelineResponse): void {
    const start = this.#writer.length;
    try {
      this.#add(id, isRepeated, response);
    } catch (error) {
      this.#writer.truncate(start);
      throw error;
    }
  }

  finish(): Buffer {
    return this.#writer.finish();
  }

  #add(id: number, isRepeated: boolean, response: PipelineResponse): void {
    const writer = this.#writer;
    const answer = writer.begin(3);
    writer.uint(1, id);
    writer.flag(2, isRepeated);
    if (response.type === 'txn') {
      const { Txn } = services['etcdserverpb.KV'];
      writer.bytes(resultFields.txn, Txn.responseSerialize(response.response));
    } else {
      const result = writer.begin(resultFields[response.type]);
      writeResult(writer, response);
      writer.end(result);
    }
    writer.end(answer);
  }
}

function writeResult(
  writer: ProtoWriter,
  response: Exclude<PipelineResponse, { readonly type: 'txn' }>,
): void {
  switch (response.type) {
    case 'put':
      writePutResponse(writer, response.response);
      break;
    case 'range':
      writeRangeResponse(writer, response.response);
      break;
    case 'deleteRange':
      writeDeleteRangeResponse(writer, response.response);
      break;
    case 'leaseKeepAlive':
      writer.int(3, response.ttlSeconds);
      break;
    case 'failure':
      writer.uint(1, response.failure.status);
      writer.text(2, response.failure.code);
      writer.text(3, response.failure.message);
      writer.flag(4, response.failure.isOutcomeUnknown);
      break;
  }
}

/** Answer to the renewal of a lease. */
export interface LeaseKeepAliveAnswer {
  readonly type: 'leaseKeepAlive';
  /** 0: there is no such lease. */
  readonly ttlSeconds: number;
}

/** What an operation came to, as a client reads it. */
export type PipelineAnswer =
  | KvAnswer
  | LeaseKeepAliveAnswer
  | { readonly type: 'failure'; readonly failure: FailureMessage };

/** An answer as a client gets it. */
export interface ReceivedAnswer {
  readonly id: number;
  readonly answer: PipelineAnswer;
}

/** A batch of answers as a client gets it. */
export interface ReceivedAnswers {
  readonly welcome: WelcomeMessage | undefined;
  /** Undefined when nothing is said of it. */
  readonly leader: string | undefined;
  readonly answers: readonly ReceivedAnswer[];
}

/**
 * Reads an `AnswerBatch`; byte strings share its memory.
 *
 * @internal for tests.
 */
export function readAnswerBatch(bytes: Buffer): ReceivedAnswers {
  const reader = new ProtoReader(bytes);
  let welcome: WelcomeMessage | undefined;
  let leader: string | undefined;
  const answers: ReceivedAnswer[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
        welcome = readWelcome(reader.message());
        break;
      case 2:
        leader = readLease(reader.message()).lease;
        break;
      case 3:
        answers.push(readAnswer(reader.message()));
        break;
      default:
        reader.skip();
    }
  }
  return { welcome, leader, answers };
}

function readWelcome(reader: ProtoReader): WelcomeMessage {
  let [clusterId, memberId] = ['0', '0'];
  let [operationsMax, operationBytesMax] = [0, 0];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
        clusterId = reader.int64();
        break;
      case 2:
        memberId = reader.int64();
        break;
      case 3:
        operationsMax = reader.int();
        break;
      case 4:
        operationBytesMax = reader.int();
        break;
      default:
        reader.skip();
    }
  }
  return { clusterId, memberId, operationsMax, operationBytesMax };
}

function readAnswer(reader: ProtoReader): ReceivedAnswer {
  let id = 0;
  let answer: PipelineAnswer | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) {
      id = reader.uint();
    } else {
      answer = readResult(reader, field) ?? answer;
    }
  }
  if (answer === undefined) {
    throw new Error(`malformed message: answer ${id} says nothing`);
  }
  return { id, answer };
}

function readResult(reader: ProtoReader, field: number): PipelineAnswer | undefined {
  switch (field) {
    case resultFields.put:
      return readPutAnswer(reader.message());
    case resultFields.range:
      return readRangeAnswer(reader.message());
    case resultFields.deleteRange:
      return readDeleteRangeAnswer(reader.message());
    case resultFields.txn:
      return readTxnAnswer(reader.message());
    case resultFields.leaseKeepAlive:
      return { type: 'leaseKeepAlive', ttlSeconds: readTtl(reader.message()) };
    case resultFields.failure:
      return { type: 'failure', failure: readFailure(reader.message()) };
    default:
      reader.skip();
      return undefined;
  }
}

function readTtl(reader: ProtoReader): number {
  let ttl = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 3) {
      ttl = reader.int();
    } else {
      reader.skip();
    }
  }
  return ttl;
}

function readFailure(reader: ProtoReader): FailureMessage {
  let [status, code, message, isOutcomeUnknown] = [0, '', '', false];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
        status = reader.int();
        break;
      case 2:
        code = reader.text();
        break;
      case 3:
        message = reader.text();
        break;
      case 4:
        isOutcomeUnknown = reader.flag();
        break;
      default:
        reader.skip();
    }
  }
  return { status, code, message, isOutcomeUnknown };
}

const same = (bytes: Buffer): Buffer => bytes;
const path = '/holdfast.v1.Pipeline/Operate';
const streams = { path, requestStream: true, responseStream: true } as const;

/** The method for clients: sends finished batches, gets answers read. */
export const operateMethod = {
  path,
  requestSerialize: same,
  responseDeserialize: readAnswerBatch,
};

/** The service for servers: gets operations read, sends finished batches. */
export interface PipelineDefinition extends ServiceDefinition {
  readonly Operate: typeof streams & {
    readonly requestSerialize: typeof same;
    readonly requestDeserialize: (bytes: Buffer) => ReceivedBatch;
    readonly responseSerialize: typeof same;
    readonly responseDeserialize: typeof same;
  };
}

/** The service, with its way to read transactions. */
export function pipelineService(readTxn: TxnReader): PipelineDefinition {
  return {
    Operate: {
      ...streams,
      requestSerialize: same,
      requestDeserialize: (bytes) => readOperationBatch(bytes, readTxn),
      responseSerialize: same,
      responseDeserialize: same,
    },
  };
}

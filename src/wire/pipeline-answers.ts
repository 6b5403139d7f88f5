/**
 * Batches of answers of `holdfast.v1.Pipeline`, by hand: as the server writes them and as the
 * client reads them, next to each other so that they cannot differ. `proto/holdfast/pipeline.proto`
 * is the contract, `pipeline-operations.ts` the way there.
 */
import type { DeleteRangeResponse__Input } from './generated/etcdserverpb/DeleteRangeResponse.ts';
import type { PutResponse__Input } from './generated/etcdserverpb/PutResponse.ts';
import type { RangeResponse__Input } from './generated/etcdserverpb/RangeResponse.ts';
import type { TxnResponse__Input } from './generated/etcdserverpb/TxnResponse.ts';
import {
  type KvAnswer,
  readDeleteRangeAnswer,
  readPutAnswer,
  readRangeAnswer,
  readTxnAnswer,
} from './kv-client-codec.ts';
import {
  writeDeleteRangeResponse,
  writePutResponse,
  writeRangeResponse,
} from './kv-server-codec.ts';
import { ProtoReader, ProtoWriter } from './protobuf.ts';
import { services } from './services.ts';

/** Fields of `Answer.result`, by what they carry. */
const resultFields = {
  failure: 3,
  put: 4,
  range: 5,
  deleteRange: 6,
  txn: 7,
  leaseKeepAlive: 8,
} as const;

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

/** Reads an `AnswerBatch`; byte strings share its memory. */
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
        leader = reader.message().only(1, (it) => it.int64(), '0');
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
      return { type: 'leaseKeepAlive', ttlSeconds: reader.message().only(3, (it) => it.int(), 0) };
    case resultFields.failure:
      return { type: 'failure', failure: readFailure(reader.message()) };
    default:
      reader.skip();
      return undefined;
  }
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

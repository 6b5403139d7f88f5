/**
 * Batches of operations of `holdfast.v1.Pipeline`, by hand: as the client writes them and as the
 * server reads them, next to each other so that they cannot differ. `proto/holdfast/pipeline.proto`
 * is the contract, `pipeline-answers.ts` the way back.
 */
import type { DeleteRangeRequest } from './generated/etcdserverpb/DeleteRangeRequest.ts';
import type { PutRequest } from './generated/etcdserverpb/PutRequest.ts';
import type { RangeRequest } from './generated/etcdserverpb/RangeRequest.ts';
import type { TxnRequest } from './generated/etcdserverpb/TxnRequest.ts';
import { type KvMessage, writeKvMessage } from './kv-client-codec.ts';
import { readDeleteRangeRequest, readPutRequest, readRangeRequest } from './kv-server-codec.ts';
import { ProtoReader, ProtoWriter } from './protobuf.ts';
import { services } from './services.ts';

/** Fields of `Operation.request`, by what they carry. */
const requestFields = { put: 5, range: 6, deleteRange: 7, txn: 8, leaseKeepAlive: 9 } as const;

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
export type TxnReader = (bytes: Buffer) => TxnRequest;

/** Reads an `OperationBatch`; byte strings share its memory. */
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
      return { type: 'leaseKeepAlive', lease: reader.message().only(1, (it) => it.int64(), '0') };
    default:
      reader.skip();
      return undefined;
  }
}

/**
 * etcd's KV messages as a client writes and reads them, by hand (`protobuf.ts`): requests as bytes,
 * answers as plain objects whose numbers are numbers. Field numbers are those of
 * `proto/etcd/rpc.proto`.
 *
 * Ids of leases keep all 64 bits, as decimal texts; every other number has to be a safe integer.
 */
import type { ProtoReader } from './protobuf.ts';
import { type Mark, ProtoWriter } from './protobuf.ts';

/** Writes one key; absent fields are as in etcd. */
export interface PutMessage {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly lease?: string | undefined;
  readonly prevKv?: boolean | undefined;
  readonly ignoreValue?: boolean | undefined;
  readonly ignoreLease?: boolean | undefined;
  readonly ttlMs?: number | undefined;
  readonly ttlRefreshOnWrite?: boolean | undefined;
}

/** Reads one key, or those from `key` up to `rangeEnd`. */
export interface RangeMessage {
  readonly key: Uint8Array;
  readonly rangeEnd?: Uint8Array | undefined;
  readonly limit?: number | undefined;
  readonly revision?: number | undefined;
  readonly sortOrder?: 'ascend' | 'descend' | undefined;
  readonly sortTarget?: 'key' | 'version' | 'create' | 'mod' | 'value' | undefined;
  readonly serializable?: boolean | undefined;
  readonly keysOnly?: boolean | undefined;
  readonly countOnly?: boolean | undefined;
  /** The answer's `count` is of no use. etcd counts all the same. */
  readonly noCount?: boolean | undefined;
  /** Only keys that were created up to this revision. */
  readonly maxCreateRevision?: number | undefined;
}

/** Deletes one key, or those from `key` up to `rangeEnd`. */
export interface DeleteRangeMessage {
  readonly key: Uint8Array;
  readonly rangeEnd?: Uint8Array | undefined;
  readonly prevKv?: boolean | undefined;
}

/** One condition of a transaction. */
export type CompareMessage = {
  readonly key: Uint8Array;
  readonly rangeEnd?: Uint8Array | undefined;
  readonly result: 'equal' | 'greater' | 'less' | 'notEqual';
} & (
  | { readonly target: 'version' | 'create' | 'mod'; readonly operand: number }
  | { readonly target: 'value'; readonly operand: Uint8Array }
  | { readonly target: 'lease'; readonly operand: string }
);

/** If all of `compare` hold then `success`, else `failure`. */
export interface TxnMessage {
  readonly compare: readonly CompareMessage[];
  readonly success: readonly KvMessage[];
  readonly failure: readonly KvMessage[];
}

/** Any request of the KV service but a compaction. */
export type KvMessage =
  | { readonly type: 'put'; readonly put: PutMessage }
  | { readonly type: 'range'; readonly range: RangeMessage }
  | { readonly type: 'deleteRange'; readonly deleteRange: DeleteRangeMessage }
  | { readonly type: 'txn'; readonly txn: TxnMessage };

/** A key as a member tells it. */
export interface KeyValueAnswer {
  readonly key: Buffer;
  readonly value: Buffer;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: string;
  readonly ttlMs: number;
}

/** Answer to a put. */
export interface PutAnswer {
  readonly type: 'put';
  readonly revision: number;
  readonly prevKv: KeyValueAnswer | undefined;
}

/** Answer to a range. */
export interface RangeAnswer {
  readonly type: 'range';
  readonly revision: number;
  readonly kvs: readonly KeyValueAnswer[];
  readonly more: boolean;
  readonly count: number;
}

/** Answer to a deletion. */
export interface DeleteRangeAnswer {
  readonly type: 'deleteRange';
  readonly revision: number;
  readonly deleted: number;
  readonly prevKvs: readonly KeyValueAnswer[];
}

/** Answer to a transaction. */
export interface TxnAnswer {
  readonly type: 'txn';
  readonly revision: number;
  readonly succeeded: boolean;
  readonly responses: readonly KvAnswer[];
}

/** Any answer of the KV service but that to a compaction. */
export type KvAnswer = PutAnswer | RangeAnswer | DeleteRangeAnswer | TxnAnswer;

const sortOrders = { ascend: 1, descend: 2 } as const;
const sortTargets = { key: 0, version: 1, create: 2, mod: 3, value: 4 } as const;
const compareResults = { equal: 0, greater: 1, less: 2, notEqual: 3 } as const;
const compareTargets = { version: 0, create: 1, mod: 2, value: 3, lease: 4 } as const;
/** Fields of `Compare.target_union`. */
const operandFields = { version: 4, create: 5, mod: 6, value: 7, lease: 8 } as const;

/** Field of `RequestOp`, by request. */
const operationFields = { range: 1, put: 2, deleteRange: 3, txn: 4 } as const;

/** Writes the fields of a request, without saying which it is. */
export function writeKvMessage(writer: ProtoWriter, message: KvMessage): void {
  switch (message.type) {
    case 'put':
      writePut(writer, message.put);
      break;
    case 'range':
      writeRange(writer, message.range);
      break;
    case 'deleteRange':
      writeDeleteRange(writer, message.deleteRange);
      break;
    case 'txn':
      writeTxn(writer, message.txn);
      break;
  }
}

function writePut(writer: ProtoWriter, put: PutMessage): void {
  writer.bytes(1, put.key);
  writer.bytes(2, put.value);
  writer.int64(3, put.lease ?? '0');
  writer.flag(4, put.prevKv);
  writer.flag(5, put.ignoreValue);
  writer.flag(6, put.ignoreLease);
  writer.int(1000, put.ttlMs ?? 0);
  writer.flag(1001, put.ttlRefreshOnWrite);
}

function writeRange(writer: ProtoWriter, range: RangeMessage): void {
  writer.bytes(1, range.key);
  writer.bytes(2, range.rangeEnd ?? noBytes);
  writer.int(3, range.limit ?? 0);
  writer.int(4, range.revision ?? 0);
  writer.uint(5, range.sortOrder === undefined ? 0 : sortOrders[range.sortOrder]);
  writer.uint(6, range.sortTarget === undefined ? 0 : sortTargets[range.sortTarget]);
  writer.flag(7, range.serializable);
  writer.flag(8, range.keysOnly);
  writer.flag(9, range.countOnly);
  writer.int(13, range.maxCreateRevision ?? 0);
  writer.flag(1001, range.noCount);
}

function writeDeleteRange(writer: ProtoWriter, deletion: DeleteRangeMessage): void {
  writer.bytes(1, deletion.key);
  writer.bytes(2, deletion.rangeEnd ?? noBytes);
  writer.flag(3, deletion.prevKv);
}

function writeTxn(writer: ProtoWriter, { compare, success, failure }: TxnMessage): void {
  for (const each of compare) {
    const mark = writer.begin(1);
    writeCompare(writer, each);
    writer.end(mark);
  }
  writeOperations(writer, 2, success);
  writeOperations(writer, 3, failure);
}

function writeCompare(writer: ProtoWriter, compare: CompareMessage): void {
  writer.uint(1, compareResults[compare.result]);
  writer.uint(2, compareTargets[compare.target]);
  writer.bytes(3, compare.key);
  switch (compare.target) {
    case 'version':
    case 'create':
    case 'mod':
      writer.int(operandFields[compare.target], compare.operand);
      break;
    case 'value':
      writer.bytes(operandFields.value, compare.operand);
      break;
    case 'lease':
      writer.int64(operandFields.lease, compare.operand);
      break;
  }
  writer.bytes(64, compare.rangeEnd ?? noBytes);
}

function writeOperations(
  writer: ProtoWriter,
  field: number,
  operations: readonly KvMessage[],
): void {
  for (const operation of operations) {
    const outer: Mark = writer.begin(field);
    const inner: Mark = writer.begin(operationFields[operation.type]);
    writeKvMessage(writer, operation);
    writer.end(inner);
    writer.end(outer);
  }
}

const noBytes = new Uint8Array(0);

/** A request as the bytes of a message of its own. */
export function encodeKvMessage(message: KvMessage): Buffer {
  const writer = new ProtoWriter(512);
  writeKvMessage(writer, message);
  return writer.finish();
}

/** Reads a `PutResponse`. */
export function readPutAnswer(reader: ProtoReader): PutAnswer {
  let revision = 0;
  let prevKv: KeyValueAnswer | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) {
      revision = readRevision(reader.message());
    } else if (field === 2) {
      prevKv = readKeyValue(reader.message());
    } else {
      reader.skip();
    }
  }
  return { type: 'put', revision, prevKv };
}

/** Reads a `RangeResponse`. */
export function readRangeAnswer(reader: ProtoReader): RangeAnswer {
  const kvs: KeyValueAnswer[] = [];
  const answer = { type: 'range' as const, revision: 0, more: false, count: 0, kvs };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
        answer.revision = readRevision(reader.message());
        break;
      case 2:
        kvs.push(readKeyValue(reader.message()));
        break;
      case 3:
        answer.more = reader.flag();
        break;
      case 4:
        answer.count = reader.int();
        break;
      default:
        reader.skip();
    }
  }
  return answer;
}

/** Reads a `DeleteRangeResponse`. */
export function readDeleteRangeAnswer(reader: ProtoReader): DeleteRangeAnswer {
  let [revision, deleted] = [0, 0];
  const prevKvs: KeyValueAnswer[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
        revision = readRevision(reader.message());
        break;
      case 2:
        deleted = reader.int();
        break;
      case 3:
        prevKvs.push(readKeyValue(reader.message()));
        break;
      default:
        reader.skip();
    }
  }
  return { type: 'deleteRange', revision, deleted, prevKvs };
}

/** Reads a `TxnResponse`. */
export function readTxnAnswer(reader: ProtoReader): TxnAnswer {
  let revision = 0;
  let succeeded = false;
  const responses: KvAnswer[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
        revision = readRevision(reader.message());
        break;
      case 2:
        succeeded = reader.flag();
        break;
      case 3:
        responses.push(readResponseOperation(reader.message()));
        break;
      default:
        reader.skip();
    }
  }
  return { type: 'txn', revision, succeeded, responses };
}

function readResponseOperation(reader: ProtoReader): KvAnswer {
  let answer: KvAnswer | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case operationFields.range:
        answer = readRangeAnswer(reader.message());
        break;
      case operationFields.put:
        answer = readPutAnswer(reader.message());
        break;
      case operationFields.deleteRange:
        answer = readDeleteRangeAnswer(reader.message());
        break;
      case operationFields.txn:
        answer = readTxnAnswer(reader.message());
        break;
      default:
        reader.skip();
    }
  }
  if (answer === undefined) {
    throw new Error('malformed message: an answer within a transaction says nothing');
  }
  return answer;
}

/** Reads the revision of a `ResponseHeader`. */
export function readRevision(reader: ProtoReader): number {
  let revision = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 3) {
      revision = reader.int();
    } else {
      reader.skip();
    }
  }
  return revision;
}

/** Reads a `KeyValue`. */
export function readKeyValue(reader: ProtoReader): KeyValueAnswer {
  const kv = {
    key: emptyBuffer,
    value: emptyBuffer,
    createRevision: 0,
    modRevision: 0,
    version: 0,
    lease: '0',
    ttlMs: 0,
  };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
        kv.key = reader.bytes();
        break;
      case 2:
        kv.createRevision = reader.int();
        break;
      case 3:
        kv.modRevision = reader.int();
        break;
      case 4:
        kv.version = reader.int();
        break;
      case 5:
        kv.value = reader.bytes();
        break;
      case 6:
        kv.lease = reader.int64();
        break;
      case 1000:
        kv.ttlMs = reader.int();
        break;
      default:
        reader.skip();
    }
  }
  return kv;
}

const emptyBuffer: Buffer = Buffer.alloc(0);

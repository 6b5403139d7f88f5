/**
 * The bytes of operations of the keyspace: a type byte, then the fields. They stand in commands
 * (`command-codec.ts`), and within transactions.
 */
import { assert } from '../base/index.ts';
import {
  type Compare,
  type DeleteRangeOperation,
  type Operation,
  type PutOperation,
  type RangeOperation,
  type SortOrder,
  type SortTarget,
  ttlNone,
  type TxnOperation,
} from './command.ts';
import type { ByteReader, ByteWriter } from './varint.ts';

/** Transactions may nest this deep (the outermost counts as 1); checked when a request comes in. */
export const txnDepthMax = 32;

// Numbers of types; others are those of commands.
const typePut = 1;
const typeDeleteRange = 2;
const typeTxn = 3;
const typeRange = 5;

const flagPrevKv = 1;
const flagIgnoreValue = 2;
const flagIgnoreLease = 4;
const flagLease = 8;
const flagTtl = 16;
const flagTtlRefresh = 32;
const putFlagsKnown = 63;

const flagKeysOnly = 1;
const flagCountOnly = 2;
const flagNoCount = 4;

// A name's position is its number on disk: append only.
const sortTargets: readonly SortTarget[] = ['key', 'version', 'create', 'mod', 'value'];
const sortOrders: readonly SortOrder[] = ['none', 'ascend', 'descend'];
const compareResults: readonly Compare['result'][] = ['equal', 'greater', 'less', 'notEqual'];
const compareTargets: readonly Compare['target'][] = ['version', 'create', 'mod', 'value', 'lease'];

function putFlags(put: PutOperation): number {
  return (
    (put.prevKv ? flagPrevKv : 0) |
    (put.ignoreValue ? flagIgnoreValue : 0) |
    (put.ignoreLease ? flagIgnoreLease : 0) |
    (put.lease === 0n ? 0 : flagLease) |
    (put.ttlMs === 0 ? 0 : flagTtl) |
    (put.ttlRefreshOnWrite ? flagTtlRefresh : 0)
  );
}

/** One is added, since it is -1 for a key that is to last. */
function storedTtl({ ttlMs }: PutOperation): number {
  assert(ttlMs >= ttlNone, 'a time to live is a number of milliseconds, or none');
  return ttlMs + 1;
}

/** Writes an operation, its type first; a transaction at `depth`, the outermost being at 1. */
export function writeOperation(writer: ByteWriter, operation: Operation, depth: number): void {
  switch (operation.type) {
    case 'put':
      writer.byte(typePut);
      writer.byte(putFlags(operation));
      if (operation.lease !== 0n) {
        writer.bigint64(operation.lease);
      }
      if (operation.ttlMs !== 0) {
        writer.varint(storedTtl(operation));
      }
      writer.lengthPrefixed(operation.key);
      writer.lengthPrefixed(operation.value);
      break;
    case 'deleteRange':
      writer.byte(typeDeleteRange);
      writer.byte(operation.prevKv ? flagPrevKv : 0);
      writeSelector(writer, operation.key, operation.rangeEnd);
      break;
    case 'range':
      writer.byte(typeRange);
      writeRange(writer, operation);
      break;
    case 'txn':
      writer.byte(typeTxn);
      writeTxn(writer, operation, depth);
      break;
  }
}

function writeSelector(
  writer: ByteWriter,
  key: Uint8Array,
  rangeEnd: Uint8Array | undefined,
): void {
  writer.lengthPrefixed(key);
  if (rangeEnd === undefined) {
    writer.byte(0);
  } else {
    writer.lengthPrefixed(rangeEnd);
  }
}

function writeRange(writer: ByteWriter, range: RangeOperation): void {
  writer.byte(
    (range.keysOnly ? flagKeysOnly : 0) |
      (range.countOnly ? flagCountOnly : 0) |
      (range.noCount ? flagNoCount : 0),
  );
  writer.byte(sortOrders.indexOf(range.sortOrder));
  writer.byte(sortTargets.indexOf(range.sortTarget));
  writeSelector(writer, range.key, range.rangeEnd);
  // Signed: etcd gives negative numbers a meaning here, and a client may send them.
  writer.signedVarint(range.limit);
  writer.signedVarint(range.revision);
  writer.signedVarint(range.minModRevision);
  writer.signedVarint(range.maxModRevision);
  writer.signedVarint(range.minCreateRevision);
  writer.signedVarint(range.maxCreateRevision);
}

function writeTxn(writer: ByteWriter, txn: TxnOperation, depth: number): void {
  assert(depth <= txnDepthMax, `transactions may nest ${txnDepthMax} deep`);
  writer.varint(txn.compare.length);
  for (const compare of txn.compare) {
    writeCompare(writer, compare);
  }
  for (const branch of [txn.success, txn.failure]) {
    writer.varint(branch.length);
    for (const operation of branch) {
      writeOperation(writer, operation, depth + 1);
    }
  }
}

function writeCompare(writer: ByteWriter, compare: Compare): void {
  writer.byte(compareTargets.indexOf(compare.target));
  writer.byte(compareResults.indexOf(compare.result));
  writeSelector(writer, compare.key, compare.rangeEnd);
  if (compare.target === 'value') {
    writer.lengthPrefixed(compare.operand);
  } else if (compare.target === 'lease') {
    writer.bigint64(compare.operand);
  } else {
    writer.signedVarint(compare.operand);
  }
}

/** Reads an operation of a type, which has been read; see {@link writeOperation}. */
export function readOperation(reader: ByteReader, type: number, depth: number): Operation {
  switch (type) {
    case typePut:
      return readPut(reader);
    case typeDeleteRange:
      return readDeleteRange(reader);
    case typeRange:
      return readRange(reader);
    case typeTxn:
      return readTxn(reader, depth);
    default:
      return reader.fail(`has the unknown operation type ${type}`);
  }
}

function readPut(reader: ByteReader): PutOperation {
  const flags = readFlags(reader, putFlagsKnown);
  const lease = (flags & flagLease) === 0 ? 0n : reader.bigint64();
  const ttlMs = (flags & flagTtl) === 0 ? 0 : reader.varint() - 1;
  const key = readKey(reader);
  return {
    type: 'put',
    key,
    value: reader.lengthPrefixed(),
    lease,
    prevKv: (flags & flagPrevKv) !== 0,
    ignoreValue: (flags & flagIgnoreValue) !== 0,
    ignoreLease: (flags & flagIgnoreLease) !== 0,
    ttlMs,
    ttlRefreshOnWrite: (flags & flagTtlRefresh) !== 0,
  };
}

function readDeleteRange(reader: ByteReader): DeleteRangeOperation {
  const flags = readFlags(reader, flagPrevKv);
  const key = readKey(reader);
  const rangeEnd = readRangeEnd(reader);
  return { type: 'deleteRange', key, rangeEnd, prevKv: flags !== 0 };
}

function readRange(reader: ByteReader): RangeOperation {
  const flags = readFlags(reader, flagKeysOnly | flagCountOnly | flagNoCount);
  const sortOrder = readName(reader, sortOrders);
  const sortTarget = readName(reader, sortTargets);
  const key = readKey(reader);
  const rangeEnd = readRangeEnd(reader);
  return {
    type: 'range',
    key,
    rangeEnd,
    limit: reader.signedVarint(),
    revision: reader.signedVarint(),
    sortOrder,
    sortTarget,
    keysOnly: (flags & flagKeysOnly) !== 0,
    countOnly: (flags & flagCountOnly) !== 0,
    noCount: (flags & flagNoCount) !== 0,
    minModRevision: reader.signedVarint(),
    maxModRevision: reader.signedVarint(),
    minCreateRevision: reader.signedVarint(),
    maxCreateRevision: reader.signedVarint(),
  };
}

function readTxn(reader: ByteReader, depth: number): TxnOperation {
  if (depth > txnDepthMax) {
    return reader.fail(`nests transactions more than ${txnDepthMax} deep`);
  }
  const compare: Compare[] = [];
  for (let left = readCount(reader); left > 0; left--) {
    compare.push(readCompare(reader));
  }
  const success = readOperations(reader, depth + 1);
  const failure = readOperations(reader, depth + 1);
  return { type: 'txn', compare, success, failure };
}

function readOperations(reader: ByteReader, depth: number): readonly Operation[] {
  const operations: Operation[] = [];
  for (let left = readCount(reader); left > 0; left--) {
    operations.push(readOperation(reader, reader.byte(), depth));
  }
  return operations;
}

function readCompare(reader: ByteReader): Compare {
  const target = readName(reader, compareTargets);
  const result = readName(reader, compareResults);
  const key = readKey(reader);
  const rangeEnd = readRangeEnd(reader);
  if (target === 'value') {
    return { target, result, key, rangeEnd, operand: reader.lengthPrefixed() };
  }
  if (target === 'lease') {
    return { target, result, key, rangeEnd, operand: reader.bigint64() };
  }
  return { target, result, key, rangeEnd, operand: reader.signedVarint() };
}

function readFlags(reader: ByteReader, known: number): number {
  const flags = reader.byte();
  return (flags & ~known) === 0 ? flags : reader.fail(`has the unknown flags ${flags}`);
}

function readKey(reader: ByteReader): Uint8Array {
  const key = reader.lengthPrefixed();
  return key.length > 0 ? key : reader.fail('has an empty key');
}

function readRangeEnd(reader: ByteReader): Uint8Array | undefined {
  const rangeEnd = reader.lengthPrefixed();
  return rangeEnd.length > 0 ? rangeEnd : undefined;
}

/** Reads a count. What is counted takes a byte each at least: a count above that is a lie. */
export function readCount(reader: ByteReader): number {
  const count = reader.varint();
  return count <= reader.remaining ? count : reader.fail(`promises ${count} more items`);
}

/** Reads one of a list of names, by its number. */
export function readName<T extends string>(reader: ByteReader, names: readonly T[]): T {
  const number = reader.byte();
  return names[number] ?? reader.fail(`has the unknown name number ${number}`);
}

/**
 * The bytes of a command, as they stand in the log: one format byte, then the operation.
 *
 * A put, the hot path, is encoded with one allocation and decoded without copying: keys and values
 * of a decoded command are views of the log entry. Bytes that no version of this program could have
 * written make the decoder throw: members must not guess, or their states would part. A new
 * format or type needs a feature level of its own (`feature-level.ts`): the entry that raises the
 * level stands before it, and stops whoever would not understand what follows.
 */
import { assert } from '../base/index.ts';
import {
  readAuthChange,
  readName as readAccountName,
  writeAuthChange,
  writeName,
} from './auth-records.ts';
import {
  type AlarmCommand,
  type AlarmType,
  type AsCommand,
  type Command,
  type Compare,
  type DeleteRangeOperation,
  type LeaseId,
  type OnceCommand,
  type OnceOperation,
  type Operation,
  type PutOperation,
  type RangeOperation,
  type RequestId,
  type SetRecordCommand,
  type SortOrder,
  type SortTarget,
  ttlNone,
  type TxnOperation,
} from './command.ts';
import { checkRecordName, nameBytes, nameOf, recordValueBytesMax } from './named-records.ts';
import { hashToBigint, StateHasher } from './state-hash.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/** First byte of every command. */
const commandFormat = 1;

/** Transactions may nest this deep (the outermost counts as 1); checked when a request comes in. */
export const txnDepthMax = 32;

const typePut = 1;
const typeDeleteRange = 2;
const typeTxn = 3;
const typeCompact = 4;
const typeRange = 5;
const typeSetRecord = 6;
const typeAlarm = 7;
const typeLeaseGrant = 8;
const typeLeaseRevoke = 9;
const typeLeaseKeepAlive = 10;
const typeAdvanceTime = 11;
const typeOnce = 12;
const typeAs = 13;
const typeAuth = 14;
const typeRaiseLevel = 15;

/** Limit: bytes of a key that makes attempts the same request. */
export const idempotencyKeyBytesMax = 128;

/** Limit: leases that one command renews. */
export const keepAliveLeasesMax = 4096;

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
const alarmActions: readonly AlarmCommand['action'][] = ['activate', 'deactivate'];
const alarmTypes: readonly AlarmType[] = ['nospace', 'corrupt'];

/** Encodes a command for the log. */
export function encodeCommand(command: Command): Uint8Array {
  const writer = new ByteWriter();
  writeCommand(writer, command);
  return writer.finish();
}

function writeCommand(writer: ByteWriter, command: Command): void {
  writer.byte(commandFormat);
  switch (command.type) {
    case 'compact':
      writer.byte(typeCompact);
      writer.varint(command.revision);
      break;
    case 'setRecord':
      writer.byte(typeSetRecord);
      writeSetRecord(writer, command);
      break;
    case 'alarm':
      writer.byte(typeAlarm);
      writer.byte(alarmActions.indexOf(command.action));
      writer.byte(alarmTypes.indexOf(command.alarm));
      writer.varint(command.memberId);
      break;
    case 'leaseGrant':
      writer.byte(typeLeaseGrant);
      writer.bigint64(command.id);
      writer.varint(command.ttlMs);
      break;
    case 'leaseRevoke':
      writer.byte(typeLeaseRevoke);
      writer.bigint64(command.id);
      break;
    case 'leaseKeepAlive':
      writer.byte(typeLeaseKeepAlive);
      writeLeases(writer, command.ids);
      break;
    case 'advanceTime':
      writer.byte(typeAdvanceTime);
      writer.varint(command.timeMs);
      writer.varint(command.keepAnswersMs);
      break;
    case 'once':
      writer.byte(typeOnce);
      writeRequestId(writer, command.id);
      writer.bigint64(command.fingerprint);
      writeCommand(writer, command.command);
      break;
    case 'as':
      writer.byte(typeAs);
      writeName(writer, command.caller.user);
      writer.varint(command.caller.credentials);
      writeCommand(writer, command.command);
      break;
    case 'auth':
      writer.byte(typeAuth);
      writeAuthChange(writer, command.change);
      break;
    case 'raiseLevel':
      writer.byte(typeRaiseLevel);
      writer.varint(command.level);
      break;
    default:
      writeOperation(writer, command, 1);
  }
}

/**
 * Decodes a command; its byte strings are views of `bytes`.
 *
 * @throws {InvariantViolation} when the bytes are not exactly one command of a known format.
 */
export function decodeCommand(bytes: Uint8Array): Command {
  const reader = new ByteReader(bytes, 'command');
  const format = reader.byte();
  if (format !== commandFormat) {
    return reader.fail(`has the unknown format ${format}`);
  }
  const command = readCommand(reader, reader.byte());
  reader.end();
  return command;
}

function readCommand(reader: ByteReader, type: number): Command {
  switch (type) {
    case typePut:
      return readPut(reader);
    case typeCompact:
      return { type: 'compact', revision: reader.varint() };
    case typeSetRecord:
      return readSetRecord(reader);
    case typeAlarm:
      return {
        type: 'alarm',
        action: readName(reader, alarmActions),
        alarm: readName(reader, alarmTypes),
        memberId: reader.varint(),
      };
    case typeLeaseGrant:
      return { type: 'leaseGrant', id: reader.bigint64(), ttlMs: reader.varint() };
    case typeLeaseRevoke:
      return { type: 'leaseRevoke', id: reader.bigint64() };
    case typeLeaseKeepAlive:
      return { type: 'leaseKeepAlive', ids: readLeases(reader) };
    case typeAdvanceTime:
      return {
        type: 'advanceTime',
        timeMs: reader.varint(),
        keepAnswersMs: reader.varint(),
      };
    case typeOnce:
      return readOnce(reader);
    case typeAs:
      return readAs(reader);
    case typeAuth:
      return { type: 'auth', change: readAuthChange(reader) };
    case typeRaiseLevel:
      return { type: 'raiseLevel', level: reader.varint() };
    default: {
      const operation = readOperation(reader, type, 1);
      return operation.type === 'range' ? reader.fail('is a bare range') : operation;
    }
  }
}

/**
 * Returns 64 bits that tell a request from others. What the server has chosen for its caller must
 * not be in it.
 */
export function fingerprintOf(command: OnceOperation): bigint {
  const hasher = new StateHasher();
  const writer = new ByteWriter();
  writeCommand(writer, command);
  hasher.bytes(0, writer.written());
  writer.release();
  return BigInt.asIntN(64, hashToBigint(hasher.words));
}

const requestIdTypes: readonly RequestId['type'][] = ['session', 'key'];

function writeRequestId(writer: ByteWriter, id: RequestId): void {
  writer.byte(requestIdTypes.indexOf(id.type));
  if (id.type === 'key') {
    writer.lengthPrefixed(id.key);
  } else {
    writer.bigint64(id.session);
    writer.varint(id.sequence);
    writer.varint(id.lowestUnanswered);
  }
}

function readOnce(reader: ByteReader): OnceCommand {
  const id = readRequestId(reader);
  const fingerprint = reader.bigint64();
  const command = decodeCommand(reader.take(reader.remaining));
  switch (command.type) {
    case 'put':
    case 'deleteRange':
    case 'txn':
    case 'leaseGrant':
      return { type: 'once', id, fingerprint, command };
    default:
      return reader.fail(`asks for ${command.type} at most once`);
  }
}

function readAs(reader: ByteReader): AsCommand {
  const caller = { user: readAccountName(reader), credentials: reader.varint() };
  const command = decodeCommand(reader.take(reader.remaining));
  switch (command.type) {
    case 'as':
    case 'setRecord':
    case 'leaseKeepAlive':
    case 'advanceTime':
    case 'raiseLevel':
      return reader.fail(`asks for ${command.type} on somebody's behalf`);
    default:
      return { type: 'as', caller, command };
  }
}

function readRequestId(reader: ByteReader): RequestId {
  const type = readName(reader, requestIdTypes);
  if (type === 'key') {
    const key = reader.lengthPrefixed();
    const isBounded = key.length > 0 && key.length <= idempotencyKeyBytesMax;
    return isBounded ? { type, key } : reader.fail(`has a key of ${key.length} bytes`);
  }
  const session = reader.bigint64();
  const sequence = reader.varint();
  const lowestUnanswered = reader.varint();
  return lowestUnanswered > 0 && lowestUnanswered <= sequence
    ? { type, session, sequence, lowestUnanswered }
    : reader.fail(`numbers its request ${sequence}, from ${lowestUnanswered} on`);
}

function writeLeases(writer: ByteWriter, ids: readonly LeaseId[]): void {
  assert(ids.length <= keepAliveLeasesMax, 'the leases that a command renews are bounded');
  writer.varint(ids.length);
  for (const id of ids) {
    writer.bigint64(id);
  }
}

function readLeases(reader: ByteReader): readonly LeaseId[] {
  const ids: LeaseId[] = [];
  for (let left = readCount(reader); left > 0; left--) {
    ids.push(reader.bigint64());
  }
  return ids;
}

function writeSetRecord(writer: ByteWriter, { name, value }: SetRecordCommand): void {
  checkRecordName(name);
  assert(value.length <= recordValueBytesMax, 'the value of a record is bounded');
  writer.lengthPrefixed(nameBytes(name));
  writer.lengthPrefixed(value);
}

function readSetRecord(reader: ByteReader): SetRecordCommand {
  const name = nameOf(reader.lengthPrefixed());
  checkRecordName(name);
  const value = reader.lengthPrefixed();
  if (value.length > recordValueBytesMax) {
    return reader.fail(`sets a record of ${value.length} bytes`);
  }
  return { type: 'setRecord', name, value };
}

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

function writeOperation(writer: ByteWriter, operation: Operation, depth: number): void {
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

function readOperation(reader: ByteReader, type: number, depth: number): Operation {
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

/** Every counted thing takes a byte at least, so a count above what is left is a lie. */
function readCount(reader: ByteReader): number {
  const count = reader.varint();
  return count <= reader.remaining ? count : reader.fail(`promises ${count} more items`);
}

function readName<T extends string>(reader: ByteReader, names: readonly T[]): T {
  const number = reader.byte();
  return names[number] ?? reader.fail(`has the unknown name number ${number}`);
}

/**
 * The bytes of a command, as they stand in the log: one format byte, then its type and fields;
 * those of operations are `operation-codec.ts`'s.
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
import type {
  AlarmCommand,
  AlarmType,
  AsCommand,
  Command,
  LeaseId,
  OnceCommand,
  OnceOperation,
  RequestId,
  SetRecordCommand,
} from './command.ts';
import { checkRecordName, nameBytes, nameOf, recordValueBytesMax } from './named-records.ts';
import { readCount, readName, readOperation, writeOperation } from './operation-codec.ts';
import { hashToBigint, StateHasher } from './state-hash.ts';
import { ByteReader, ByteWriter } from './varint.ts';

export { txnDepthMax } from './operation-codec.ts';

/** First byte of every command. */
const commandFormat = 1;

// Numbers of commands; those of operations, among the same, are in `operation-codec.ts`.
const typeCompact = 4;
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

// A name's position is its number on disk: append only.
const alarmActions: readonly AlarmCommand['action'][] = ['activate', 'deactivate'];
const alarmTypes: readonly AlarmType[] = ['nospace', 'corrupt'];

/** Encodes a command for the log. */
export function encodeCommand(command: Command): Uint8Array {
  return encodeCommandBehind(0, command);
}

/** Encodes a command for the log, behind `headroom` zero bytes for whoever puts it there. */
export function encodeCommandBehind(headroom: number, command: Command): Uint8Array {
  const writer = new ByteWriter();
  writer.zeros(headroom);
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
  const command = readWholeCommand(reader);
  reader.end();
  return command;
}

/** Reads a command with its format byte. */
function readWholeCommand(reader: ByteReader): Command {
  reader.format(commandFormat);
  return readCommand(reader, reader.byte());
}

function readCommand(reader: ByteReader, type: number): Command {
  switch (type) {
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
  const command = readWholeCommand(reader);
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
  const command = readWholeCommand(reader);
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

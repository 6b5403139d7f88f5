/**
 * The bytes of an answer that is kept, to be repeated to later attempts of the same request.
 */
import { type ErrorCode, errorCodes } from '../base/index.ts';
import type { CommandResult, KeyValue, LeaseGrantResult, OperationResult } from './command.ts';
import { nameBytes, nameOf } from './named-records.ts';
import { ByteReader, ByteWriter } from './varint.ts';

/** Limit: bytes of an answer that is kept; of a longer one only the fact is. */
const answerBytesMax = 65_536;

/** What is kept of the first attempt of a request. */
export interface Answer {
  /** Of the request. */
  readonly fingerprint: bigint;
  /** Undefined when the answer was too long to be kept. */
  readonly result: CommandResult | undefined;
}

/** What a request at most once may give back. */
type OnceResult = OperationResult | LeaseGrantResult;

const answerFormat = 1;
const kinds = ['forgotten', 'refused', 'ok'] as const;
// A type's position is its number on disk: append only.
const types: readonly OnceResult['type'][] = ['put', 'deleteRange', 'range', 'txn', 'leaseGrant'];

/** Encodes an answer; one that is too long as one that is not known. */
export function encodeAnswer({ fingerprint, result }: Answer): Uint8Array {
  const writer = new ByteWriter();
  writer.byte(answerFormat);
  writer.bigint64(fingerprint);
  writer.byte(kinds.indexOf(result?.kind ?? 'forgotten'));
  if (result !== undefined) {
    writer.varint(result.revision);
    if (result.kind === 'refused') {
      writer.lengthPrefixed(nameBytes(result.code));
    } else {
      writeResult(writer, result.result as OnceResult);
    }
  }
  const bytes = writer.finish();
  return bytes.length <= answerBytesMax ? bytes : encodeAnswer({ fingerprint, result: undefined });
}

/**
 * Decodes an answer; its byte strings are views of `bytes`.
 *
 * @throws {InvariantViolation} when it is damaged, or of a format that this version does not know.
 */
export function decodeAnswer(bytes: Uint8Array): Answer {
  const reader = new ByteReader(bytes, 'answer');
  reader.format(answerFormat);
  const fingerprint = reader.bigint64();
  const kind = kinds[reader.byte()] ?? reader.fail('is of an unknown kind');
  const result = kind === 'forgotten' ? undefined : readCommandResult(reader, kind);
  reader.end();
  return { fingerprint, result };
}

function readCommandResult(reader: ByteReader, kind: 'refused' | 'ok'): CommandResult {
  const revision = reader.varint();
  return kind === 'refused'
    ? { kind, revision, code: readCode(reader) }
    : { kind, revision, result: readResult(reader) };
}

function readCode(reader: ByteReader): ErrorCode {
  const name = nameOf(reader.lengthPrefixed());
  return errorCodes.find((code) => code === name) ?? reader.fail(`has the unknown code ${name}`);
}

function writeResult(writer: ByteWriter, result: OnceResult): void {
  writer.byte(types.indexOf(result.type));
  switch (result.type) {
    case 'put':
      writeKeyValues(writer, result.prevKv === undefined ? [] : [result.prevKv]);
      break;
    case 'deleteRange':
      writer.varint(result.deleted);
      writeKeyValues(writer, result.prevKvs);
      break;
    case 'range':
      writer.byte(result.more ? 1 : 0);
      writer.varint(result.count);
      writeKeyValues(writer, result.kvs);
      break;
    case 'txn':
      writer.byte(result.succeeded ? 1 : 0);
      writer.varint(result.responses.length);
      for (const response of result.responses) {
        writeResult(writer, response);
      }
      break;
    case 'leaseGrant':
      writer.bigint64(result.id);
      writer.varint(result.ttlMs);
      break;
  }
}

function readResult(reader: ByteReader): OnceResult {
  const type = types[reader.byte()] ?? reader.fail('gives something unknown');
  switch (type) {
    case 'put': {
      const [prevKv] = readKeyValues(reader);
      return prevKv === undefined ? { type } : { type, prevKv };
    }
    case 'deleteRange':
      return { type, deleted: reader.varint(), prevKvs: readKeyValues(reader) };
    case 'range': {
      const more = reader.byte() === 1;
      const count = reader.varint();
      return { type, kvs: readKeyValues(reader), more, count };
    }
    case 'txn':
      return { type, succeeded: reader.byte() === 1, responses: readResponses(reader) };
    case 'leaseGrant':
      return { type, id: reader.bigint64(), ttlMs: reader.varint() };
  }
}

function readResponses(reader: ByteReader): readonly OperationResult[] {
  const responses: OperationResult[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    const response = readResult(reader);
    responses.push(response.type === 'leaseGrant' ? reader.fail('grants a lease') : response);
  }
  return responses;
}

function writeKeyValues(writer: ByteWriter, kvs: readonly KeyValue[]): void {
  writer.varint(kvs.length);
  for (const kv of kvs) {
    writer.lengthPrefixed(kv.key);
    writer.lengthPrefixed(kv.value);
    writer.varint(kv.createRevision);
    writer.varint(kv.modRevision);
    writer.varint(kv.version);
    writer.bigint64(kv.lease);
    writer.varint(kv.ttlMs);
  }
}

function readKeyValues(reader: ByteReader): readonly KeyValue[] {
  const kvs: KeyValue[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    kvs.push({
      key: reader.lengthPrefixed(),
      value: reader.lengthPrefixed(),
      createRevision: reader.varint(),
      modRevision: reader.varint(),
      version: reader.varint(),
      lease: reader.bigint64(),
      ttlMs: reader.varint(),
    });
  }
  return kvs;
}

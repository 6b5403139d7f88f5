/**
 * etcd's KV messages as a server reads and writes them, by hand (`protobuf.ts`), in the shapes that
 * the contracts have when they are loaded: what serves a call of its own serves an operation of a
 * batch.
 *
 * Transactions are rare, and as large as many operations: they go the general way.
 */
import type { DeleteRangeRequest } from './generated/etcdserverpb/DeleteRangeRequest.ts';
import type { DeleteRangeResponse__Input } from './generated/etcdserverpb/DeleteRangeResponse.ts';
import type { PutRequest } from './generated/etcdserverpb/PutRequest.ts';
import type { PutResponse__Input } from './generated/etcdserverpb/PutResponse.ts';
import type { RangeRequest } from './generated/etcdserverpb/RangeRequest.ts';
import type { RangeResponse__Input } from './generated/etcdserverpb/RangeResponse.ts';
import type { ResponseHeader__Input } from './generated/etcdserverpb/ResponseHeader.ts';
import type { KeyValue__Input } from './generated/mvccpb/KeyValue.ts';
import type { ProtoReader, ProtoWriter } from './protobuf.ts';

const noBytes: Buffer = Buffer.alloc(0);

/** Names of enum values, by number; an unknown one stays a number, as in the general codec. */
const sortOrders = ['NONE', 'ASCEND', 'DESCEND'] as const;
const sortTargets = ['KEY', 'VERSION', 'CREATE', 'MOD', 'VALUE'] as const;

/** Reads a `PutRequest`. */
export function readPutRequest(reader: ProtoReader): PutRequest {
  const request: PutRequest = {
    key: noBytes,
    value: noBytes,
    lease: '0',
    prev_kv: false,
    ignore_value: false,
    ignore_lease: false,
    ttl_ms: '0',
    ttl_refresh_on_write: false,
  };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
        request.key = reader.bytes();
        break;
      case 2:
        request.value = reader.bytes();
        break;
      case 3:
        request.lease = reader.int64();
        break;
      case 4:
        request.prev_kv = reader.flag();
        break;
      case 5:
        request.ignore_value = reader.flag();
        break;
      case 6:
        request.ignore_lease = reader.flag();
        break;
      case 1000:
        request.ttl_ms = reader.int64();
        break;
      case 1001:
        request.ttl_refresh_on_write = reader.flag();
        break;
      default:
        reader.skip();
    }
  }
  return request;
}

/** Reads a `RangeRequest`. */
export function readRangeRequest(reader: ProtoReader): RangeRequest {
  const request: RangeRequest = {
    key: noBytes,
    range_end: noBytes,
    limit: '0',
    revision: '0',
    sort_order: 'NONE',
    sort_target: 'KEY',
    serializable: false,
    keys_only: false,
    count_only: false,
    min_mod_revision: '0',
    max_mod_revision: '0',
    min_create_revision: '0',
    max_create_revision: '0',
    remaining_ttl: false,
    no_count: false,
  };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    readRangeField(reader, field, request);
  }
  return request;
}

function readRangeField(reader: ProtoReader, field: number, request: RangeRequest): void {
  switch (field) {
    case 1:
      request.key = reader.bytes();
      break;
    case 2:
      request.range_end = reader.bytes();
      break;
    case 3:
      request.limit = reader.int64();
      break;
    case 4:
      request.revision = reader.int64();
      break;
    case 5:
      request.sort_order = named(sortOrders, reader.int());
      break;
    case 6:
      request.sort_target = named(sortTargets, reader.int());
      break;
    case 7:
      request.serializable = reader.flag();
      break;
    case 8:
      request.keys_only = reader.flag();
      break;
    case 9:
      request.count_only = reader.flag();
      break;
    case 1000:
      request.remaining_ttl = reader.flag();
      break;
    case 1001:
      request.no_count = reader.flag();
      break;
    default:
      readRangeFilter(reader, field, request);
  }
}

function readRangeFilter(reader: ProtoReader, field: number, request: RangeRequest): void {
  switch (field) {
    case 10:
      request.min_mod_revision = reader.int64();
      break;
    case 11:
      request.max_mod_revision = reader.int64();
      break;
    case 12:
      request.min_create_revision = reader.int64();
      break;
    case 13:
      request.max_create_revision = reader.int64();
      break;
    default:
      reader.skip();
  }
}

/** What the types do not say and the general codec does too: unknown numbers stay numbers. */
function named<Name extends string>(names: readonly Name[], value: number): Name {
  return names[value] ?? (value as unknown as Name);
}

/** Reads a `DeleteRangeRequest`. */
export function readDeleteRangeRequest(reader: ProtoReader): DeleteRangeRequest {
  const request: DeleteRangeRequest = { key: noBytes, range_end: noBytes, prev_kv: false };
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
        request.key = reader.bytes();
        break;
      case 2:
        request.range_end = reader.bytes();
        break;
      case 3:
        request.prev_kv = reader.flag();
        break;
      default:
        reader.skip();
    }
  }
  return request;
}

/** Writes the fields of a `PutResponse`. */
export function writePutResponse(writer: ProtoWriter, response: PutResponse__Input): void {
  writeHeader(writer, response.header);
  if (response.prev_kv) {
    writeKeyValue(writer, 2, response.prev_kv);
  }
}

/** Writes the fields of a `RangeResponse`. */
export function writeRangeResponse(writer: ProtoWriter, response: RangeResponse__Input): void {
  writeHeader(writer, response.header);
  for (const kv of response.kvs ?? []) {
    writeKeyValue(writer, 2, kv);
  }
  writer.flag(3, response.more);
  writeInteger(writer, 4, response.count);
}

/** Writes the fields of a `DeleteRangeResponse`. */
export function writeDeleteRangeResponse(
  writer: ProtoWriter,
  response: DeleteRangeResponse__Input,
): void {
  writeHeader(writer, response.header);
  writeInteger(writer, 2, response.deleted);
  for (const kv of response.prev_kvs ?? []) {
    writeKeyValue(writer, 3, kv);
  }
}

/** Of the header only the revision: the rest was said once for the stream. */
function writeHeader(writer: ProtoWriter, header: ResponseHeader__Input | null | undefined): void {
  if (header) {
    const mark = writer.begin(1);
    writeInteger(writer, 3, header.revision);
    writer.end(mark);
  }
}

function writeKeyValue(writer: ProtoWriter, field: number, kv: KeyValue__Input): void {
  const mark = writer.begin(field);
  writer.bytes(1, kv.key as Uint8Array);
  writeInteger(writer, 2, kv.create_revision);
  writeInteger(writer, 3, kv.mod_revision);
  writeInteger(writer, 4, kv.version);
  writer.bytes(5, kv.value as Uint8Array);
  writeInteger(writer, 6, kv.lease);
  writeInteger(writer, 1000, kv.ttl_ms);
  writeInteger(writer, 1001, kv.ttl_remaining_ms);
  writer.end(mark);
}

/** A number as the services write it: a number, or one beyond 2⁵³ in decimal. */
function writeInteger(writer: ProtoWriter, field: number, value: KeyValue__Input['lease']): void {
  if (typeof value === 'number') {
    writer.int(field, value);
  } else if (value !== undefined) {
    writer.int64(field, String(value));
  }
}
